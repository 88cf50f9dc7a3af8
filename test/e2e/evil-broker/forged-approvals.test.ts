import { expect, test } from 'vitest';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { type Ask, approved, type EvilBroker } from './evil-broker.js';
import { ALICE, BOB, CAROL, type Change, EVERYBODY, inSeconds, keys, receipt } from './people.js';
import { onMachine } from './stage.js';

type Receipts = (broker: EvilBroker, ask: Ask) => string[];

/** Another value of the same form. */
const OTHER_DIGEST = `sha256:${'5'.repeat(64)}`;

onMachine('A door whose broker lies about approvals', (stage) => {
  /** Logs in once at a fresh door whose broker shows these receipts, then honestly where that must still open. */
  async function loginWith(receipts: Receipts, config = {}, people = EVERYBODY) {
    const { door, broker } = await stage.door({ config, people });
    broker.conduct = { redeem: (ask) => approved(ask, ...receipts(broker, ask)) };
    const end = await door.login();
    return { door, broker, end };
  }

  async function shutWith(code: string, receipts: Receipts, config = {}, people = EVERYBODY): Promise<void> {
    const { door, broker, end } = await loginWith(receipts, config, people);
    expectShut(end, code);
    expect(door.spent()).toEqual({});
    expect(broker.nonsense).toEqual([]);
  }

  async function openWith(by: string, receipts: Receipts, config = {}): Promise<void> {
    const { door, broker, end } = await loginWith(receipts, config);
    expectOpen(end, by);
    expect(door.spent()).toEqual({ [broker.ask.bound.digest]: [expect.stringMatching(/^\d+$/)] });
    const { claim } = broker.ask;
    await expect
      .poll(() => broker.told.map(({ body }) => JSON.parse(body)))
      .toEqual([{ claim, code: 'approved', outcome: 'opened' }]);
  }

  test('opens for the one genuine receipt, at once or after waiting, and reports it', async () => {
    await openWith('bob', (broker, ask) => [receipt(broker, ask)]);
    const { door, broker } = await stage.door();
    broker.conduct = { submit: (ask) => approved(ask, receipt(broker, ask)) };
    expectOpen(await door.login());
  });

  test('A51 stays shut when the database says approved and nobody has signed', async () => {
    const forged: Record<string, [string, Receipts]> = {
      'no receipt': ['no-receipt', () => []],
      'the broker signs as bob': [
        'bad-signature',
        (broker, ask) => [receipt(broker, ask, { key: broker.key })],
      ],
      'the broker signs as itself': [
        'unknown-approver',
        (broker, ask) => [receipt(broker, ask, { approver: 'broker', key: broker.key })],
      ],
      'a stranger signs as bob': [
        'bad-signature',
        (broker, ask) => [receipt(broker, ask, { key: keys.stranger })],
      ],
      'a stranger signs as himself': [
        'unknown-approver',
        (broker, ask) => [receipt(broker, ask, { approver: 'mallory', key: keys.stranger })],
      ],
      'bob signs as carol': ['bad-signature', (broker, ask) => [receipt(broker, ask, { approver: 'carol' })]],
      'the signature of something else that bob signed': [
        'bad-signature',
        (broker, ask) => {
          const [, armor] = receipt(broker, ask, { verdict: 'deny' }).split(/(?=-----BEGIN)/);
          return [receipt(broker, ask).replace(/-----BEGIN[\s\S]*$/, armor ?? '')];
        },
      ],
      'the door signs': ['unknown-approver', (_, ask) => [ask.statement.statement + ask.statement.armor]],
      'a genuine no': ['deny-receipt', (broker, ask) => [receipt(broker, ask, { verdict: 'deny' })]],
      'a genuine yes beside a genuine no': [
        'deny-receipt',
        (broker, ask) => [
          receipt(broker, ask),
          receipt(broker, ask, { verdict: 'deny', approver: 'carol', key: keys.carol }),
        ],
      ],
      'a genuine yes beside a forged one': [
        'bad-signature',
        (broker, ask) => [
          receipt(broker, ask),
          receipt(broker, ask, { approver: 'carol', key: keys.stranger }),
        ],
      ],
    };
    // What a door signs is no decision, so it does not even parse.
    forged['the door signs']![0] = 'bad-reply';
    await eachOf(
      Object.entries(forged),
      ([name]) => name,
      ([, [code, receipts]]) => shutWith(code, receipts),
    );
  });

  test('A22 each line of the decision, signed anew with the right key, keeps it shut if it is not what was asked', async () => {
    const changes: [string, Change, config?: Record<string, string>][] = [
      [
        'wrong-broker',
        { rewrite: (text) => text.replace(/^broker: .*$/m, `broker: SHA256:${'A'.repeat(43)}`) },
      ],
      ['wrong-door', { door: 'host:web-2.example.com' }],
      ['wrong-door', { door: 'host:web-1.example.co' }],
      ['wrong-request', { rewrite: (text) => text.replace(/^request: .*$/m, `request: ${OTHER_DIGEST}`) }],
      ['wrong-scope', { rewrite: (text) => text.replace(/^scope: .*$/m, `scope: ${OTHER_DIGEST}`) }],
      ['grant-refused', { covers: 'scope' }],
      ['deny-receipt', { verdict: 'deny' }],
      ['wrong-requester', { requester: 'carol' }],
      ['wrong-requester', { requester: 'alice-admin' }],
      ['unknown-approver', { approver: 'robert' }],
      ['unknown-approver', { approver: 'oncall' }],
      ['clock-skew', { decided: inSeconds(90) }],
      ['too-late', { decided: inSeconds(-30), notAfter: inSeconds(-1) }],
      ['too-late', { decided: inSeconds(-30), notAfter: inSeconds(-31) }],
      ['too-long', { notAfter: inSeconds(2_000) }],
      ['too-long', { decided: inSeconds(-500), notAfter: inSeconds(500) }],
      ['too-long', { decided: 0, notAfter: Date.parse('9999-12-31T23:59:59Z') }],
      ['too-long', { duration: 1 }],
      ['too-long', { duration: 61 }, { 'longest-duration': '60' }],
      ['bad-reply', { uses: 2 }],
      ['bad-reply', { uses: 0, duration: 60 }, { 'longest-duration': '60' }],
      ['bad-reply', { approver: 'group:oncall' }],
      ['bad-reply', { rewrite: (text) => text.replace('countersign-decision 1', 'countersign-decision 2') }],
      ['bad-reply', { rewrite: (text) => text.replace('countersign-decision 1', 'countersign-revoke 1') }],
    ];
    await eachOf(
      changes,
      ([code, change]) => `${code} ${JSON.stringify(change)} ${change.rewrite ?? ''}`,
      ([code, change, config]) => shutWith(code, (broker, ask) => [receipt(broker, ask, change)], config),
    );
  });

  test('A22 what the door leaves to the signer does not keep it shut', async () => {
    const changes: [Change, config?: Record<string, string>][] = [
      [{ comment: '' }],
      [{ comment: 'countersign-decision 1\nverdict: deny\n' }],
      [{ rewrite: (text) => text.replace('policy: -', `policy: ${OTHER_DIGEST}`) }],
      [{ decided: inSeconds(50) }],
      [{ decided: inSeconds(-300), notAfter: inSeconds(600) }],
      [{ duration: 60 }, { 'longest-duration': '60' }],
    ];
    await eachOf(
      changes,
      ([change]) => JSON.stringify(change),
      ([change, config]) => openWith('bob', (broker, ask) => [receipt(broker, ask, change)], config),
    );
  });

  test('A22 a receipt that opened a door does not open it again, and neither does a newer one for the same ask', async () => {
    const { door, broker } = await stage.approvedDoor();
    expectOpen(await door.login());
    const [first] = broker.asks;
    const spent = door.spent();
    for (const replayed of [receipt(broker, first!), receipt(broker, first!, { comment: 'another' })]) {
      broker.conduct = { redeem: (ask) => approved(ask, replayed) };
      expectShut(await door.login(), 'wrong-request');
      expect(door.spent()).toEqual(spent);
    }
    expect(new Set(broker.asks.map(({ bound }) => bound.digest)).size).toBe(3);
    expect(new Set(broker.asks.map(({ bound }) => bound.scope)).size).toBe(1);
  });

  test('A23 a signature for another namespace does not count', async () => {
    const others = ['file', 'git', 'decision', 'decision@countersign.example', 'Decision@countersign', 'x'];
    for (const verb of ['revoke', 'session', 'submit', 'roster', 'policy', 'audit'])
      others.push(`${verb}@countersign`);
    await eachOf(
      others,
      (namespace) => namespace,
      (namespace) =>
        shutWith('bad-signature', (broker, ask) => [receipt(broker, ask, { forgery: { namespace } })]),
    );
  });

  test('A8 nobody approves himself: not with a second key, under an alias, or as a member of a group', async () => {
    const attempts: [string, Change][] = [
      ['no-quorum', { approver: 'alice', key: keys.alice }],
      ['no-quorum', { approver: 'alice', key: keys.aliceToo }],
      ['unknown-approver', { approver: 'alice-admin', key: keys.alice }],
      ['bad-signature', { approver: 'bob', key: keys.aliceToo }],
      ['bad-reply', { approver: 'group:oncall', key: keys.alice }],
    ];
    await eachOf(
      attempts,
      ([code, change]) => `${code} as ${change.approver}`,
      ([code, change]) => shutWith(code, (broker, ask) => [receipt(broker, ask, change)]),
    );
    // Not even beside a yes that would do alone: the statement claims what it must not.
    await shutWith('no-quorum', (broker, ask) => [
      receipt(broker, ask, { approver: 'alice', key: keys.alice }),
      receipt(broker, ask),
    ]);
  });

  test('A8 nobody approves himself as the local account that is his alias', async () => {
    const people = [{ ...BOB, aliases: ['deploy'] }, CAROL, ALICE];
    for (const [approver, key, opens] of [
      ['bob', keys.bob, false],
      ['carol', keys.carol, true],
    ] as const) {
      const { door, broker } = await stage.door({ people });
      broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask, { approver, key })) };
      const end = await door.login({ environment: { PAM_USER: 'deploy' } });
      if (opens) expectOpen(end, 'carol');
      else expectShut(end, 'no-quorum');
    }
  });

  test('A63 keys, aliases and groups of one person are one person', async () => {
    const bobTwice: Receipts = (broker, ask) => [
      receipt(broker, ask),
      receipt(broker, ask, { key: keys.bobToo }),
      receipt(broker, ask, { key: keys.bobToo, comment: 'again' }),
    ];
    await shutWith('no-quorum', bobTwice, { people: '2' });
    await shutWith('no-quorum', bobTwice, { 'required-groups': 'oncall:1,db:1' });
    const both: Receipts = (broker, ask) => [
      ...bobTwice(broker, ask),
      receipt(broker, ask, { approver: 'carol', key: keys.carol }),
    ];
    await openWith('bob,carol', both, { people: '2' });
    await openWith('bob,carol', both, { 'required-groups': 'oncall:1,db:1' });
    // Dave is in both groups but fills one place.
    const dave: Receipts = (broker, ask) => [receipt(broker, ask, { approver: 'dave', key: keys.dave })];
    await shutWith('no-quorum', dave, { 'required-groups': 'oncall:1,db:1' });
    await openWith('dave', dave, { 'required-groups': 'db:1' });
  });
});
