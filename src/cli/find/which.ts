/** How commands name a key. */
export const WHICH_KEY = ['<key>', 'its id, the part of it that is shown, or a beginning of either'] as const

/** How commands name a user. */
export const WHICH_USER = ['<user>', 'the e-mail address or id'] as const

/** How commands name an organization. */
export const WHICH_ORGANIZATION = ['<organization>', 'its name or id'] as const
