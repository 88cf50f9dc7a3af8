import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { parseRule } from '../../../src/protocol/rule.js';
import { newClaim, TestBroker } from '../test-broker.js';

const TWO = `version: 1
rules:
  - name: logins
    when: action == "ssh.login"
    approvals: { oncall: 1, db: 1 }
`;
const ONE = TWO.replace('{ oncall: 1, db: 1 }', '{ people: 1 }');
const BAD = TWO.replace('db: 1', 'db: 2');

let broker: TestBroker;
let folder: string;
let file: string;

function write(text: string, mode = 0o600): void {
  writeFileSync(`${file}.new`, text, { mode });
  chmodSync(`${file}.new`, mode);
  renameSync(`${file}.new`, file);
}
const setGroups = (name: string, groups: string[]) =>
  broker.change('roster', { change: 'set', name, groups });
/** Two others say yes to the policy that is in the file. */
async function agree(): Promise<void> {
  await broker.running.reload();
  const [, id = ''] = /waits for approval (\S+)$/.exec((await status()).refused.mistakes[0]) ?? [];
  await broker.approve(id, 'bob');
  await broker.approve(id, 'carol');
  await expect.poll(async () => (await status()).refused).toBe(null);
}
const status = async () => (await broker.call('GET', '/v1/status', { viaSocket: true })).json.policy;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-policy-'));
  file = join(folder, 'policy.yaml');
  broker = await TestBroker.start();
  await setGroups('bob', ['oncall']);
  await setGroups('carol', ['db']);
  broker.policyFile = file;
});
afterEach(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

describe('a broker with a policy file', () => {
  test.each([
    [
      'with a mistake',
      () => write(BAD),
      `policy.yaml:5:33: rule 1: approvals.db: asks for 2 of db, which has 1 member`,
    ],
    ['that is missing', () => {}, 'policy.yaml cannot be read (ENOENT)'],
    ['that is no text', () => writeFileSync(file, Buffer.of(0xff, 0xfe)), 'cannot be read (ERR_ENCODING'],
    ['that others may write', () => write(ONE, 0o666), 'others may write'],
  ])('does not start with one %s (A11)', async (_, make, why) => {
    make();
    await expect(broker.restart()).rejects.toThrow(why);
    broker.policyFile = null;
    await broker.restart();
  });

  test('asks one of each group, says who is missing, and writes down who was counted by what', async () => {
    write(TWO);
    await broker.restart();
    const bound = broker.document();
    const { id } = (await broker.submit(bound)).json;
    const token = await broker.signIn();
    const asked = (await broker.call('GET', `/v1/requests/${id}`, { token })).json;
    expect(asked.missing).toEqual(['1 more of oncall: bob', '1 more of db: carol']);
    expect(parseRule(asked.rule).name).toBe('logins');
    expect((await broker.decide(id, bound)).json.state).toBe('pending');
    const carol = { approver: 'carol' as never };
    expect((await broker.decide(id, bound, carol, broker.keys.carol)).json.state).toBe('approved');
    const { events } = (await broker.call('GET', '/v1/events', { token })).json;
    const bodies = (kind: string) =>
      events
        .filter((event: { kind: string }) => event.kind === kind)
        .map(({ body }: { body: string }) => JSON.parse(body));
    expect(bodies('policy.loaded')).toEqual([
      { file, rules: 1, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    ]);
    const votes = bodies('request.voted').filter((body: { id: string }) => body.id === id);
    expect(votes.map(({ groups }: { groups: object }) => groups)).toEqual([
      { oncall: 'roster' },
      { db: 'roster' },
    ]);
  });

  test('refuses what no rule allows', async () => {
    write(TWO);
    await broker.restart();
    const answer = await broker.submit(broker.document({ action: 'sudo.run' }));
    expect([answer.status, answer.json.code]).toEqual([403, 'no-rule']);
    expect(answer.json.detail).toBe('no rule allows sudo.run on "web-1" for alice');
  });

  test('asks each submitter for reason and ticket, whichever way it comes (A19)', async () => {
    write(`${ONE}    reason: 10\n    ticket: "INC-[0-9]+"\n`.replace('"ssh.login"', '"ci.deploy"'));
    await broker.restart();
    const bare = { action: 'ci.deploy', resource: 'prod/shop', door: 'ci', context: {} };
    const byHost = await broker.submit(broker.document(bare));
    const body = { document: broker.document(bare).document };
    const byToken = await broker.call('POST', '/v1/requests', { body, token: broker.ciToken });
    const wanted = 'the rule logins wants a reason of at least 10 characters, and a ticket like INC-[0-9]+';
    for (const { status: code, json } of [byHost, byToken]) {
      expect([code, json.code, json.detail]).toEqual([422, 'rule-unmet', wanted]);
    }
  });

  test('a looser policy is for later asks alone: a pending one keeps its rule, and is held to it at redeem (A16)', async () => {
    write(TWO);
    await broker.restart();
    const bound = broker.document();
    const claim = newClaim();
    const { id, watch } = (await broker.submit(bound)).json;
    write(ONE);
    await agree();
    expect((await broker.decide(id, bound)).json.state).toBe('pending');
    const redeemed = await broker.call('POST', `/v1/requests/${id}/redeem`, {
      token: watch,
      body: { claim },
    });
    expect(redeemed.status).toBe(202);
    const later = broker.document();
    const second = (await broker.submit(later)).json;
    expect((await broker.decide(second.id, later)).json.state).toBe('approved');
  });

  test('keeps the old policy when the new one has a mistake, and says so wherever one looks', async () => {
    write(TWO);
    await broker.restart();
    const token = await broker.signIn();
    const socket = new WebSocket(`${broker.address.replace('http', 'ws')}/v1/stream`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const told: { refused: { mistakes: string[] } | null }[] = [];
    socket.on('message', (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString());
      if (message.type === 'policy') told.push(message);
    });
    await expect.poll(() => told).toEqual([{ type: 'policy', refused: null, failing: [] }]);
    const before = await status();
    write(BAD);
    await broker.running.reload();
    const why = `${file}:5:33: rule 1: approvals.db: asks for 2 of db, which has 1 member: add people or ask for fewer`;
    expect(await status()).toMatchObject({ digest: before.digest, refused: { mistakes: [why] } });
    await expect.poll(() => told.at(-1)?.refused?.mistakes).toEqual([why]);
    const shown = (await broker.call('GET', '/v1/policy', { token })).json.policy;
    expect(shown).toMatchObject({ text: TWO, digest: before.digest, refused: { mistakes: [why] } });
    const metrics = (await broker.call('GET', '/metrics')).text;
    expect(metrics).toContain('countersign_policy_refused 1');
    expect(metrics).toContain('countersign_policy_loads_total{result="refused"} 1');
    write(TWO);
    await broker.running.reload();
    expect((await status()).refused).toBe(null);
    await expect.poll(() => told.at(-1)?.refused).toBe(null);
    socket.close();
  });

  test('loads a file that is written or replaced, with nobody telling it', async () => {
    write(TWO);
    await broker.restart();
    const { digest } = await status();
    write(ONE);
    await expect.poll(async () => (await status()).refused?.waiting).toBe(true);
    writeFileSync(file, TWO);
    await expect.poll(async () => (await status()).refused).toBe(null);
    expect((await status()).digest).toBe(digest);
  });

  test('says so when the roster has made its policy impossible, and goes on with it', async () => {
    write(TWO);
    await broker.restart();
    await setGroups('carol', []);
    await expect.poll(async () => (await status()).refused?.mistakes ?? []).toHaveLength(1);
    expect((await status()).refused.mistakes[0]).toContain('nobody is in the group db');
    expect((await broker.submit()).status).toBe(201);
    await setGroups('alice', ['db']);
    await expect.poll(async () => (await status()).refused).toBe(null);
  });

  test('counts people by the groups that a command prints, and names the command (A12, A21)', async () => {
    const program = join(folder, 'oncall');
    writeFileSync(program, '#!/bin/sh\necho "$1"; echo zoe\n', { mode: 0o755 });
    write(
      `version: 1\ngroups:\n  pager: { command: [${program}, carol], every: 1h }\nrules:\n  - name: all\n    approvals: { pager: 1 }\n`,
    );
    await broker.restart();
    expect((await status()).groups).toEqual([
      {
        name: 'pager',
        command: [program, 'carol'],
        members: ['carol', 'zoe'],
        unknown: ['zoe'],
        answered: expect.any(String),
        failing: null,
      },
    ]);
    const bound = broker.document();
    const { id } = (await broker.submit(bound)).json;
    expect((await broker.decide(id, bound)).json.code).toBe('not-an-approver');
    const carol = { approver: 'carol' as never };
    expect((await broker.decide(id, bound, carol, broker.keys.carol)).json.state).toBe('approved');
    const token = await broker.signIn();
    const { events } = (await broker.call('GET', '/v1/events', { token })).json;
    const voted = events.findLast(({ kind }: { kind: string }) => kind === 'request.voted');
    expect(JSON.parse(voted.body).groups).toEqual({ pager: program });
  });

  test('an approver who goes off call before the door opens does not count (A15)', async () => {
    const program = join(folder, 'oncall');
    writeFileSync(program, `#!/bin/sh\ncat ${folder}/names\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'names'), 'bob\n');
    write(
      `version: 1\ngroups:\n  pager: { command: [${program}], every: 10s }\nrules:\n  - name: all\n    approvals: { pager: 1 }\n`,
    );
    await broker.restart();
    const bound = broker.document();
    const { id, watch } = (await broker.submit(bound)).json;
    expect((await broker.decide(id, bound)).json.state).toBe('approved');
    writeFileSync(join(folder, 'names'), 'carol\n');
    broker.pass(11);
    await expect.poll(async () => (await status()).groups[0].members).toEqual(['carol']);
    const body = { claim: newClaim() };
    const redeemed = await broker.call('POST', `/v1/requests/${id}/redeem`, { token: watch, body });
    expect(redeemed.status).not.toBe(200);
  });

  test('without one any other person is enough, and that is said', async () => {
    broker.policyFile = null;
    await broker.restart();
    expect(await status()).toBe(null);
    const token = await broker.signIn();
    expect((await broker.call('GET', '/v1/policy', { token })).json).toMatchObject({
      policy: null,
    });
  });
});
