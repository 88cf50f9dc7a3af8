/**
 * A text with gaps: the literals between its stars. `['db']` is the text `db` itself, `['db-', '']` is `db-*`. Only the first
 * and the last literal may be empty. Capitals A–Z stand as small letters: a glob does not tell them apart.
 */
export type Glob = readonly [string, ...string[]];

/** A–Z as a–z, and nothing else: what SQLite's LIKE does as well, so that a search on disk finds the same. */
export const foldCase = (text: string): string =>
  text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());

/** Whether the whole of a text fits; the text with its case folded. In time that grows with the text alone. */
export function fits([first, ...rest]: Glob, folded: string): boolean {
  const last = rest.pop();
  if (last === undefined) return folded === first;
  if (!folded.startsWith(first)) return false;
  let from = first.length;
  for (const literal of rest) {
    const at = folded.indexOf(literal, from);
    if (at < 0) return false;
    from = at + literal.length;
  }
  return from + last.length <= folded.length && folded.endsWith(last);
}

/** The glob that fits wherever this one fits a part. */
export const anywhere = (glob: Glob): Glob => ['', ...glob.filter((literal) => literal !== ''), ''];
