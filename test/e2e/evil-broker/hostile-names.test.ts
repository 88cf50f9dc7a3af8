import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatSignedText } from '../../../src/protocol/receipt.js';
import { parseSubmit } from '../../../src/protocol/statements.js';
import { verifySignature } from '../../../src/ssh/signature.js';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { approved, reply } from './evil-broker.js';
import { keys, receipt } from './people.js';
import { onMachine } from './stage.js';

const VARIABLES = ['PAM_RHOST', 'PAM_RUSER', 'PAM_TTY'] as const;

const controls = Array.from({ length: 31 }, (_, index) => String.fromCharCode(index + 1)).join('');

/** Texts that are UTF-8: they must arrive as they are. */
const texts = (marker: string): string[] =>
  [
    '"',
    '\\',
    '\\"},{"',
    '","user":"root',
    "'",
    '`touch MARKER`',
    '$(touch MARKER)',
    'x[$(touch MARKER)]',
    ';touch MARKER;',
    '%s%n%(%Y)T',
    '& && & \\& \\0 \\1',
    '\\u0000\\n\\',
    '\n\ncountersign/1 approved -\n',
    'a\rb',
    '\x1b[2J\x1b]0;title\x07',
    controls,
    '\x7f',
    'é ß Ω я 字 🙂',
    '\u0080\u0085\u200b\u202e\u2028\u2029\ufeff\u{10fffd}',
    'e\u0301',
    '-oProxyCommand=x',
    '--',
    '*',
    '?[a-z]{1,2}~',
    ' leading and trailing ',
    '',
    '__proto__',
    '0',
    'null',
    'x'.repeat(1024),
    '"'.repeat(1024),
    '\x01'.repeat(1024),
    'é'.repeat(512),
  ].map((text) => text.replace('MARKER', marker));

/** Bytes that are not. */
const NOT_TEXT: readonly number[][] = [
  [0x80],
  [0xff],
  [0xfe, 0xff],
  [0xc3],
  [0xc3, 0x28],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xe0, 0x80, 0xaf],
  [0xe0, 0x9f, 0xbf],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xe2, 0x82],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0x61, 0xe9, 0x62],
  [0x22, 0x80, 0x22],
];

