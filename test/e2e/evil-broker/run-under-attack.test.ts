import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeSoftwareKey } from '../../ssh/software-keys.js';
import { eachOf } from './cases.js';
import { answer, approved, EvilJsonBroker, type JsonAsk, type JsonReply } from './evil-json-broker.js';
import { type EvilRunEnd, RunVictim } from './evil-run.js';
import { peakMemory } from './memory.js';
import {
  ALICE,
  BOB,
  CAROL,
  type Change,
  DAVE,
  EVERYBODY,
  inSeconds,
  keys,
  type Person,
  receipt,
  signersFile,
} from './people.js';

type Settings = Readonly<Record<string, string>>;
type Receipts = (broker: EvilJsonBroker, ask: JsonAsk) => string[];

const OTHER = `sha256:${'5'.repeat(64)}`;
const token = makeSoftwareKey('sk-ssh-ed25519@openssh.com');
const PEOPLE = [ALICE, { ...BOB, keys: [...BOB.keys, token] }, CAROL, DAVE];
const carol: Change = { approver: 'carol', key: keys.carol };
const dave: Change = { approver: 'dave', key: keys.dave };
const line = (name: string, value: string): Change => ({
  rewrite: (text) => text.replace(new RegExp(`^${name}: .*$`, 'm'), `${name}: ${value}`),
});
const signedBy =
  (...changes: Change[]): Receipts =>
  (broker, ask) =>
    (changes.length === 0 ? [{}] : changes).map((change) => receipt(broker, ask, change));

