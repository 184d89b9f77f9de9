const PUNCTUATION = "!#$%&'*+-.^_`|~"

/** Whether a text is a token: the alphabet of header names, schemes and cookie names. See RFC 9110 section 5.6.2. */
export function isHttpToken(text: string): boolean {
  if (text === '') return false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    const isAlphanumeric = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
    if (!isAlphanumeric && !PUNCTUATION.includes(text.charAt(index))) return false
  }
  return true
}
