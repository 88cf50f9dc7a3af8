import { Problem } from './problems.js';
import { DECISION_LINES, type Decision, parseDecision } from './statements.js';

/**
 * A signed text: the statement, then its armored SSH signature, nothing between and nothing after. `statement` is
 * exactly what was signed, `armor` ends with LF.
 */
export interface SignedText {
  readonly statement: string;
  readonly armor: string;
}

/** The signed text of one decision. Its signature is not verified yet. */
export interface Receipt extends SignedText {
  readonly decision: Decision;
}

const BEGIN = '-----BEGIN SSH SIGNATURE-----\n';
const END = '-----END SSH SIGNATURE-----\n';
/** Body lines as ssh-keygen writes them: 70 columns, the last one shorter or equal. */
const ARMOR =
  /^-----BEGIN SSH SIGNATURE-----\n(?:[A-Za-z0-9+/=]{70}\n)*[A-Za-z0-9+/=]{1,70}\n-----END SSH SIGNATURE-----\n$/;

/** Longest signed text, in bytes: the largest supported signature with room to spare. */
export const MAX_SIGNED_TEXT_BYTES = 16 * 1024;

export const formatSignedText = ({ statement, armor }: SignedText): string => statement + armor;

/**
 * Splits a signed text into statement and armor.
 *
 * @throws Problem `malformed-receipt` if there is not exactly one armor, at the end.
 */
export function parseSignedText(text: string): SignedText {
  if (text.length > MAX_SIGNED_TEXT_BYTES) throw malformed(`longer than ${MAX_SIGNED_TEXT_BYTES} bytes`);
  const begin = text.indexOf(BEGIN);
  if (begin <= 0 || text[begin - 1] !== '\n') throw malformed('no signature after the statement');
  const armor = text.slice(begin);
  if (!ARMOR.test(armor)) throw malformed('not exactly one armored signature at the end');
  return { statement: text.slice(0, begin), armor };
}

/** @throws Problem `malformed-receipt` or `malformed-statement` */
export function parseReceipt(text: string): Receipt {
  const signed = parseSignedText(text);
  return { ...signed, decision: parseDecision(signed.statement) };
}

/**
 * Splits signed texts of any kind that stand one after the other.
 *
 * @throws Problem `malformed-receipt`
 */
export function splitSignedTexts(text: string): readonly string[] {
  const texts: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf(END);
    if (end < 0) throw malformed('no end of a signature');
    const one = rest.slice(0, end + END.length);
    parseSignedText(one);
    texts.push(one);
    rest = rest.slice(one.length);
  }
  return texts;
}

/**
 * Splits receipts that stand one after the other, as a text/plain reply carries them.
 *
 * @throws Problem `malformed-receipt` or `malformed-statement`
 */
export function parseReceipts(text: string): readonly Receipt[] {
  const receipts: Receipt[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf(END);
    if (end < 0) throw malformed('no end of a signature');
    const one = rest.slice(0, end + END.length);
    if (one.indexOf(BEGIN) !== lengthOfLines(one, DECISION_LINES))
      throw malformed('not 16 lines before a signature');
    receipts.push(parseReceipt(one));
    rest = rest.slice(one.length);
  }
  return receipts;
}

function lengthOfLines(text: string, count: number): number {
  let at = 0;
  for (let line = 0; line < count; line += 1) {
    const end = text.indexOf('\n', at);
    if (end < 0) return -1;
    at = end + 1;
  }
  return at;
}

function malformed(what: string): Problem {
  return new Problem('malformed-receipt', `not a receipt: ${what}`);
}