let directory = '';
/** A file that exists as soon as some hostile text has been run as code. */
let marker = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-marker-'));
  marker = join(directory, 'marker');
});
afterEach(() => {
  expect(existsSync(marker), 'hostile text has been run').toBe(false);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function victim(settings: Settings = {}, people: readonly Person[] = EVERYBODY) {
  const broker = await new EvilJsonBroker().start();
  const user = new RunVictim(broker, settings, people);
  onTestFinished(async () => {
    await broker.stop();
    user.remove();
  });
  return { broker, user };
}

/** One error, one hint, in printable ASCII but for the marks of what others wrote. */
function expectError({ code, stderr }: EvilRunEnd, exit = 121): void {
  expect({ code, stderr }).toEqual({
    code: exit,
    stderr: expect.stringMatching(/(?:^|\n)countersign: error: [^\n]+\nhint: [^\n]+\n$/),
  });
  expect(stderr).not.toMatch(/[\0-\x09\x0b-\x1f\x7f]/);
}

/** `run` is shown these receipts, runs nothing, and reports this word. */
async function shutWith(code: string, receipts: Receipts, settings: Settings = {}, people = PEOPLE) {
  const { broker, user } = await victim(settings, people);
  broker.conduct = { redeem: (ask) => approved(ask, ...receipts(broker, ask)) };
  expectError(await user.start().end);
  expect(broker.told.map(({ outcome, code }) => [outcome, code])).toEqual([['refused', code]]);
  expect([user.ran, user.uses]).toEqual([0, 0]);
}

async function openWith(receipts: Receipts, settings: Settings = {}, people = PEOPLE) {
  const { broker, user } = await victim(settings, people);
  broker.conduct = { redeem: (ask) => approved(ask, ...receipts(broker, ask)) };
  const end = await user.start().end;
  expect([end.code, user.ran, user.uses], end.stderr).toEqual([0, 1, 1]);
  expect(broker.told.map(({ outcome, code }) => [outcome, code])).toEqual([['opened', 'approved']]);
}

describe('a command whose broker lies about approvals', () => {
  test('runs for the one genuine receipt', () => openWith(signedBy()));

  const lies: [attack: string, code: string, Receipts, Settings?][] = [
    ['A51', 'no-receipt', () => []],
    ['A51', 'bad-signature', (broker, ask) => [receipt(broker, ask, { key: broker.key })]],
    [
      'A51',
      'unknown-approver',
      (broker, ask) => [receipt(broker, ask, { approver: 'broker', key: broker.key })],
    ],
    ['A51', 'bad-signature', signedBy({ key: keys.stranger })],
    ['A51', 'bad-signature', signedBy({ approver: 'carol' })],
    ['A51', 'deny-receipt', signedBy({ verdict: 'deny' })],
    ['A51', 'deny-receipt', signedBy({}, { ...carol, verdict: 'deny' })],
    ['A51', 'bad-signature', signedBy({}, { ...carol, key: keys.stranger })],
    ['A23', 'bad-signature', signedBy({ forgery: { namespace: 'git' } })],
    ['A22', 'wrong-broker', signedBy(line('broker', `SHA256:${'A'.repeat(43)}`))],
    ['A22', 'wrong-door', signedBy({ door: 'run:other' })],
    ['A22', 'wrong-request', signedBy(line('request', OTHER))],
    ['A22', 'wrong-scope', signedBy(line('scope', OTHER))],
    ['A22', 'wrong-requester', signedBy({ requester: 'carol' })],
    ['A22', 'too-late', signedBy({ decided: inSeconds(-600), notAfter: inSeconds(-1) })],
    ['A22', 'clock-skew', signedBy({ decided: inSeconds(300) })],
    ['A8', 'no-quorum', signedBy({ approver: 'alice', key: keys.alice })],
    ['A53', 'grant-refused', signedBy({ covers: 'scope' })],
    ['A53', 'mixed-receipts', signedBy({ covers: 'scope' }, carol), { grants: 'yes', people: '2' }],
    ['A55', 'no-quorum', signedBy({}, { key: keys.bobToo }), { people: '2' }],
    ['A56', 'no-quorum', signedBy(), { requester: 'deploy' }],
    ['A58', 'no-touch', signedBy({ key: token, forgery: { flags: 0 } }), { touch: 'yes' }],
    ['A58', 'no-touch', signedBy(), { touch: 'yes' }],
    ['A59', 'malformed-receipt', (broker, ask) => [twice(receipt(broker, ask))]],
    ['A59', 'malformed-receipt', (broker, ask) => [`${receipt(broker, ask)}x`]],
    ['A59', 'malformed-receipt', (broker, ask) => [receipt(broker, ask) + receipt(broker, ask, carol)]],
    ['A59', 'malformed-statement', signedBy({ rewrite: (text) => `${text}comment: ""\n` })],
    ['A59', 'malformed-receipt', (broker, ask) => [receipt(broker, ask).replaceAll('\n', '\r\n')]],
    [
      'A59',
      'deny-receipt',
      signedBy({ verdict: 'deny', comment: 'countersign-decision 1\nverdict: approve\n' }),
    ],
    ['A61', 'too-long', signedBy({ notAfter: Date.parse('2099-12-31T23:59:59Z') })],
    ['A61', 'too-long', signedBy({ duration: 1 })],
    ['A61', 'no-quorum', signedBy(carol), { 'required-groups': 'oncall:1' }],
  ];
  test.each([...new Set(lies.map(([attack]) => attack))])(
    '%s runs nothing, and says and reports why',
    async (attack) => {
      await eachOf(
        lies.filter(([known]) => known === attack),
        ([, code, receipts, settings]) => `${code} ${receipts} ${JSON.stringify(settings ?? {})}`,
        ([, code, receipts, settings]) => shutWith(code, receipts, settings),
      );
    },
  );

  test('A56 A58 A55 runs for what is genuine where more is asked for', async () => {
    await openWith(signedBy({}, carol), { requester: 'deploy' });
    await openWith(signedBy({ key: token, forgery: { flags: 1 } }), { touch: 'yes' });
    await openWith(signedBy({}, dave), { 'required-groups': 'oncall:1,db:1' });
  });

  test('A15 A57 holds it to who may approve when the approval comes, and to the keys that are revoked by then', async () => {
    const revoked = join(directory, 'revoked');
    writeFileSync(revoked, '', { mode: 0o600 });
    const changes: Readonly<Record<string, (signers: string) => void>> = {
      'unknown-approver': (signers) => writeFileSync(signers, signersFile([ALICE, CAROL])),
      'revoked-key': () => writeFileSync(revoked, `${keys.bob.line}\n`),
    };
    for (const [code, change] of Object.entries(changes)) {
      const { broker, user } = await victim({ 'revoked-keys': revoked });
      broker.conduct = {
        redeem: (ask) => {
          change(join(user.directory, 'config/countersign/signers'));
          return approved(ask, receipt(broker, ask));
        },
      };
      expectError(await user.start().end);
      expect([broker.told.map(({ code }) => code), user.ran]).toEqual([[code], 0]);
    }
  });

  test('A54 takes no receipt of another door or another broker', async () => {
    const brokers = [await victim(), await victim()];
    const users = brokers.flatMap(({ broker }) =>
      ['run:a', 'run:b'].map((door) => ({ broker, door, user: new RunVictim(broker, { door }) })),
    );
    onTestFinished(() => {
      for (const { user } of users) user.remove();
    });
    // All ask first; then each is shown the receipt of the next one, which is that of another door or broker.
    const receipts = new Map<string, string>();
    let allAsked: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      allAsked = resolve;
    });
    for (const { broker } of brokers) {
      broker.conduct = {
        redeem: async (ask) => {
          const index = users.findIndex(
            (one) => one.broker === broker && one.door === ask.bound.document.door,
          );
          receipts.set(String(index), receipt(broker, ask));
          if (receipts.size === users.length) allAsked();
          await asked;
          return approved(ask, receipts.get(String((index + 1) % users.length)) ?? '');
        },
      };
    }
    for (const end of await Promise.all(users.map(({ user }) => user.start().end))) expectError(end);
    expect(users.map(({ user }) => user.ran)).toEqual([0, 0, 0, 0]);
    for (const { broker } of brokers)
      for (const { code } of broker.told) expect(code).toMatch(/^wrong-(?:broker|door)$/);
  });

  test('A22 A53 a receipt that opened once opens no other run, and neither does a newer one for the same ask', async () => {
    const { broker, user } = await victim();
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
    expect((await user.start().end).code).toBe(0);
    const [first] = broker.asks;
    for (const replayed of [receipt(broker, first!), receipt(broker, first!, { comment: 'another' })]) {
      broker.conduct = { redeem: (ask) => approved(ask, replayed) };
      expectError(await user.start().end);
      expect([user.ran, user.uses]).toEqual([1, 1]);
    }
    expect(new Set(broker.asks.map(({ bound }) => bound.scope)).size).toBe(1);
  });

  test('A53 a grant opens until a second before its end, and not from then on; a clock set back stays shut', async () => {
    const { broker, user } = await victim({ grants: 'yes', 'longest-duration': '3600' });
    let grant = '';
    broker.conduct = {
      redeem: (ask) => {
        grant ||= receipt(broker, ask, { covers: 'scope', uses: 0, duration: 3600 });
        return approved(ask, grant);
      },
    };
    expect((await user.start().end).code).toBe(0);
    expect((await user.start([], 3500).end).code).toBe(0);
    expectError(await user.start([], 3600).end);
    expectError(await user.start().end);
    expect([user.ran, user.uses]).toEqual([2, 2]);
    expect(broker.told.map(({ code }) => code)).toEqual([
      'approved',
      'approved',
      // It asks anew, once, and is shown the same.
      'grant-ended',
      'grant-ended',
      'clock-back',
    ]);
  });

  /** A door that has run once for a grant; its broker answers each later ask with that at once, so many times, then as usual. */
  async function granted(change: Change, times: number, later: Change = {}) {
    const { broker, user } = await victim({ grants: 'yes', 'longest-duration': '3600' });
    const scope = { covers: 'scope', ...change } as const;
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask, scope)) };
    expect((await user.start().end).code).toBe(0);
    const [first] = broker.asks;
    const grant = receipt(broker, first!, { ...scope, ...later });
    const under = new Set<string>();
    broker.conduct = {
      submit: (ask) => {
        if (under.size < times) under.add(ask.id);
        return answer(ask, under.has(ask.id) ? 'approved' : 'pending');
      },
      redeem: (ask) => approved(ask, under.has(ask.id) ? grant : receipt(broker, ask)),
    };
    return { broker, user };
  }

  test('A53 a later equal ask runs under the grant, which counts it', async () => {
    const { broker, user } = await granted({ uses: 2, duration: 600 }, 1);
    expect((await user.start().end).code).toBe(0);
    expect([user.ran, user.uses]).toEqual([2, 2]);
    expect(new Set(broker.asks.map(({ bound }) => bound.digest)).size).toBe(2);
    expect(broker.told.map(({ code }) => code)).toEqual(['approved', 'approved']);
  });

  test('A53 a grant that is used up or over is dropped, said so, and asked for anew, once', async () => {
    const ended = { decided: inSeconds(-60), notAfter: inSeconds(-1) };
    const ends: [string, Change, Change, number][] = [
      ['spent', { uses: 1, duration: 600 }, {}, 0],
      ['grant-ended', { uses: 0, duration: 60 }, {}, 61],
      ['too-late', { uses: 2 }, ended, 0],
    ];
    await eachOf(
      ends,
      ([code]) => code,
      async ([code, change, later, shift]) => {
        const { broker, user } = await granted(change, 1, later);
        const end = await user.start([], shift).end;
        expect(end.code, end.stderr).toBe(0);
        expect(end.stderr).toContain('; asking anew\n');
        expect([user.ran, broker.asks.length]).toEqual([2, 3]);
        expect(broker.told.map((told) => told.code)).toEqual(['approved', code, 'approved']);
      },
      3,
    );
  });

  test('A53 a broker that shows a grant again which is used up is not asked in a loop', async () => {
    const { broker, user } = await granted({ uses: 1, duration: 600 }, 9);
    expectError(await user.start().end);
    expect([user.ran, user.uses, broker.asks.length]).toEqual([1, 1, 3]);
  });

  test('A53 the last use of a grant opens for one of two runs at once', async () => {
    const { user } = await granted({ uses: 2, duration: 600 }, 9);
    const codes = (await Promise.all([user.start().end, user.start().end])).map(({ code }) => code);
    expect(codes.sort()).toEqual([0, 121]);
    expect([user.ran, user.uses]).toEqual([2, 2]);
  });

  test('A61 a deny that is hidden can open only within the time of the yes before it', async () => {
    for (const [shift, opens] of [
      [580, true],
      [600, false],
    ] as const) {
      const { broker, user } = await victim();
      broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask)) };
      const end = await user.start([], shift).end;
      if (opens) expect(end.code, end.stderr).toBe(0);
      else expectError(end);
      expect(user.ran).toBe(opens ? 1 : 0);
    }
  });
});

