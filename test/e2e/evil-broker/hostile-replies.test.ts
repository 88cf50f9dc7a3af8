import { expect, test } from 'vitest';
import type { ReplyState } from '../../../src/protocol/text-reply.js';
import { parseTextReply } from '../../../src/protocol/text-reply.js';
import { eachOf } from './cases.js';
import { type Configuration, expectOpen, expectShut } from './door.js';
import { type Ask, approved, type EvilBroker, type Reply, reply } from './evil-broker.js';
import { receipt } from './people.js';
import { onMachine } from './stage.js';

/**
 * Texts that some shell, somewhere, would run, expand, compute with, or take for an option, a format or a date; one
 * character a byte. MARKER is the file that appears if one of them runs.
 */
const HOSTILE = [
  'x[$(touch MARKER)]',
  "';touch MARKER;'",
  '\0',
  '\r',
  '-oX',
  '%n%s%n',
  'tomorrow',
  '08',
  '\xc3\xa9',
  '\xe9',
  '\x1b]0;x\x07',
  '*',
  '../../../../etc/passwd',
  '',
];
/** Lines of a reply with one receipt of an Ed25519 key: head and blank line, statement, armor. */
const LINES = 7 + 16 + 6;

type Edit = (line: string) => string;

onMachine('A door whose broker sends hostile bytes', (stage) => {
  /** Logs in at a fresh door that gets this as the answer to its ask, or else, after some waiting, to its claim. */
  async function answerWith(
    make: (ask: Ask, broker: EvilBroker) => Reply,
    { config = {}, to = 'redeem' }: { config?: Configuration; to?: 'submit' | 'redeem' } = {},
  ) {
    const { door, broker } = await stage.door({ config });
    broker.conduct = { [to]: (ask: Ask) => make(ask, broker) };
    const end = await door.login();
    return { door, broker, end };
  }

  /** What the TypeScript parser makes of the same bytes says what the door must do with them. */
  async function editLine(index: number, edit: Edit): Promise<void> {
    let genuine = '';
    let sent = '';
    const { door, end } = await answerWith(
      (ask, broker) => {
        // A changed statement is signed anew, so that nothing but the parser stands in its way.
        const rewrite = (statement: string): string => editIn(statement, index - 7, edit);
        genuine = approved(ask, receipt(broker, ask));
        sent = approved(ask, receipt(broker, ask, index >= 7 && index < 23 ? { rewrite } : {}));
        if (index < 7 || index >= 23) sent = editIn(sent, index, edit);
        return Buffer.from(sent, 'latin1');
      },
      { to: index % 2 === 0 ? 'submit' : 'redeem' },
    );
    expect(genuine.split('\n')).toHaveLength(LINES + 1);
    const line = genuine.split('\n')[index] ?? '';
    const isLeftToTheBroker = edit(line) === line || (parses(sent) && index < 7);
    if (isLeftToTheBroker) expectOpen(end);
    else if (!parses(sent)) expectShut(end, 'bad-reply');
    else expectShut(end, /^(wrong-door|wrong-requester|unknown-approver|bad-signature)$/);
    expect(door.uses).toBe(isLeftToTheBroker ? 1 : 0);
  }

  for (const hostile of HOSTILE) {
    test(`A52 ${JSON.stringify(hostile)} as the value of each line of the reply neither runs nor opens`, async () => {
      const text = hostile.replace('MARKER', stage.marker);
      await eachOf(
        Array.from({ length: 23 }, (_, index) => index).filter((index) => index !== 6),
        (index) => `line ${index + 1}`,
        (index) => editLine(index, (line) => `${/^(?:countersign\S* |\S+: )/.exec(line)?.[0] ?? ''}${text}`),
      );
    });
  }

  test('A52 the same texts in the place of whole lines, and around them, neither run nor open', async () => {
    const edits: Edit[] = [
      () => `x[$(touch ${stage.marker})]`,
      () => '-----END SSH SIGNATURE-----',
      (line) => `${line}\r`,
      (line) => `${line}\0`,
      (line) => ` ${line}`,
    ];
    const cases = edits.flatMap((edit) => Array.from({ length: LINES }, (_, index) => ({ index, edit })));
    await eachOf(
      cases,
      ({ index, edit }) => `line ${index + 1}: ${edit}`,
      ({ index, edit }) => editLine(index, edit),
    );
  });

  test('A52 lines left out, doubled or swapped, and text before and after, do not open', async () => {
    const edits: ((text: string) => string)[] = [
      (text) => `${text}\n`,
      (text) => `${text}x`,
      (text) => `${text}\0`,
      (text) => `\n${text}`,
      (text) => `\xef\xbb\xbf${text}`,
      (text) => text.replaceAll('\n', '\r\n'),
      (text) => text.slice(0, -1),
      (text) => text.replace('hint: -\n', ''),
      (text) => text.replace('hint: -\n', 'hint: -\nhint: -\n'),
      (text) => text.replace('hint: -\n\n', 'hint: -\n'),
      (text) => text.replace('hint: -\n\n', 'hint: -\n\n\n'),
      (text) => text.replace(/^(watch: .*\n)(code: .*\n)/m, '$2$1'),
      (text) => text.replace('countersign/1 ', 'countersign/2 '),
      (text) => text.replace('approved', 'APPROVED'),
      (text) => text.replace('approved', 'approved approved'),
      (text) => text.replace('approved', 'active'),
      (text) => `${text}${text}`,
      (text) => text.replace(/[\s\S]*?\n\n/, ''),
      () => '',
      () => '\n'.repeat(65_536),
      () => 'OK',
      () => '{"status":"approved"}',
    ];
    await eachOf(
      edits,
      (edit) => String(edit),
      async (edit) => {
        const { door, end } = await answerWith((ask, broker) =>
          Buffer.from(edit(approved(ask, receipt(broker, ask))), 'latin1'),
        );
        expectShut(end, 'bad-reply');
        expect(door.uses).toBe(0);
      },
    );
  });

  test('A52 the exit follows the state that the reply names, and genuine receipts below another state open nothing', async () => {
    const ends: [ReplyState, number][] = [
      ['denied', 2],
      ['expired', 3],
      ['lapsed', 3],
      ['cancelled', 4],
      ['revoked', 4],
      ['spent', 1],
      ['pending', 3],
    ];
    await eachOf(
      ends,
      ([state]) => state,
      async ([state, exit]) => {
        const { door, end } = await answerWith((ask, broker) => reply(state, ask, [receipt(broker, ask)]), {
          config: { wait: '2' },
        });
        expectShut(end, state === 'pending' ? 'waiting' : state);
        expect(end.exit).toBe(exit);
        expect(door.uses).toBe(0);
      },
    );
    const { end } = await answerWith((ask, broker) =>
      reply('error', ask, [receipt(broker, ask)], { code: 'internal' }),
    );
    expectShut(end, 'internal');
  });
});

function editIn(text: string, index: number, edit: Edit): string {
  const lines = text.split('\n');
  lines[index] = edit(lines[index] ?? '');
  return lines.join('\n');
}

function parses(text: string): boolean {
  try {
    parseTextReply(text);
    return true;
  } catch {
    return false;
  }
}
