import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeOffline, installPolicy } from '../../../broker/changes/offline.js';
import { applyDifference } from '../../../broker/changes/text-difference.js';
import { openSqliteStore } from '../../../broker/store/sqlite/open.js';
import type { Store } from '../../../broker/store/store.js';
import { parseDocument } from '../../../src/protocol/document.js';
import { TestBroker } from '../test-broker.js';

const SECURITY = `version: 1
rules:
  - name: logins
    when: action == "ssh.login"
    approvals: { security: 1 }
`;
const ANYBODY = SECURITY.replace('{ security: 1 }', '{ people: 1 }');
const OTHER = SECURITY.replace('logins', 'all-logins');

let broker: TestBroker;
let folder: string;
let file: string;

function write(text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}
async function edit(text: string): Promise<void> {
  write(text);
  await broker.running.reload();
}
const status = async () => (await broker.call('GET', '/v1/status', { viaSocket: true })).json;
const standing = async () => (await status()).policy;
const why = async (): Promise<string | undefined> => (await standing()).refused?.mistakes.join();
const waitingFor = async (): Promise<string> => {
  const [, id] = /waits for approval (\S+)$/.exec((await why()) ?? '') ?? [];
  if (id === undefined) throw new Error(`nothing waits: ${await why()}`);
  return id;
};
const read = async (id: string) =>
  (await broker.call('GET', `/v1/requests/${id}`, { token: await broker.signIn() })).json;
