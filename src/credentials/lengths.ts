/** How long the parts of our credentials are, in base62 characters. */

/** The public part: what a record is found by. */
export const ID_LENGTH = 16
/** 256 bits. */
export const SECRET_LENGTH = 43
