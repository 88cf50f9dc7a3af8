/** What stands for the end of a text that was too long. */
const CUT = '…';
/** Letters of one of these families make a word; letters of others, and words that mix families, are written out. */
const FAMILIES = [
  /^\p{sc=Latin}+$/u,
  /^\p{sc=Cyrillic}+$/u,
  /^\p{sc=Greek}+$/u,
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+$/u,
];
const HIDDEN = /\p{Default_Ignorable_Code_Point}/u;
const WORDS_AND_OTHERS = /\p{L}+|[^\p{L}]/gu;

/**
 * What a chat makes something of: Markdown and the markup of Slack and Discord, names after `@` and `#`, emoji and addresses
 * by `:` and `.`, commands by `/`, issues of GitHub by `GH-1`. A point or colon before a space is the end of a sentence.
 */
const ACTIVE =
  /[*_~`|<>[\]\\&$^{}@#]|[.:](?! |$)|(?<![\p{L}\p{N}])\/|\/(?![\p{L}\p{N}])|(?<=(?<![\p{L}\p{N}])GH)-(?=\p{N})/giu;
/** Those of them that do nothing between brackets, and so can be read there. */
const LEGIBLE = '.:/-@#';

/**
 * One line of text that others wrote, with whatever could hide, reorder or overwrite written out as `⟨U+202E⟩`; cut
 * visibly to so many characters.
 */
export function plainLine(raw: string, limit: number): string {
  let line = '';
  for (const [part] of raw.matchAll(WORDS_AND_OTHERS)) {
    if (isPlain(part, line)) line += part;
    else for (const character of part) line += isAscii(character) ? character : codeOf(character);
  }
  return cut(line, limit);
}

/**
 * The same, of which no chat or issue tracker makes a link, a mention or markup (A38): `web-1⟨.⟩example⟨.⟩com`,
 * `⟨@⟩channel`, `⟨U+002A⟩bold⟨U+002A⟩`. It is to stand after a word of our own.
 */
export function chatLine(raw: string, limit: number): string {
  // Far more than is left of it, and little enough to look at.
  const line = plainLine(raw.slice(0, 4 * limit), 4 * limit);
  return cut(
    line.replace(ACTIVE, (found) => (LEGIBLE.includes(found) ? `⟨${found}⟩` : codeOf(found))),
    limit,
  );
}

/** Whether a word, or one other character, can be taken for nothing else after what stands before it. */
function isPlain(part: string, before: string): boolean {
  if (part === ' ') return before !== '' && !before.endsWith(' ');
  if (/^[!-~]+$/.test(part)) return true;
  if (!/^\p{L}/u.test(part)) return false;
  return (
    FAMILIES.some((family) => family.test(part)) && part.normalize('NFKC') === part && !HIDDEN.test(part)
  );
}

const isAscii = (character: string): boolean => /^[!-~]$/.test(character);

function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** Never within what is written out. */
function cut(line: string, limit: number): string {
  const parts = line.match(/⟨[^⟩]*⟩|./gsu) ?? [];
  let kept = '';
  let length = 0;
  for (const part of parts) {
    length += [...part].length;
    if (length > limit - CUT.length) {
      return [...line].length <= limit ? line : kept + CUT;
    }
    kept += part;
  }
  return kept;
}
