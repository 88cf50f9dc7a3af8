import { ASCII_GLYPHS, SYMBOL_WORDS } from './ascii-glyphs.js';
import { classify, scriptFamily } from './characters.js';
import { isAsciiOnly } from './repertoire.js';

declare const brand: unique symbol;

/**
 * Text that shows what it is: printable, without controls, every character of known width, everything that could
 * deceive written out between `⟨` and `⟩`. The only text that is drawn, or sent to the terminal as a title.
 */
export type SafeText = string & { readonly [brand]: 'SafeText' };

/**
 * How closely a reader must be able to read it back. `exact` is for all that is bound, compared or run (resources,
 * names, details, rules): only ASCII stands as it is, other letters stay legible inside a mark that names their script.
 * `prose` is for reasons and comments: letters of one script a word stand as they are.
 */
export type Reading = 'exact' | 'prose';

/** Marks are `⟨U+202E⟩`, `⟨LF⟩`, `⟨SP×3⟩` (three in a row) and `⟨Cyrillic а⟩`; {@link inAscii} writes them `<U+202E>`. */
export const MARK = /⟨[^⟩]*⟩/gu;

const NEEDS_NO_MARK = /^[!-~]$/;
/** Anything but printable ASCII with single spaces inside. */
const UNUSUAL = /[^ -~]|^ | $| {2}/;
/** The same where only ASCII can be shown: there `<` begins a mark. */
const UNUSUAL_IN_ASCII = /[^ -~]|^ | $| {2}|</;
/** Combining marks that one letter may carry in prose: Vietnamese needs two. */
const MAX_COMBINING = 2;

/**
 * Shows a text that somebody else wrote, losing nothing: distinct inputs give distinct outputs (A1), lone surrogates
 * included, and what hides, reorders, overwrites or imitates is marked instead of dropped. The text may be cut only
 * afterwards, visibly. Where only ASCII can be shown, everything else is marked, and so is `<`, which begins a mark there.
 */
export function safeText(raw: string, { reading }: { readonly reading: Reading }): SafeText {
  const isAscii = isAsciiOnly();
  if (!(isAscii ? UNUSUAL_IN_ASCII : UNUSUAL).test(raw)) return raw as SafeText;
  const characters = [...raw];
  const writer = new Writer();
  for (let at = 0; at < characters.length; ) {
    const character = characters[at] ?? '';
    const kind = classify(character);
    if (kind === 'letter' && reading === 'prose' && !isAscii) {
      at = writeWord(writer, characters, at);
      continue;
    }
    if (character === ' ') writeSpace(writer, characters, at);
    else if (isAscii && (character === '<' || character > '~')) writer.mark(markName(character));
    else if (NEEDS_NO_MARK.test(character)) writer.show(character);
    else if (kind === 'letter') writeForeignLetter(writer, character);
    else if (kind === 'symbol' && reading === 'prose') writer.show(character);
    else writer.mark(markName(character));
    at += 1;
  }
  return writer.finish();
}

/** How many characters of what was written stand in marks. */
export function markedCharacters(text: SafeText): number {
  return [...text.matchAll(MARK)].reduce((sum, [mark]) => sum + charactersOf(mark), 0);
}

const charactersOf = (mark: string): number => {
  const [, times, letters] = /^⟨(?:[^ ]+×(\d+)|[^ ]+ (.+))⟩$/u.exec(mark) ?? [];
  return letters === undefined ? Number(times ?? 1) : [...letters].length;
};

/** Text that stands in the source, with numbers and safe texts put in: ``label`${count} pending` ``. */
export function label(fixed: TemplateStringsArray, ...values: readonly (SafeText | number)[]): SafeText {
  return String.raw({ raw: fixed }, ...values) as SafeText;
}

/** The same text column by column in ASCII: the brackets of its marks, and whatever this interface draws itself. */
export function inAscii(text: SafeText): SafeText {
  return text.replaceAll(/[^ -~]/gu, (glyph) => ASCII_GLYPHS[glyph] ?? '?') as SafeText;
}

/** The same text with the symbols of this interface in words, for those who hear it: others cannot write any of them. */
export function inWords(text: SafeText): SafeText {
  return text.replaceAll(/([●○▲✓✗]) ?/gu, (_, symbol: string) => SYMBOL_WORDS[symbol] ?? '') as SafeText;
}

