/** Scripts that Redis runs, as text: so they are in a compiled program too. */
declare module '*.lua' {
  const text: string
  export default text
}
