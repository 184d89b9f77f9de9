/** Answers the time in epoch milliseconds; tests give their own. */
export type Clock = () => number

/** The machine's clock. */
export const systemClock: Clock = () => Date.now()
