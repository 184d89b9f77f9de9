/** For the files beside it, which only the type checker reads: an error in them is a failed test. */

/** Whether two types are the same; `any` is the same as itself alone. */
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `same<typeof x, Wanted>(true)` compiles where the type of `x` is `Wanted`, and not where it is wider, narrower or any. */
export function same<A, B>(_: Equals<A, B>): void {}

same<string, string>(true)
same<string, unknown>(false)
same<{ a: 1 }, { a: 1; b?: 2 }>(false)
// biome-ignore lint/suspicious/noExplicitAny: the point is that any is noticed
same<any, string>(false)
// @ts-expect-error: and so is a wrong claim
same<string, number>(true)
