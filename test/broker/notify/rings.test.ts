import { beforeEach, describe, expect, test } from 'vitest';
import { openLog } from '../../../broker/log.js';
import { Attendance } from '../../../broker/notify/attendance.js';
import type { CommandCall, Sent } from '../../../broker/notify/command.js';
import { Notifier } from '../../../broker/notify/notifier.js';
import { Rings } from '../../../broker/notify/rings.js';
import type { Request } from '../../../broker/requests/request.js';
import { changeRoster } from '../../../broker/roster/directory.js';
import type { Rule } from '../../../src/protocol/rule.js';
import { bind, keyEntry, keys, name, ruled, World } from '../requests/world.js';

const RULE: Partial<Rule> = {
  approvals: [
    {
      people: 2,
      groups: [
        { group: 'oncall', count: 1 },
        { group: 'db', count: 1 },
      ],
    },
  ],
  escalation: [
    { after: 0, groups: ['oncall'] },
    { after: 60, groups: ['db'] },
    { after: 120, groups: ['oncall', 'db'] },
  ],
  channel: '#prod',
};

let world: World;
let calls: CommandCall['variables'][];
let outcome: () => Sent;
let notifier: Notifier;
let rings: Rings;
let ringing: string[];
/** How many asks there were, so that each has a nonce of its own. */
let asked = 0;

/** What a new process makes of the same store. */
function start(): void {
  const { store } = world;
  const clock = () => world.now;
  const principals = () => world.principals;
  notifier = new Notifier({
    store,
    command: '/notify',
    clock,
    random: () => 0,
    principals,
    limits: { ringsPerRequester: 3, ringsPerSubmitter: 10 },
    log: openLog('silent').logger,
    count: () => {},
    run: async (_program, { variables }) => {
      calls.push(variables);
      return outcome();
    },
  });
  const attendance = new Attendance({ principals, attached: () => new Set(), notifies: () => true });
  world.notifyAt = (request, now) => notifier.dueFor(request, attendance, now);
  rings = new Rings({ store, principals, clock, onRinging: (_request, names) => ringing.push(names.join()) });
}

beforeEach(async () => {
  await open(RULE);
});

async function open(rule: Partial<Rule>): Promise<void> {
  world = new World(ruled(rule));
  calls = [];
  ringing = [];
  outcome = () => ({ ok: true, how: 'exit status 0', output: '' });
  const groups = { bob: ['oncall'], carol: ['db'], dave: ['oncall'] };
  for (const [who, own] of Object.entries(groups)) {
    const person = {
      name: name(who),
      aliases: [],
      groups: own.map(name),
      keys: [keyEntry(keys[who as 'bob' | 'carol' | 'dave'])],
    };
    await world.store.changeDirectory((current) => {
      const removed = changeRoster(current, { change: 'remove', name: name(who) }, world.now).directory;
      return changeRoster(removed, { change: 'add', person }, world.now);
    });
  }
  start();
}

const pass = async (seconds: number): Promise<void> => {
  world.now += seconds * 1000;
  notifier.tick(world.now);
  rings.tick(world.now);
  for (let turn = 0; turn < 3; turn += 1) await world.settled();
};
const ask = async (change: Parameters<typeof bind>[0] = {}): Promise<Request> => {
  asked += 1;
  const nonce = String(asked).padStart(32, '0');
  const { request } = await world.submit(bind({ nonce, ...change }));
  await pass(0);
  return request;
};
const approve = async (request: Request, approver: 'bob' | 'carol' | 'dave'): Promise<void> => {
  await world.requests.decide(
    request.id,
    world.decision(request, { approver: name(approver) }, keys[approver]),
  );
  await pass(0);
};
const rung = (): string[] => calls.map(({ COUNTERSIGN_RING: names }) => names ?? '');

