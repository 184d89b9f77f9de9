/** The limits of `cluster-server.ts`. */

/** Requests to `/limited` of one key in any window. */
export const LIMIT = 1000
export const WINDOW_MS = 3000
/** Requests to `/slow` of one key at once. */
export const CONCURRENT = 6