describe('many runs at once, and killed ones', () => {
  test('A55 four approvals of a two-person ask open one of eight runs', async () => {
    const { broker, user } = await victim({ people: '2' }, PEOPLE);
    // One ask that all of them find.
    broker.conduct = { redeem: (ask) => answer(ask, 'pending') };
    expect((await user.start(['--wait', '1']).end).code).toBe(123);
    const [ask] = broker.asks;
    const quorums = [
      [{ decided: inSeconds(45) }, { ...carol, decided: inSeconds(-45) }],
      [dave, { ...carol, comment: 'again' }],
    ];
    let turn = 0;
    broker.conduct = {
      redeem: (known) => {
        if (known.id !== ask?.id) return answer(known, 'pending');
        turn += 1;
        return approved(known, ...(quorums[turn % 2] ?? []).map((change) => receipt(broker, known, change)));
      },
    };
    const ends = await Promise.all(Array.from({ length: 8 }, () => user.start(['--wait', '1']).end));
    expect(ends.map(({ code }) => code).sort()).toEqual([0, ...Array(7).fill(123)]);
    expect([user.ran, user.uses]).toEqual([1, 1]);
  });

  test('A55 a run that is killed at any time never lets its approval open twice', async () => {
    await eachOf(
      [0, 10, 30, 60, 100],
      (delay) => `killed after ${delay} ms`,
      async (delay) => {
        const { broker, user } = await victim();
        const run = user.start();
        broker.conduct = {
          redeem: (ask) => {
            setTimeout(run.kill, delay);
            return approved(ask, receipt(broker, ask));
          },
        };
        await run.end;
        const [ask] = broker.asks;
        // The broker plays the same approval to whoever comes, under the same ask where it is asked for.
        broker.conduct = {
          read: (known) => answer(known, 'redeemed'),
          redeem: (known) =>
            known.id === ask?.id ? approved(known, receipt(broker, known)) : answer(known, 'pending'),
        };
        await user.start(['--wait', '1']).end;
        expect(user.ran).toBeLessThanOrEqual(1);
        expect(user.uses).toBe(1);
      },
      4,
    );
  });
});