describe('an escalation', () => {
  test('rings whom the rule names, in its order, each step once, and tells channel and step', async () => {
    const request = await ask();
    expect(calls[0]).toMatchObject({
      COUNTERSIGN_ID: request.id,
      COUNTERSIGN_RING: 'bob,dave',
      COUNTERSIGN_CHANNEL: '#prod',
      COUNTERSIGN_STEP: '1',
    });
    await pass(59);
    expect(rung()).toEqual(['bob,dave']);
    await pass(1);
    await pass(1);
    expect(rung()).toEqual(['bob,dave', 'carol']);
    await pass(60);
    await pass(30);
    expect(rung()).toEqual(['bob,dave', 'carol', 'bob,carol,dave']);
    expect(calls.map(({ COUNTERSIGN_STEP: step }) => step)).toEqual(['1', '2', '3']);
  });

  test('goes on after a restart where it was, and rings at once what became due meanwhile', async () => {
    await ask();
    start();
    await pass(0);
    expect(rung()).toEqual(['bob,dave']);
    world.now += 60_000;
    start();
    await pass(0);
    expect(rung()).toEqual(['bob,dave', 'carol']);
    start();
    await pass(30);
    expect(rung()).toHaveLength(2);
  });

  test('stops once the request has ended', async () => {
    const request = await ask();
    await approve(request, 'bob');
    await approve(request, 'carol');
    await pass(200);
    expect(rung()).toEqual(['bob,dave']);
    expect(world.store.deliveries()).toEqual([]);
  });

  test('does not ring a group that is no longer needed', async () => {
    const request = await ask();
    await approve(request, 'carol');
    await pass(60);
    expect(rung()).toEqual(['bob,dave']);
    await pass(60);
    expect(rung()).toEqual(['bob,dave', 'bob,dave']);
  });

  test('a step whose group has nobody rings everybody who could sign', async () => {
    await open({ ...RULE, escalation: [{ after: 0, groups: ['night-shift'] }] });
    await ask();
    expect(rung()).toEqual(['bob,carol,dave']);
  });

  test('a step that failed is tried again, together with the one that has begun since', async () => {
    outcome = () => ({ ok: false, how: 'exit status 1', output: '' });
    await ask();
    outcome = () => ({ ok: true, how: 'exit status 0', output: '' });
    await pass(60);
    expect(rung()).toEqual(['bob,dave', 'bob,carol,dave']);
    await pass(1);
    expect(rung()).toHaveLength(2);
  });

  test('is jumped once an approver has everybody rung: at once, and no step comes later', async () => {
    const request = await ask();
    await pass(10);
    await world.requests.escalate(request.id, name('bob'));
    await pass(0);
    expect(rung()).toEqual(['bob,dave', 'bob,carol,dave']);
    expect(calls[1]).toMatchObject({ COUNTERSIGN_ESCALATED_BY: 'bob', COUNTERSIGN_STEP: '1' });
    expect(calls[0]).toMatchObject({ COUNTERSIGN_ESCALATED_BY: '' });
    expect(ringing).toEqual(['bob,carol,dave']);
    expect(rings.of(await world.read(request.id))).toEqual(['bob', 'carol', 'dave']);
    await pass(200);
    expect(rung()).toHaveLength(2);
    expect(world.store.deliveries()).toEqual([]);
  });

  test('that is jumped goes past the pace, and is tried until it gets through, also after a restart (A32)', async () => {
    for (let number = 0; number < 3; number += 1) await ask({ resource: `r-${number}` });
    const request = await ask({ resource: 'late' });
    expect(calls).toHaveLength(3);
    outcome = () => ({ ok: false, how: 'exit status 1', output: '' });
    await world.requests.escalate(request.id, name('bob'));
    await pass(0);
    expect(calls).toHaveLength(4);
    outcome = () => ({ ok: true, how: 'exit status 0', output: '' });
    start();
    await pass(5);
    expect(rung().slice(3)).toEqual(['bob,carol,dave', 'bob,carol,dave']);
  });

  test('that is jumped is not done with by a later ring that tells how many more wait (A32)', async () => {
    await open({ ...RULE, escalation: null });
    for (let number = 0; number < 3; number += 1) await ask({ resource: `r-${number}` });
    const request = await ask({ resource: 'late' });
    const other = await ask({ resource: 'later' });
    outcome = () => ({ ok: false, how: 'exit status 1', output: '' });
    await pass(50);
    await world.requests.escalate(request.id, name('bob'));
    await pass(0);
    await pass(5);
    outcome = () => ({ ok: true, how: 'exit status 0', output: '' });
    await pass(5);
    await pass(1);
    await pass(4);
    expect(calls.slice(3).map(({ COUNTERSIGN_ID: id }) => id)).toEqual([
      request.id,
      request.id,
      other.id,
      request.id,
    ]);
  });

  test('that is jumped rings nobody who has signed', async () => {
    const request = await ask();
    await approve(request, 'bob');
    await world.requests.escalate(request.id, name('dave'));
    await pass(0);
    expect(rung()).toEqual(['bob,dave', 'carol']);
  });

  test('tells consoles who is rung, and when others are', async () => {
    const request = await ask();
    expect(rings.of(request)).toEqual(['bob', 'dave']);
    await pass(60);
    expect(ringing).toEqual(['bob,carol,dave']);
    const standing = await world.read(request.id);
    await approve(standing, 'bob');
    expect(ringing).toEqual(['bob,carol,dave', 'carol']);
    await approve(await world.read(request.id), 'carol');
    expect(rings.of(await world.read(request.id))).toBe(null);
  });
});