onMachine('A door that is told hostile names', (stage) => {
  async function deniedDoor() {
    const made = await stage.door();
    made.broker.conduct = { submit: (ask) => reply('denied', ask) };
    return made;
  }

  test('text in PAM_RHOST, PAM_RUSER and PAM_TTY reaches the broker as it is, in a document that the host has signed', async () => {
    await eachOf(
      texts(stage.marker),
      (text) => JSON.stringify(text.slice(0, 60)),
      async (text) => {
        const { door, broker } = await deniedDoor();
        const environment = Object.fromEntries(VARIABLES.map((name) => [name, text]));
        expectShut(await door.login({ environment: { ...environment, PAM_SERVICE: 'login' } }), 'denied');
        const { bound, statement } = broker.ask;
        expect(bound.document).toMatchObject({
          action: 'pam.login',
          requester: 'alice',
          details: { ruser: text, service: 'login', source: text, tty: text, user: 'alice' },
        });
        // That it parsed says that it is strict JSON; that it is signed as it was sent, that it is in canonical form.
        expect(parseSubmit(statement.statement)).toMatchObject({ request: bound.digest });
        verifySignature(statement.statement, statement.armor, 'submit@countersign');
        expect(formatSignedText(statement)).toMatch(/^countersign-submit 1\n/);
        expect(broker.nonsense).toEqual([]);
      },
    );
  });

  test('bytes that are no text, and names that are too long, keep the door shut, with one line of ASCII in the log', async () => {
    const long = ['x', '"', 'é', '\n', '$(x)'].map((text) =>
      Buffer.from(text.repeat(10_240 / Buffer.from(text).length)),
    );
    const values = [...NOT_TEXT.map((bytes) => Buffer.from(bytes)), Buffer.from('x'.repeat(1025)), ...long];
    await eachOf(
      values.flatMap((value, index) => [
        { name: VARIABLES[index % 3] ?? 'PAM_TTY', value },
        { name: 'PAM_USER', value },
      ]),
      ({ name, value }) => `${name} ${value.subarray(0, 8).toString('hex')} of ${value.length} bytes`,
      async ({ name, value }) => {
        const { door, broker } = await deniedDoor();
        expectShut(await door.login({ environment: { [name]: value } }), 'bad-name');
        expect(broker.asks).toEqual([]);
        expect(broker.nonsense).toEqual([]);
      },
    );
  });

  test('code points that are no characters, which JSON between machines must not hold, open nothing', async () => {
    for (const text of ['\uffff', '\ufffe', '\ufdd0', '\u{1ffff}', '\u{10ffff}']) {
      const { door, broker } = await stage.door({ config: { wait: '2' } });
      broker.conduct = { submit: (ask) => approved(ask, receipt(broker, ask)) };
      expect((await door.login({ environment: { PAM_RHOST: text } })).exit).toBe(1);
      expect(broker.asks).toEqual([]);
    }
  });

  test('a hostile name of nobody keeps the door shut', async () => {
    const names = texts(stage.marker).filter((text) => text !== '');
    names.push(
      '0',
      '+0',
      ' 0',
      '\t0',
      '\n0',
      '4001',
      '+4001',
      ' 4001',
      '-1',
      '0x0',
      '1e0',
      '4001 ',
      'alice\n',
      ' alice',
    );
    await eachOf(
      names,
      (name) => JSON.stringify(name.slice(0, 60)),
      async (name) => {
        const { door, broker } = await deniedDoor();
        expectShut(await door.login({ environment: { PAM_USER: name } }), /^(unknown-user|bad-name)$/);
        expect(broker.asks).toEqual([]);
      },
    );
  });

  test('an account of this machine with a hostile name is told by its number, and its name stands in the details', async () => {
    const names = [
      'x[$(touch MARKER)]',
      '$(touch MARKER)',
      '"\\',
      '*',
      '@',
      'é',
      'bob,carol',
      'group;x',
      '.',
      'a b',
    ];
    const accounts = names.map((name, index) => ({
      name: name.replace('MARKER', stage.marker),
      uid: 4100 + index,
    }));
    for (const { name, uid } of accounts)
      appendFileSync(stage.machine.etc('passwd'), `${name}:x:${uid}:${uid}::/:/bin/sh\n`);
    await eachOf(
      accounts,
      ({ name }) => name,
      async ({ name, uid }) => {
        const { door, broker } = await stage.door();
        broker.conduct = {
          redeem: (ask) =>
            approved(ask, receipt(broker, ask), receipt(broker, ask, { approver: 'carol', key: keys.carol })),
        };
        expectOpen(await door.login({ environment: { PAM_USER: name } }), 'bob,carol');
        const isName = /^[a-z0-9._@+-]+$/.test(name);
        expect(broker.ask.bound.document).toMatchObject({
          requester: isName ? name : `uid:${uid}`,
          details: { user: name },
        });
      },
    );
  });

  test('no variable of PAM leads the hook to another file, program or address', async () => {
    const { door } = await stage.approvedDoor();
    const environment = {
      SSH_CONNECTION: `x[$(touch ${stage.marker})] $(touch ${stage.marker}) ::1 22`,
      SSH_AUTH_INFO_0: `publickey $(touch ${stage.marker})`,
      PAM_AUTHTOK: `$(touch ${stage.marker})`,
    };
    expectOpen(await door.login({ environment }));
    for (const hostile of [
      '1 2 3 4',
      '::1 99999 ::1 08',
      '127.0.0.1 -1 127.0.0.1 0',
      'a.b 00000 c 00000\n',
      '',
    ]) {
      const end = await door.login({ environment: { SSH_CONNECTION: hostile } });
      expect([0, 4]).toContain(end.exit);
    }
  });
});
