/** The posts of the blog, in memory: the example is about who may touch them. */

export interface Post {
  readonly id: string
  readonly authorId: string
  readonly title: string
  readonly content: string
  readonly published: boolean
}

export type PostChange = Partial<Pick<Post, 'title' | 'content' | 'published'>>

export class Posts {
  readonly #posts = new Map<string, Post>()

  constructor(posts: readonly Post[]) {
    for (const post of posts) this.#posts.set(post.id, post)
  }

  all(): readonly Post[] {
    return [...this.#posts.values()]
  }

  find(id: string): Post | null {
    return this.#posts.get(id) ?? null
  }

  update(post: Post, change: PostChange): Post {
    const updated = { ...post, ...change }
    this.#posts.set(post.id, updated)
    return updated
  }

  delete(id: string): boolean {
    return this.#posts.delete(id)
  }
}
