import { Problem } from '../../src/protocol/problems.js';

/** Unchanged lines that are shown around a change. */
const CONTEXT = 3;
/** Changed lines after which the shortest way is not searched any further: everything between is then replaced. */
const MOST_EDITS = 1000;

/** One line of both texts (` `), of the old one (`-`) or of the new one (`+`). */
interface Edit {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/**
 * What turns one text into another, in the unified format of POSIX diff without the names of files: hunks, each a line
 * `@@ -FIRST,COUNT +FIRST,COUNT @@` and then lines that begin with a space, `-` or `+`. What stands behind the last newline
 * is a line too, so that the texts come back byte for byte.
 *
 * @returns no line for equal texts
 */
export function differenceOf(before: string, after: string): readonly string[] {
  const edits = editsOf(before.split('\n'), after.split('\n'));
  const shown = edits.map(() => false);
  edits.forEach(({ mark }, at) => {
    if (mark !== ' ') shown.fill(true, Math.max(0, at - CONTEXT), at + CONTEXT + 1);
  });
  const lines: string[] = [];
  let [old, next] = [1, 1];
  for (let at = 0; at < edits.length; ) {
    if (shown[at] !== true) {
      [old, next, at] = [old + 1, next + 1, at + 1];
      continue;
    }
    const gap = shown.indexOf(false, at);
    const hunk = edits.slice(at, gap < 0 ? undefined : gap);
    const [olds, nexts] = ['+', '-'].map((other) => hunk.filter(({ mark }) => mark !== other).length);
    lines.push(`@@ -${old},${olds} +${next},${nexts} @@`, ...hunk.map(({ mark, line }) => mark + line));
    [old, next, at] = [old + (olds ?? 0), next + (nexts ?? 0), at + hunk.length];
  }
  return lines;
}

const HUNK = /^@@ -(\d+),\d+ \+\d+,\d+ @@$/;

/**
 * Makes the new text out of the old one and what {@link differenceOf} said.
 *
 * @throws Problem `change-outdated` where the old text is another one
 */
export function applyDifference(before: string, difference: readonly string[]): string {
  const old = before.split('\n');
  const made: string[] = [];
  let at = 0;
  for (const entry of difference) {
    const [, first] = HUNK.exec(entry) ?? [];
    const line = entry.slice(1);
    if (first !== undefined) {
      made.push(...old.slice(at, Number(first) - 1));
      at = Number(first) - 1;
    } else if (entry.startsWith('+')) {
      made.push(line);
    } else {
      if (old[at] !== line) throw new Problem('change-outdated', 'the text was changed since this was asked');
      if (entry.startsWith(' ')) made.push(line);
      at += 1;
    }
  }
  return [...made, ...old.slice(at)].join('\n');
}

function editsOf(old: readonly string[], next: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start += 1;
  let [oldEnd, nextEnd] = [old.length, next.length];
  while (oldEnd > start && nextEnd > start && old[oldEnd - 1] === next[nextEnd - 1]) {
    [oldEnd, nextEnd] = [oldEnd - 1, nextEnd - 1];
  }
  const [olds, nexts] = [old.slice(start, oldEnd), next.slice(start, nextEnd)];
  return [
    ...marked(' ', old.slice(0, start)),
    ...(shortestEdits(olds, nexts) ?? [...marked('-', olds), ...marked('+', nexts)]),
    ...marked(' ', old.slice(oldEnd)),
  ];
}

const marked = (mark: Edit['mark'], lines: readonly string[]): readonly Edit[] =>
  lines.map((line) => ({ mark, line }));

/** Myers, "An O(ND) difference algorithm and its variations" (1986): the greedy one. Null beyond {@link MOST_EDITS}. */
function shortestEdits(old: readonly string[], next: readonly string[]): readonly Edit[] | null {
  // How far each diagonal (old - next) reaches in `old`, before each number of edits.
  const reached: ReadonlyMap<number, number>[] = [];
  let far: ReadonlyMap<number, number> = new Map([[1, 0]]);
  for (let edits = 0; edits <= Math.min(old.length + next.length, MOST_EDITS); edits += 1) {
    reached.push(far);
    const further = new Map<number, number>();
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = stepOf(far, diagonal, edits).x;
      while (x < old.length && x - diagonal < next.length && old[x] === next[x - diagonal]) x += 1;
      further.set(diagonal, x);
      if (x >= old.length && x - diagonal >= next.length) return walkedBack(old, next, reached);
    }
    far = further;
  }
  return null;
}

/** Where a diagonal begins with this many edits: by a line of the new text from above, or one of the old from below. */
function stepOf(far: ReadonlyMap<number, number>, diagonal: number, edits: number) {
  const [below, above] = [far.get(diagonal - 1) ?? -1, far.get(diagonal + 1) ?? -1];
  const adds = diagonal === -edits || (diagonal !== edits && below < above);
  return adds ? { x: above, from: diagonal + 1 } : { x: below + 1, from: diagonal - 1 };
}

function walkedBack(
  old: readonly string[],
  next: readonly string[],
  reached: readonly ReadonlyMap<number, number>[],
): readonly Edit[] {
  const backwards: Edit[] = [];
  let [x, y] = [old.length, next.length];
  for (let edits = reached.length - 1; edits >= 0; edits -= 1) {
    const far = reached[edits] ?? new Map<number, number>();
    const { from, x: begun } = stepOf(far, x - y, edits);
    while (x > begun && y > 0 && x > 0) {
      [x, y] = [x - 1, y - 1];
      backwards.push({ mark: ' ', line: old[x] ?? '' });
    }
    if (edits === 0) break;
    if (from > x - y) {
      y -= 1;
      backwards.push({ mark: '+', line: next[y] ?? '' });
    } else {
      x -= 1;
      backwards.push({ mark: '-', line: old[x] ?? '' });
    }
  }
  return backwards.reverse();
}
