/** What goes wrong in a WebSocket's handler is logged, and puts no message into the app's protocol. */
import { expect, test } from 'bun:test'
import { withLog } from '../guards/support.ts'
import { createTestApp } from '../support/test-app.ts'

test('an error in a message handler sends nothing', async () => {
  await using t = await createTestApp({}, (app) =>
    app.ws('/chat', {
      message(ws, message) {
        if (message === 'fail') throw new Error('select password from users')
        ws.send(message)
      },
    }),
  )
  const { result, log } = await withLog(async () => {
    const received: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const socket = new WebSocket(`${t.origin.replace('http', 'ws')}/chat`)
    socket.onopen = () => {
      socket.send('fail')
      socket.send('done')
    }
    socket.onmessage = ({ data }) => {
      received.push(String(data))
      if (data === 'done') resolve()
    }
    socket.onclose = () => resolve()
    await promise
    socket.close()
    return received
  })
  expect(result).toEqual(['done'])
  expect(log).toHaveLength(1)
})
