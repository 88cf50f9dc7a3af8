import { expect, test } from 'vitest';
import { parseReceipts } from '../../../src/protocol/receipt.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { approved } from './evil-broker.js';
import { keys, receipt } from './people.js';
import { onMachine } from './stage.js';

/** From the statement and the armor of a genuine receipt: what the broker shows. */
type Split = (statement: string, armor: string) => string;

/** Signed anew by bob: only its form stands in its way. */
const signed = (change: (statement: string) => string): Split => {
  return (statement) => {
    const changed = change(statement);
    return changed + signInSoftware(keys.bob, changed);
  };
};
const withComment = (comment: string): Split =>
  signed((statement) => statement.replace(/^comment: .*$/m, () => `comment: ${comment}`));

onMachine('A door whose broker splits and joins receipts', (stage) => {
  async function show(split: Split) {
    const { door, broker } = await stage.door();
    let shown = '';
    broker.conduct = {
      redeem: (ask) => {
        const genuine = receipt(broker, ask);
        const at = genuine.indexOf('-----BEGIN');
        shown = split(genuine.slice(0, at), genuine.slice(at));
        return Buffer.from(approved(ask, shown), 'latin1');
      },
    };
    return { door, end: await door.login(), shown };
  }

  test('A59 anything but sixteen lines and one armor is refused, by the hook and in TypeScript', async () => {
    const splits: Record<string, Split> = {
      'two armors': (statement, armor) => statement + armor + armor,
      'an armor before the statement': (statement, armor) => armor + statement + armor,
      'no armor': (statement) => statement,
      'an armor alone': (_, armor) => armor,
      'text after the armor': (statement, armor) => `${statement}${armor}approved\n`,
      'a blank line after the armor': (statement, armor) => `${statement}${armor}\n`,
      'a blank line before the armor': (statement, armor) => `${statement}\n${armor}`,
      'a blank line in the armor': (statement, armor) => statement + armor.replace('\n', '\n\n'),
      'a line of the armor that is too long': (statement, armor) =>
        statement + armor.replace(/(.{70})\n/, '$1'),
      'a line of the armor that is too short': (statement, armor) =>
        statement + armor.replace(/(.{69})(.)\n/, '$1\n$2'),
      'an armor that does not end': (statement, armor) => statement + armor.replace(/-----END.*\n/, ''),
      'an armor within an armor': (statement, armor) => statement + armor.replace('\n', `\n${armor}`),
      'an armor of another kind': (statement, armor) =>
        statement + armor.replaceAll('SSH SIGNATURE', 'PGP SIGNATURE'),
      CRLF: (statement, armor) => (statement + armor).replaceAll('\n', '\r\n'),
      'CRLF in the armor': (statement, armor) => statement + armor.replaceAll('\n', '\r\n'),
      'CRLF in what was signed': signed((statement) => statement.replaceAll('\n', '\r\n')),
      'lines ended by CR': signed((statement) => `${statement.slice(0, -1).replaceAll('\n', '\r')}\n`),
      '17 lines': signed((statement) => `${statement}comment: ""\n`),
      '17 lines, the last one blank': signed((statement) => `${statement}\n`),
      '15 lines': signed((statement) => statement.replace(/^comment: .*\n/m, '')),
      'a line twice': signed((statement) => statement.replace(/^(verdict: .*\n)/m, '$1$1')),
      'a line twice, another one left out': signed((statement) =>
        statement.replace(/^policy: .*\n(verdict: .*\n)/m, '$1$1'),
      ),
      'two lines swapped': signed((statement) =>
        statement.replace(/^(verdict: .*\n)(requester: .*\n)/m, '$2$1'),
      ),
      'a name in upper case': signed((statement) => statement.replace('verdict:', 'Verdict:')),
      'a verdict in upper case': signed((statement) => statement.replace('approve\n', 'APPROVE\n')),
      'no space after a colon': signed((statement) => statement.replace('verdict: ', 'verdict:')),
      'two spaces after a colon': signed((statement) => statement.replace('verdict: ', 'verdict:  ')),
      'a tab after a colon': signed((statement) => statement.replace('verdict: ', 'verdict:\t')),
      'a space at the end of a line': signed((statement) => statement.replace('approve\n', 'approve \n')),
      'a NUL at the end of a line': signed((statement) => statement.replace('approve\n', 'approve\0\n')),
      'two statements below one armor': signed((statement) => statement + statement),
      'a statement of another kind first': signed((statement) => `countersign-submit 1\n${statement}`),
      'a second statement in the comment, with line breaks': (statement) =>
        withComment(`"x"\n${statement.slice(0, -1)}`)(statement, ''),
      'a comment without quotes': withComment('looks right'),
      'a comment with a quote inside': withComment('"x"x"'),
      'a comment that does not end': withComment('"x'),
      'a comment with a bad escape': withComment('"\\x"'),
      'a comment with half an escape': withComment('"\\u00g0"'),
      'a comment that is too long': withComment(`"${'x'.repeat(999)}"`),
      'a comment of 8-bit bytes': withComment('"\xe9"'),
      'a time without its Z': signed((statement) => statement.replace(/Z\nnot-after/, '\nnot-after')),
      'a time with a fraction': signed((statement) => statement.replace(/Z\nnot-after/, '.000Z\nnot-after')),
      'a time with an offset': signed((statement) => statement.replace(/Z\nnot-after/, '+00:00\nnot-after')),
      'a day that no calendar has': signed((statement) =>
        statement.replace(/^(decided: ....)-..-../m, '$1-02-30'),
      ),
      'uses with a zero before': signed((statement) => statement.replace('uses: 1', 'uses: 01')),
      'uses below zero': signed((statement) => statement.replace('uses: 1', 'uses: -1')),
      'a hexadecimal duration': signed((statement) => statement.replace('duration: 0', 'duration: 0x0')),
      'a duration beyond 64 bits': signed((statement) =>
        statement.replace('duration: 0', 'duration: 18446744073709551616'),
      ),
      'more than 16 KiB': (statement, armor) =>
        statement + armor.replace('\n', `\n${`${'A'.repeat(70)}\n`.repeat(260)}`),
      'another receipt cut off behind it': (statement, armor) => statement + armor + statement,
    };
    await eachOf(
      Object.entries(splits),
      ([name]) => name,
      async ([, split]) => {
        const { door, end, shown } = await show(split);
        expect(() => parseReceipts(shown)).toThrow();
        expectShut(end, 'bad-reply');
        expect(door.uses).toBe(0);
      },
    );
  });

  test('A59 what has the form of a receipt, and is another text than was signed, is refused', async () => {
    const splits: Record<string, Split> = {
      'another comment': (statement, armor) => statement.replace('looks right', 'looks fine') + armor,
      'base64 with a spare bit': (statement, armor) =>
        statement +
        armor.replace(/(.)(=*)\n-----END/, (_, last, padding) => `${nextOf(last)}${padding}\n-----END`),
      'base64 with padding within': (statement, armor) =>
        statement + armor.replace(/([A-Za-z0-9+/]{66}).{4}\n/, '$1AA==\n'),
      'a byte after the signature': (statement, armor) =>
        statement + rewrap(armor, (blob) => Buffer.concat([blob, Buffer.of(0)])),
      'a byte less': (statement, armor) => statement + rewrap(armor, (blob) => blob.subarray(0, -1)),
      // ssh-keygen takes it for a signature of version 1.
      'version 0': (statement) => statement + signInSoftware(keys.bob, statement, { version: 0 }),
      'version 2': (statement, armor) =>
        statement +
        rewrap(armor, (blob) => Buffer.concat([blob.subarray(0, 9), Buffer.of(2), blob.subarray(10)])),
    };
    await eachOf(
      Object.entries(splits),
      ([name]) => name,
      async ([, split]) => {
        const { door, end, shown } = await show(split);
        expect(parseReceipts(shown)).toHaveLength(1);
        expectShut(end, 'bad-signature');
        expect(door.uses).toBe(0);
      },
    );
  });

  test('A59 what only looks like a second receipt is a comment, and opens', async () => {
    const comments = [
      '""',
      '"-----BEGIN SSH SIGNATURE-----"',
      '"\\n-----END SSH SIGNATURE-----\\ncountersign-decision 1\\nverdict: deny\\n"',
      '"\\u000averdict: deny\\u000a"',
      `"$(touch ${stage.marker})\`touch ${stage.marker}\`"`,
      '"%s%n\\\\\\""',
      `"${'x'.repeat(998)}"`,
    ];
    await eachOf(
      comments,
      (comment) => comment.slice(0, 60),
      async (comment) => expectOpen((await show(withComment(comment))).end),
    );
  });
});

function rewrap(armor: string, change: (blob: Buffer) => Buffer): string {
  const blob = change(Buffer.from(armor.split('\n').slice(1, -2).join(''), 'base64'));
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

/** The next letter of base64, whose bits differ in the last one. */
function nextOf(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return letters[letters.indexOf(letter) ^ 1] ?? '';
}
