import stringWidth from 'string-width';

/**
 * What a character is to a reader. `hidden` is whatever cannot be seen for what it is: controls, invisible and
 * reordering characters, blanks, unassigned and private code points, and all that terminals disagree about how wide it
 * is (emoji, conjoining jamo, spacing marks).
 */
export type CharacterKind = 'letter' | 'combining' | 'symbol' | 'hidden';

/** Scripts that are told apart; letters of all others count as one script without a name. */
export interface ScriptFamily {
  readonly name: string;
  /** Right-to-left letters make some terminals reorder what stands beside them. */
  readonly isLeftToRight: boolean;
}

const INVISIBLE =
  /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\p{Variation_Selector}\p{Bidi_Control}\p{Noncharacter_Code_Point}\p{Private_Use}\u2800\ufffc\ufffd]/u;
/** What this interface draws itself: its marks, frames, blocks and bullets stay its own. */
const OWN = /[⟨⟩●○▲✓✗▸\u2500-\u259f]/u;
const EMOJI = /[\p{Emoji_Presentation}\p{Emoji_Modifier}\p{Regional_Indicator}]/u;
const ASTRAL = /[\u{10000}-\u{10ffff}]/u;
const IDEOGRAPH = /\p{Unified_Ideograph}/u;

const kinds = new Map<string, CharacterKind>();

/** Classifies one code point, or one lone surrogate. */
export function classify(character: string): CharacterKind {
  let kind = kinds.get(character);
  if (kind === undefined) {
    kind = findKind(character);
    kinds.set(character, kind);
  }
  return kind;
}

function findKind(character: string): CharacterKind {
  if (INVISIBLE.test(character) || OWN.test(character) || EMOJI.test(character)) return 'hidden';
  if (ASTRAL.test(character) && !IDEOGRAPH.test(character)) return 'hidden';
  if (/\p{Mn}/u.test(character)) return isAccent(character) ? 'combining' : 'hidden';
  if (/[\p{Mc}\p{Me}]/u.test(character) || !standsAlone(character)) return 'hidden';
  return /\p{L}/u.test(character) ? 'letter' : 'symbol';
}

const segmenter = new Intl.Segmenter();
const countClusters = (text: string): number => [...segmenter.segment(text)].length;

/** True for a character that takes its own one or two columns whatever its neighbours are. */
function standsAlone(character: string): boolean {
  const width = stringWidth(character);
  return (width === 1 || width === 2) && countClusters(`a${character}${character}a`) === 4;
}

/** True for a mark that joins the letter before it, takes no column, and does not tie the next letter to it. */
function isAccent(character: string): boolean {
  return (
    stringWidth(`e${character}`) === 1 &&
    countClusters(`e${character}e`) === 2 &&
    countClusters(`क${character}क`) === 2
  );
}

const family = (
  name: string,
  pattern: RegExp,
  isLeftToRight = true,
): ScriptFamily & { readonly pattern: RegExp } => ({
  name,
  isLeftToRight,
  pattern,
});

const FAMILIES = [
  family('Latin', /\p{sc=Latin}/u),
  family('Cyrillic', /\p{sc=Cyrillic}/u),
  family('Greek', /\p{sc=Greek}/u),
  family('CJK', /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{sc=Hangul}]/u),
  family('Arabic', /\p{sc=Arabic}/u, false),
  family('Hebrew', /\p{sc=Hebrew}/u, false),
  family('Devanagari', /\p{sc=Devanagari}/u),
  family('Thai', /\p{sc=Thai}/u),
  family('Armenian', /\p{sc=Armenian}/u),
  family('Georgian', /\p{sc=Georgian}/u),
  family('Cherokee', /\p{sc=Cherokee}/u),
  family('Ethiopic', /\p{sc=Ethiopic}/u),
  family('Bengali', /\p{sc=Bengali}/u),
  family('Tamil', /\p{sc=Tamil}/u),
  family('Telugu', /\p{sc=Telugu}/u),
];

/** The script of a letter; null where it has no name here. */
export function scriptFamily(letter: string): ScriptFamily | null {
  return FAMILIES.find(({ pattern }) => pattern.test(letter)) ?? null;
}
