import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BearerToken, RequestId } from '../../src/protocol/names.js';
import type { ProblemCode } from '../../src/protocol/problems.js';
import { PROBLEMS } from '../../src/protocol/problems.js';
import { formatSignedText } from '../../src/protocol/receipt.js';
import { commentFits } from '../../src/protocol/statement.js';
import { formatDecision } from '../../src/protocol/statements.js';
import { formatTextReply, parseTextReply, type TextReply } from '../../src/protocol/text-reply.js';
import { formatArmor } from '../../src/ssh/signature.js';
import { codeOf } from '../ssh/problem.js';
import { decision, time } from './arbitraries.js';

const REFUSALS = ['broker-reply', 'malformed-receipt', 'malformed-statement', null];
const letters = (alphabet: string, length: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: length, maxLength: length });

const reply: fc.Arbitrary<TextReply> = fc.record({
  state: fc.constantFrom(
    'pending',
    'approved',
    'denied',
    'expired',
    'lapsed',
    'cancelled',
    'revoked',
    'spent',
    'error',
  ),
  id: fc.option(letters('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 25).map((rest) => `0${rest}` as RequestId)),
  watch: fc.option(letters('AZaz09-_', 43).map((token) => token as BearerToken)),
  code: fc.option(fc.constantFrom(...(Object.keys(PROBLEMS) as ProblemCode[]))),
  answerBy: fc.option(time),
  claimBy: fc.option(time),
  hint: fc.option(letters(' !"$`[az09~', 12)),
  receipts: fc.array(
    fc.record({
      statement: decision.filter(({ comment }) => commentFits(comment)).map(formatDecision),
      armor: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => formatArmor(Buffer.from(bytes))),
    }),
    { maxLength: 3 },
  ),
});

test('a reply is read back as it was written', () => {
  fc.assert(
    fc.property(reply, (written) => {
      const { receipts, ...head } = parseTextReply(formatTextReply(written));
      expect({ ...head, receipts: receipts.map(formatSignedText) }).toEqual({
        ...written,
        receipts: written.receipts.map(formatSignedText),
      });
    }),
  );
});

test('a changed reply is refused, or is exactly how that other reply is written (A59)', () => {
  const edit = fc.oneof(
    fc.constantFrom(
      '',
      '\n',
      '\r',
      '\0',
      ' ',
      '-',
      ': ',
      'x',
      'é',
      '$(touch T)',
      'x\n',
      'hint: x\n',
      '\u2028',
    ),
    fc.string({ maxLength: 2 }),
  );
  let accepted = 0;
  fc.assert(
    fc.property(reply, fc.nat(), fc.nat({ max: 40 }), edit, (written, where, cut, added) => {
      const text = formatTextReply(written);
      const at = where % (text.length + 1);
      const other = text.slice(0, at) + added + text.slice(at + cut);
      const code = codeOf(() => parseTextReply(other));
      expect(REFUSALS).toContain(code);
      if (code !== null) return;
      accepted += 1;
      expect(formatTextReply(parseTextReply(other))).toBe(other);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(0);
});

test('a hint can neither break a line nor carry an escape sequence', () => {
  fc.assert(
    fc.property(reply, fc.string({ unit: 'binary' }), (written, hint) => {
      const text = formatTextReply({ ...written, hint });
      expect(text).toMatch(/^[\n\x20-\x7e]*$/);
      expect(parseTextReply(text).receipts).toHaveLength(written.receipts.length);
      expect(parseTextReply(text).state).toBe(written.state);
    }),
  );
});

test('a reply of more than 64 KiB is refused by its size alone', () => {
  expect(codeOf(() => parseTextReply('x'.repeat(2 ** 20)))).toBe('broker-reply');
});