/** The given texts one after the other. */
export function joinText(texts: readonly SafeText[], between: SafeText = label``): SafeText {
  return texts.join(between) as SafeText;
}

/** The part of a text from one offset to another; neither may lie inside a mark or between a letter and its accents. */
export function sliceText(text: SafeText, from: number, to?: number): SafeText {
  return text.slice(from, to) as SafeText;
}

/** So many spaces. */
export function spaces(count: number): SafeText {
  return ' '.repeat(Math.max(0, count)) as SafeText;
}

/** One character of the interface, so many times. */
export function repeatText(text: SafeText, count: number): SafeText {
  return text.repeat(Math.max(0, count)) as SafeText;
}

/** Single spaces between two characters stand as they are; at an edge or in a row they would not be seen. */
function writeSpace(writer: Writer, characters: readonly string[], at: number): void {
  const before = characters[at - 1];
  const after = characters[at + 1];
  const isSeen = before !== undefined && after !== undefined && before !== ' ' && after !== ' ';
  if (isSeen) writer.show(' ');
  else writer.mark('SP');
}

function writeForeignLetter(writer: Writer, character: string): void {
  const family = scriptFamily(character);
  const isLegible = family?.isLeftToRight && character.normalize('NFKC') === character;
  if (isLegible) writer.run(family.name, character);
  else writer.mark(markName(character));
}

/**
 * A word is a run of letters and their combining marks. Where it mixes scripts, the letters that are not Latin are
 * marked. CJK stands beside Latin without a space in honest text and looks like none of it.
 */
function writeWord(writer: Writer, characters: readonly string[], start: number): number {
  let end = start;
  const families = new Set<string>();
  for (; end < characters.length; end += 1) {
    const character = characters[end] ?? '';
    const kind = classify(character);
    if (kind !== 'letter' && kind !== 'combining') break;
    if (kind === 'letter') families.add(scriptFamily(character)?.name ?? 'other');
  }
  families.delete('CJK');
  const isMixed = families.size > 1;
  let room = 0;
  for (const character of characters.slice(start, end)) {
    if (classify(character) === 'combining') {
      if (room > 0) writer.append(character);
      else writer.mark(markName(character));
      room -= 1;
      continue;
    }
    room = MAX_COMBINING;
    const family = scriptFamily(character);
    if (!isMixed || family?.name === 'Latin' || family?.name === 'CJK') writer.show(character);
    else if (family !== null) writer.run(family.name, character);
    else {
      writer.mark(markName(character));
      room = 0;
    }
  }
  return end;
}

const CONTROL_NAMES =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );

function markName(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x7f) return 'DEL';
  if (character === '<') return 'LT';
  return CONTROL_NAMES[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Collects the output; equal marks in a row become one with a count, letters of one script one mark. */
class Writer {
  #text = '';
  #mark: { readonly name: string; count: number } | null = null;
  #run: { readonly script: string; letters: string } | null = null;

  show(character: string): void {
    this.#close();
    this.#text += character;
  }

  /** A combining mark stays with its letter, inside the letter's mark if it has one. */
  append(character: string): void {
    if (this.#run === null) this.show(character);
    else this.#run.letters += character;
  }

  mark(name: string): void {
    if (this.#mark?.name === name) {
      this.#mark.count += 1;
      return;
    }
    this.#close();
    this.#mark = { name, count: 1 };
  }

  run(script: string, letter: string): void {
    if (this.#run?.script === script) {
      this.#run.letters += letter;
      return;
    }
    this.#close();
    this.#run = { script, letters: letter };
  }

  finish(): SafeText {
    this.#close();
    return this.#text as SafeText;
  }

  #close(): void {
    if (this.#mark !== null) {
      const { name, count } = this.#mark;
      this.#text += count === 1 ? `⟨${name}⟩` : `⟨${name}×${count}⟩`;
      this.#mark = null;
    }
    if (this.#run !== null) {
      this.#text += `⟨${this.#run.script} ${this.#run.letters}⟩`;
      this.#run = null;
    }
  }
}
