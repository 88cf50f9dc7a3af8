import { basename, resolve } from 'node:path';
import type { Environment } from '../client/locations.js';
import { shellQuote } from '../protocol/shell-quote.js';

/**
 * A command line that can be pasted into another shell, from any directory: the installed `countersign` where this
 * program was started by that name, else this very Node and program by their paths.
 */
export function pasteableLine(words: readonly string[]): string {
  const program = process.argv[1] ?? '';
  const start = basename(program) === 'countersign' ? ['countersign'] : [process.execPath, program];
  return [...start, ...words].map(shellQuote).join(' ');
}

/** Breaks a pasteable line where a shell goes on reading, so that it can be selected on a narrow screen. */
export function foldedLine(line: string, columns: number): readonly string[] {
  const folded: string[] = [];
  // A word is made of quoted parts, escaped characters and plain ones.
  for (const word of line.match(/(?:'[^']*'|\\.|[^' \\])+/g) ?? []) {
    const last = folded.at(-1);
    if (last !== undefined && last.length + word.length + 3 <= columns)
      folded.push(`${folded.pop()} ${word}`);
    else folded.push(word);
  }
  return folded.map((text, index) => (index < folded.length - 1 ? `${text} \\` : text));
}

/** The flags under which another shell finds the same broker; none where it is found by default. */
export function whereFlags(
  flags: { readonly url?: string | undefined; readonly dir?: string | undefined },
  env: Environment,
): readonly string[] {
  const url = flags.url ?? (flags.dir === undefined ? env.COUNTERSIGN_URL : undefined);
  const dir = flags.dir ?? env.COUNTERSIGN_DIR;
  return [...(url ? ['--url', url] : []), ...(dir ? ['--dir', resolve(dir)] : [])];
}
