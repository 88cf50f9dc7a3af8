import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatSignedText,
  MAX_SIGNED_TEXT_BYTES,
  parseReceipt,
  parseReceipts,
  parseSignedText,
} from '../../src/protocol/receipt.js';
import { commentFits } from '../../src/protocol/statement.js';
import { formatDecision } from '../../src/protocol/statements.js';
import { formatArmor } from '../../src/ssh/signature.js';
import { codeOf } from '../ssh/problem.js';
import { decision } from './arbitraries.js';

const armor = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => formatArmor(Buffer.from(bytes)));
const statement = decision.filter(({ comment }) => commentFits(comment)).map(formatDecision);
const receipt = fc.record({ statement, armor });

describe('a receipt', () => {
  test('is split where it was joined', () => {
    fc.assert(
      fc.property(receipt, (signed) => {
        const text = formatSignedText(signed);
        expect(parseSignedText(text)).toEqual(signed);
        expect(parseReceipt(text)).toMatchObject(signed);
        expect(formatSignedText(parseReceipt(text))).toBe(text);
      }),
    );
  });

  test('stands after others in a reply', () => {
    fc.assert(
      fc.property(fc.array(receipt, { maxLength: 4 }), (all) => {
        const text = all.map(formatSignedText).join('');
        expect(parseReceipts(text).map(formatSignedText)).toEqual(all.map(formatSignedText));
      }),
    );
  });

  test('with any piece cut, added or moved is refused, or is read as exactly that text (A59)', () => {
    const piece = fc.constantFrom(
      '\n',
      '\r\n',
      'x',
      ' ',
      '\0',
      '=',
      'é',
      'note: x\n',
      '-----BEGIN SSH SIGNATURE-----\n',
      '-----END SSH SIGNATURE-----\n',
      '-----END SSH SIGNATURE-----',
      'countersign-decision 1\n',
      'comment: "',
    );
    let refused = 0;
    fc.assert(
      fc.property(
        receipt,
        fc.nat(),
        fc.nat({ max: 90 }),
        fc.oneof(piece, fc.constant('')),
        (signed, where, cut, added) => {
          const text = formatSignedText(signed);
          const at = where % (text.length + 1);
          const other = text.slice(0, at) + added + text.slice(at + cut);
          const alone = codeOf(() => parseReceipt(other));
          const inReply = codeOf(() => parseReceipts(other));
          if (alone === null) {
            expect(formatSignedText(parseReceipt(other))).toBe(other);
            expect(parseReceipts(other)).toEqual([parseReceipt(other)]);
          } else {
            refused += 1;
            expect(['malformed-receipt', 'malformed-statement']).toContain(alone);
            if (other !== '') expect(['malformed-receipt', 'malformed-statement']).toContain(inReply);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  test('two statements, two armors, or both in any other order are refused (A59)', () => {
    fc.assert(
      fc.property(receipt, receipt, (one, two) => {
        for (const parts of [
          [one.statement, two.statement, one.armor],
          [one.statement, one.armor, two.armor],
          [one.armor, one.statement],
          [one.armor, one.statement, one.armor],
          [one.statement, one.armor, two.statement],
          [one.statement],
          [one.armor],
        ]) {
          expect(codeOf(() => parseReceipt(parts.join('')))).toMatch(/^malformed-(receipt|statement)$/);
          expect(codeOf(() => parseReceipts(parts.join('')))).toMatch(/^malformed-(receipt|statement)$/);
        }
        const both = formatSignedText(one) + formatSignedText(two);
        expect(codeOf(() => parseReceipt(both))).toBe('malformed-receipt');
      }),
      { numRuns: 50 },
    );
  });

  test('has at most 16 KiB', () => {
    const end = formatArmor(Buffer.from('x'));
    const ofSize = (bytes: number): string => `${'x'.repeat(bytes - end.length - 1)}\n${end}`;
    expect(MAX_SIGNED_TEXT_BYTES).toBe(16_384);
    expect(codeOf(() => parseSignedText(ofSize(16_384)))).toBe(null);
    expect(codeOf(() => parseSignedText(ofSize(16_385)))).toBe('malformed-receipt');
  });
});