describe('without an escalation', () => {
  beforeEach(() => open({}));

  test('everybody who could sign is rung at once, and consoles are told of nobody in particular', async () => {
    const request = await ask();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      COUNTERSIGN_RING: 'bob,carol,dave',
      COUNTERSIGN_CHANNEL: '',
      COUNTERSIGN_STEP: '1',
      COUNTERSIGN_EQUAL: '1',
      COUNTERSIGN_MORE: '0',
    });
    expect(rings.of(request)).toBe(null);
  });

  test('consoles are told whom a rule with groups rings, and no step comes later', async () => {
    await open({ approvals: [{ people: 1, groups: [{ group: 'oncall', count: 1 }] }] });
    expect(rings.of(await ask())).toEqual(['bob', 'dave']);
    expect(rings.of(await ask({ requester: 'bob' }))).toEqual(['dave']);
    await pass(3600);
    expect(ringing).toEqual([]);
  });

  test('consoles are told of nobody in particular where the rule takes anybody beside its groups', async () => {
    await open({ approvals: [{ people: 2, groups: [{ group: 'oncall', count: 1 }] }] });
    expect(rings.of(await ask())).toBe(null);
  });

  test('whoever asked under an alias is not rung for that', async () => {
    expect(rings.of(await ask({ requester: 'alice' }))).toBe(null);
    expect(rings.of(await ask({ requester: 'alice-admin' }))).toEqual(['bob', 'carol', 'dave']);
  });

  test('a rule whose groups have nobody rings everybody on the consoles', async () => {
    await open({ approvals: [{ people: 1, groups: [{ group: 'night-shift', count: 1 }] }] });
    expect(rings.of(await ask())).toBe(null);
  });

  test('equal asks are rung once while one is pending (A31)', async () => {
    const first = await ask();
    await ask();
    await ask({ requester: 'alice' });
    expect(calls).toHaveLength(1);
    await world.requests.decide(first.id, world.decision(first, { verdict: 'deny' }));
    await pass(0);
    expect(calls).toHaveLength(1);
  });

  test('an equal ask is rung where the older one could not be', async () => {
    outcome = () => ({ ok: false, how: 'exit status 1', output: '' });
    const first = await ask();
    await ask();
    expect(calls).toHaveLength(1);
    outcome = () => ({ ok: true, how: 'exit status 0', output: '' });
    await world.requests.decide(first.id, world.decision(first, { verdict: 'deny' }));
    await pass(5);
    await pass(5);
    expect(calls).toHaveLength(2);
  });

  test('one requester under several aliases rings three times a minute, then once for all the rest (A31, A32)', async () => {
    for (let number = 0; number < 40; number += 1) {
      await ask({
        requester: ['alice', 'alice-admin', 'alice@example.com'][number % 3],
        resource: `r-${number}`,
      });
    }
    expect(calls).toHaveLength(3);
    await ask({ requester: 'carol' });
    expect(calls).toHaveLength(4);
    await pass(60);
    expect(calls).toHaveLength(5);
    expect(calls.at(-1)).toMatchObject({ COUNTERSIGN_MORE: '36' });
    expect(world.store.deliveries()).toEqual([]);
  });

  test('one submitter in many names rings ten times a minute, then once for all the rest (A32)', async () => {
    for (let number = 0; number < 30; number += 1) await ask({ requester: `m-${number}` });
    expect(calls).toHaveLength(10);
    await pass(60);
    expect(calls).toHaveLength(11);
    expect(calls.at(-1)).toMatchObject({ COUNTERSIGN_MORE: '19' });
  });

  test('what a failed ring would have told of is told by the next one', async () => {
    for (let number = 0; number < 6; number += 1) await ask({ resource: `r-${number}` });
    expect(calls).toHaveLength(3);
    outcome = () => ({ ok: false, how: 'exit status 1', output: '' });
    await pass(60);
    expect(calls).toHaveLength(4);
    outcome = () => ({ ok: true, how: 'exit status 0', output: '' });
    await pass(10);
    expect(calls.slice(4).some(({ COUNTERSIGN_MORE: more }) => more === '2')).toBe(true);
    expect(world.store.deliveries()).toEqual([]);
  });
});
