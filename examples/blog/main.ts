/** `bun run start`: serves the blog on `PORT`, or 3000. */
import { createBlog } from './app.ts'

const { app } = await createBlog()
app.listen(Number(process.env.PORT ?? 3000), ({ port }) => {
  console.log(`The blog is at http://localhost:${port}, its documentation at http://localhost:${port}/swagger`)
})
