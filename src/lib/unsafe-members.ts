/** Names that mean something to JavaScript objects: where somebody merges them into one, they pollute its prototype. */
export const UNSAFE_MEMBERS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