const deny = async (id: string) => {
  const { document, policy } = await read(id);
  const receipt = broker.decision(parseDocument(document), policy, { verdict: 'deny' });
  return broker.call('POST', `/v1/requests/${id}/decisions`, { body: { receipt } });
};
/** Whether a person who is not in the group is enough for a login. */
const isWeak = async (): Promise<boolean> => {
  const bound = broker.document();
  const { id } = (await broker.submit(bound)).json;
  return (await broker.decide(id, bound)).json.state === 'approved';
};
const bodiesOf = async (kind: string) => {
  const { events } = (await broker.call('GET', '/v1/events', { token: await broker.signIn() })).json;
  return events
    .filter((event: { kind: string }) => event.kind === kind)
    .map(({ body }: { body: string }) => JSON.parse(body));
};
async function offline<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
  await broker.running.stop();
  const store = await openSqliteStore({
    directory: broker.directory,
    clock: () => broker.now,
    random: randomBytes,
  });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-policy-'));
  file = join(folder, 'policy.yaml');
  broker = await TestBroker.start();
  await broker.change('roster', { change: 'set', name: 'carol', groups: ['security'] });
  broker.policyFile = file;
  write(SECURITY);
  await broker.restart();
});
afterEach(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

describe('a policy file that is made to ask for nobody of the group (A17)', () => {
  test('the first policy of a broker is taken at once, and kept over restarts', async () => {
    expect(await standing()).toMatchObject({ file, rules: 1, refused: null });
    const { digest } = await standing();
    await broker.restart();
    expect(await standing()).toMatchObject({ digest, refused: null });
    expect(await isWeak()).toBe(false);
  });

  test('waits for two others, who read each line of it, and is then in force', async () => {
    const { digest } = await standing();
    await edit(ANYBODY);
    const id = await waitingFor();
    expect(await standing()).toMatchObject({ digest, refused: { waiting: true } });
    const { document, submitter, missing } = await read(id);
    expect(submitter).toBe('countersign');
    expect(missing).toEqual(['2 more people: alice, bob or carol']);
    expect(document).toMatchObject({
      action: 'policy.change',
      door: 'broker:test',
      requester: 'owner',
      resource: 'policy',
      context: { reason: `the policy file ${file} was changed` },
      details: {
        summary: 'another policy: 1 line more, 1 line less; rules: 1 before, 1 after',
        previous: digest,
        rules: { before: 1, after: 1 },
        diff: [
          '@@ -2,5 +2,5 @@',
          ' rules:',
          '   - name: logins',
          '     when: action == "ssh.login"',
          '-    approvals: { security: 1 }',
          '+    approvals: { people: 1 }',
          ' ',
        ],
      },
    });
    expect(applyDifference(SECURITY, document.details.diff)).toBe(ANYBODY);
    expect(await isWeak()).toBe(false);
    expect((await broker.approve(id, 'bob')).json.state).toBe('pending');
    expect(await isWeak()).toBe(false);
    await broker.approve(id, 'alice');
    await expect.poll(async () => (await read(id)).state).toBe('redeemed');
    expect((await read(id)).report).toMatchObject({ outcome: 'opened', code: null });
    await expect.poll(async () => (await standing()).refused).toBe(null);
    expect((await standing()).digest).toBe(document.details.next);
    expect(await isWeak()).toBe(true);
    expect((await bodiesOf('policy.loaded')).at(-1)).toEqual({
      file,
      digest: document.details.next,
      rules: 1,
      request: id,
    });
    await broker.restart();
    expect(await standing()).toMatchObject({ digest: document.details.next, refused: null });
  });

  test('is not in force once it is denied, which is said until the file is another one', async () => {
    await edit(ANYBODY);
    const id = await waitingFor();
    await deny(id);
    const denied = `${file}: it differs from the policy in force: denied by bob (${id}); change the file to ask again`;
    await expect.poll(why).toBe(denied);
    expect((await standing()).refused.waiting).toBe(false);
    await broker.running.reload();
    await broker.restart();
    expect(await why()).toBe(denied);
    expect(await isWeak()).toBe(false);
    await edit(SECURITY);
    expect(await why()).toBeUndefined();
    await edit(OTHER);
    expect(await waitingFor()).not.toBe(id);
  });

  test('is asked for once more at a start if nobody answered', async () => {
    await edit(ANYBODY);
    const id = await waitingFor();
    broker.pass(3601);
    await expect.poll(async () => (await read(id)).state).toBe('expired');
    await expect.poll(why).toContain('nobody answered in time');
    await broker.running.reload();
    expect(await why()).toContain(id);
    broker.pass(1);
    await broker.restart();
    expect(await waitingFor()).not.toBe(id);
    expect(await isWeak()).toBe(false);
  });

  test('and is edited again while it waits: that one is taken back, and another one waits', async () => {
    await edit(ANYBODY);
    const first = await waitingFor();
    await broker.approve(first, 'bob');
    await edit(`${ANYBODY}# more\n`);
    const second = await waitingFor();
    expect(second).not.toBe(first);
    expect(await read(first)).toMatchObject({
      state: 'cancelled',
      endedBy: 'the policy file was changed since this was asked',
    });
    expect((await broker.approve(first, 'alice')).status).toBe(409);
    await edit('version: 2\n');
    expect((await read(second)).state).toBe('cancelled');
    expect(await why()).toContain('policy.yaml:1:');
    expect(await isWeak()).toBe(false);
  });

  test('while the broker is stopped is asked for at the start, and stands over the next ones', async () => {
    const { digest } = await standing();
    await broker.running.stop();
    write(ANYBODY);
    await broker.restart();
    const id = await waitingFor();
    await broker.approve(id, 'bob');
    await broker.restart();
    expect(await waitingFor()).toBe(id);
    expect(await standing()).toMatchObject({ digest });
    await broker.approve(id, 'carol');
    await expect.poll(async () => (await standing()).digest).not.toBe(digest);
    await broker.restart();
    expect((await read(id)).state).toBe('redeemed');
    expect(
      (await bodiesOf('policy.loaded')).filter(({ request }: { request?: string }) => request === id),
    ).toHaveLength(1);
  });

  test('an approval of it is for one change from one policy: it does not bring it back later', async () => {
    await edit(ANYBODY);
    const id = await waitingFor();
    await broker.approve(id, 'bob');
    await broker.approve(id, 'carol');
    await expect.poll(why).toBeUndefined();
    await edit(SECURITY);
    const back = await waitingFor();
    await broker.approve(back, 'bob');
    await broker.approve(back, 'carol');
    await expect.poll(why).toBeUndefined();
    await edit(ANYBODY);
    expect([id, back]).not.toContain(await waitingFor());
    expect(await isWeak()).toBe(false);
  });

  test('is not taken when no file is named any more, nor when the file is gone', async () => {
    await broker.running.stop();
    broker.policyFile = null;
    await broker.restart();
    expect(await why()).toContain('no policy file is named, but a policy is in force');
    expect(await isWeak()).toBe(false);
    await broker.running.stop();
    broker.policyFile = file;
    rmSync(file);
    await broker.restart();
    expect(await why()).toContain('cannot be read (ENOENT)');
    expect(await isWeak()).toBe(false);
  });
});

test('a policy that differs by more than a request can hold is not asked for, and that is said', async () => {
  await edit(SECURITY + `# ${'x'.repeat(100)}\n`.repeat(700));
  expect(await why()).toBe(
    'it differs from the policy in force by more than a request can hold: change it in smaller steps, or stop the broker and use countersign policy install',
  );
  await edit(`${SECURITY}# ${'x'.repeat(17_000)}\n`);
  expect(await why()).toContain('change it in smaller steps');
  expect((await standing()).refused.waiting).toBe(false);
  expect(await isWeak()).toBe(false);
});

test('a policy that wants a ticket with everything wants one with its own change, which a file cannot give', async () => {
  const strict = `${SECURITY}  - name: rest\n    when: action != "ssh.login"\n    ticket: "[A-Z]+-[0-9]+"\n    approvals: { people: 1 }\n`;
  await edit(strict);
  const id = await waitingFor();
  await broker.approve(id, 'bob');
  await broker.approve(id, 'carol');
  await expect.poll(why).toBeUndefined();
  await edit(ANYBODY);
  expect(await why()).toContain('the rule rest wants a ticket');
  expect(await isWeak()).toBe(false);
});

describe('a policy that is installed with the broker stopped', () => {
  test('is in force without approval, which stands in the log and is told for a week', async () => {
    await edit(ANYBODY);
    const id = await waitingFor();
    const installed = await offline((store) => installPolicy(store, OTHER, file, broker.now));
    expect(installed).toMatchObject({ rules: 1, withoutApproval: true });
    await broker.restart();
    expect((await standing()).digest).toBe(installed.digest);
    expect((await read(id)).endedBy).toBe('the policy in force was changed since this was asked');
    expect(await waitingFor()).not.toBe(id);
    const [loaded] = (await bodiesOf('policy.loaded')).filter(({ without }: { without?: string }) => without);
    expect(loaded).toMatchObject({ file, digest: installed.digest, without: 'approval' });
    expect((await status()).unapproved).toBe('2026-01-31T12:00:00Z');
    broker.pass(7 * 24 * 3600 - 1);
    expect((await status()).unapproved).not.toBe(null);
    broker.pass(2);
    expect((await status()).unapproved).toBe(null);
  });

  test('is nothing to tell of where it is the one in force', async () => {
    const installed = await offline((store) => installPolicy(store, SECURITY, file, broker.now));
    await broker.restart();
    expect([installed.withoutApproval, (await status()).unapproved]).toEqual([false, null]);
  });

  test('is refused where the broker would refuse it, and changes nothing', async () => {
    const bad = SECURITY.replace('security', 'nobody');
    await offline(async (store) => {
      await expect(installPolicy(store, bad, file, broker.now)).rejects.toThrow('nobody is in the group');
      expect([store.policy()?.text, store.unapproved()]).toEqual([SECURITY, null]);
    });
  });

  test('is told as a change of the roster without a broker is', async () => {
    await offline((store) =>
      changeOffline(
        store,
        { of: 'people', change: { change: 'remove', name: 'alice' as never } },
        broker.now,
      ),
    );
    await broker.restart();
    expect((await status()).unapproved).toBe('2026-01-31T12:00:00Z');
  });
});

test('a policy that the roster does not bear at a start allows nothing, and the new file stays out (A17)', async () => {
  await offline((store) =>
    changeOffline(
      store,
      { of: 'people', change: { change: 'set', name: 'carol' as never, groups: [] } },
      broker.now,
    ),
  );
  await broker.restart();
  expect(await why()).toContain('nobody is in the group security');
  expect((await broker.submit()).json).toMatchObject({ status: 503, code: 'policy-unfit' });
  await edit(ANYBODY);
  expect(await why()).toContain('the policy in force does not fit the roster any more');
  expect((await broker.submit()).json.code).toBe('policy-unfit');
  await offline((store) => installPolicy(store, ANYBODY, file, broker.now));
  await broker.restart();
  expect(await isWeak()).toBe(true);
});

test('with one approver enrolled a policy file is taken as it is written', async () => {
  await offline(async (store) => {
    for (const name of ['alice', 'bob']) {
      const change = { change: 'remove', name: name as never } as const;
      await changeOffline(store, { of: 'people', change }, broker.now);
    }
  });
  await broker.restart();
  const { digest } = await standing();
  await edit(OTHER);
  expect((await standing()).refused).toBe(null);
  expect((await standing()).digest).not.toBe(digest);
});
