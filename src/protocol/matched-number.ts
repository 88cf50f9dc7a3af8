import type { RequestDocument } from './document.js';

/** Six digits that a door shows to its requester alone, and that an approver signs in `code:` once told. */
export type MatchedNumber = string & { readonly __brand: 'MatchedNumber' };

/** Exactly six ASCII digits. */
export const isMatchedNumber = (value: unknown): value is MatchedNumber =>
  typeof value === 'string' && /^[0-9]{6}$/.test(value);

/** As people write it down: six digits, with spaces anywhere; null for anything else. */
export function readTypedNumber(text: string): MatchedNumber | null {
  const digits = text.replaceAll(/\s/g, '');
  return isMatchedNumber(digits) ? digits : null;
}

/** `123 456` */
export const spacedNumber = (number: MatchedNumber): string => `${number.slice(0, 3)} ${number.slice(3)}`;

/** Whether the door that asks shows its requester a number: `"number":true` in the context. */
export const asksNumber = ({ context }: Pick<RequestDocument, 'context'>): boolean => context.number === true;
