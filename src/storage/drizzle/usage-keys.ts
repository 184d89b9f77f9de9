/** The key of rows where all requests are counted together. */
export const ALL_KEYS = '*'
/** The key of requests that came by none. */
export const NO_KEY = ''