describe('a command whose broker sends hostile replies', () => {
  /** Those that schemas refuse by their form need not all be tried in each place. */
  const hostile = (place = ''): string[] =>
    ['the end', 'a receipt', 'the whole reply', ''].includes(place) ? texts() : texts().slice(0, 4);
  const texts = (): string[] => [
    `x[$(touch ${marker})]`,
    `';touch ${marker};'`,
    '\0',
    '\r',
    '-oX',
    '%n%s%n',
    'tomorrow',
    '08',
    'é',
    '\u202e',
    '\x1b]0;x\x07',
    '../../../../etc/passwd',
    '',
    'A'.repeat(100_000),
  ];
  /** Ways to put a text into a reply that would open otherwise. */
  const places: [string, (ask: JsonAsk, genuine: string, text: string) => JsonReply][] = [
    ['the id', (ask, genuine, text) => ({ ...approved(ask, genuine), id: text })],
    ['the digest', (ask, genuine, text) => ({ ...approved(ask, genuine), digest: text })],
    ['the watch token', (ask, genuine, text) => ({ ...approved(ask, genuine), watch: text })],
    ['the state', (ask, genuine, text) => answer(ask, text, [genuine])],
    ['the end', (ask, genuine, text) => answer(ask, 'denied', [genuine], { endedBy: text })],
    ['a time', (ask, genuine, text) => ({ ...approved(ask, genuine), answerBy: text })],
    ['a receipt', (ask, _, text) => approved(ask, text)],
    ['a receipt more', (ask, genuine, text) => approved(ask, genuine, text)],
    ['the whole reply', (_ask, _genuine, text) => Buffer.from(text)],
  ];

  test.each(places)(
    'A52 as %s runs nothing that it names, and shows no control characters',
    async (what, place) => {
      await eachOf(
        hostile(what),
        (text) => JSON.stringify(text.slice(0, 40)),
        async (text) => {
          const { broker, user } = await victim();
          broker.conduct = { redeem: (ask) => place(ask, receipt(broker, ask), text) };
          const end = await user.start().end;
          expectError(end, what === 'the end' ? 122 : 121);
          expect([user.ran, user.uses]).toEqual([0, 0]);
        },
      );
    },
  );

  test('A52 while it waits, who approved and what is missing is shown with its tricks visible', async () => {
    const { broker, user } = await victim();
    const missing = hostile().slice(0, 11);
    broker.conduct = {
      submit: (ask) => answer(ask, 'pending', [], { missing }),
      redeem: (ask) => answer(ask, 'denied', [], { endedBy: `by \x1b[2J${missing.join()}` }),
    };
    expectError(await user.start().end, 122);
  });

  test('A52 a reply without end is cut off, and memory stays flat', async () => {
    const { broker, user } = await victim();
    broker.conduct = {
      redeem: () => (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const chunk = Buffer.alloc(1 << 20, ' ');
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', more);
        more();
      },
    };
    const run = user.start();
    const [memory, end] = await Promise.all([peakMemory(run.pid), run.end]);
    expectError(end);
    expect(memory).toBeLessThan(300 * 1024 * 1024);
    expect(user.ran).toBe(0);
  });

  test('A52 the exit follows the state, and genuine receipts below another state open nothing', async () => {
    await eachOf(
      [
        ['denied', 122],
        ['expired', 123],
        ['lapsed', 123],
        ['cancelled', 124],
        ['revoked', 124],
        ['approved', 121],
      ] as const,
      ([state]) => state,
      async ([state, exit]) => {
        const { broker, user } = await victim();
        broker.conduct = { redeem: (ask) => answer(ask, state, [receipt(broker, ask)]) };
        expectError(await user.start().end, exit);
        expect([user.ran, user.uses]).toEqual([0, 0]);
      },
    );
    const { broker, user } = await victim();
    broker.conduct = { redeem: (ask) => answer(ask, 'pending', [receipt(broker, ask)]) };
    expect((await user.start(['--wait', '1']).end).code).toBe(123);
    expect(user.ran).toBe(0);
  });

  test('A8 A41 the requester alone opens what the own configuration allows, after its own delay', async () => {
    const alone = { 'alone-group': 'oncall', 'alone-after': '900' };
    const { broker, user } = await victim(alone, [{ ...ALICE, groups: ['oncall'] }, BOB]);
    const comment = 'INC-4312: nobody answers and the shop is down';
    broker.conduct = {
      redeem: (ask) =>
        approved(
          ask,
          receipt(broker, ask, { approver: 'alice', key: keys.alice, comment, notAfter: inSeconds(1700) }),
        ),
      read: (ask) => answer(ask, 'redeemed'),
    };
    const early = await user.start().end;
    expectError(early, 123);
    expect(early.stderr).toContain('nobody opens alone before');
    expect([user.ran, user.uses, broker.told]).toEqual([0, 0, []]);
    user.age(900);
    expect((await user.start().end).stderr).toContain('opened alone by alice');
    expect([user.ran, user.uses, broker.asks.length]).toEqual([1, 1, 1]);
    expect(broker.told.map(({ outcome, code }) => [outcome, code])).toEqual([['opened', 'alone']]);
  });

  test.each([
    ['while it waits', 'denied'],
    ['while it waits', 'revoked'],
    ['when it comes back', 'denied'],
    ['when it comes back', 'revoked'],
  ])(
    'A27 A61 what the broker says %s to be %s opens nothing, whatever it says later',
    async (when, state) => {
      const { broker, user } = await victim({ grants: 'yes', 'longest-duration': '3600' });
      const said = (ask: JsonAsk) => answer(ask, state);
      broker.conduct =
        when === 'while it waits' ? { redeem: said } : { redeem: (ask) => answer(ask, 'pending') };
      expect((await user.start(['--wait', '1']).end).code).not.toBe(0);
      const { ask: refused } = broker;
      const grant = receipt(broker, refused, { covers: 'scope', duration: 3600, uses: 0 });
      broker.conduct = { read: said, redeem: (ask) => approved(ask, grant) };
      const end = await user.start().end;
      expectError(end);
      expect(end.stderr).toContain('the approval is used up');
      expect([user.ran, user.uses]).toEqual([0, 0]);
    },
  );
});

function twice(text: string): string {
  return text + text.slice(text.indexOf('-----BEGIN'));
}
