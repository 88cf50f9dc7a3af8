/** A word for a POSIX shell, quoted where it must be: different words, and lists of them, never read the same. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
