/** Answers the time in epoch milliseconds; tests give their own. */
export type Clock = () => number
