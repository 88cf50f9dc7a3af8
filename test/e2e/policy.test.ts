import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrokerProcess, countersign, type RunningProgram, until } from './programs.js';
import { ProtectedHost } from './protected-host.js';
import { describeWith } from './tools.js';

const TOOLS = ['root', 'mount namespaces', 'sshd', 'setpriv'];

/** Any two may change the policy, which is what they do in between. */
const BEGINNING = `version: 1
rules:
  - { name: changes, when: action == "policy.change", approvals: { people: 1 } }
`;
const BOTH_GROUPS = '  - { name: both groups, approvals: { oncall: 1, db: 1 } }\n';
const ANY_ONE = '  - { name: any one, approvals: { people: 1 } }\n';
const LASTING =
  '  - { name: lasting, approvals: { people: 1 }, grants: yes, work: { default: 1h, longest: 1h } }\n';

describeWith(TOOLS, 'a policy file, and the door of a real sshd', () => {
  let broker: BrokerProcess;
  let host: ProtectedHost;
  let policy: string;
  /** bob and carol are on call, dave is a database administrator, and alice logs in. */
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    broker = new BrokerProcess();
    host = new ProtectedHost(broker);
    policy = join(broker.directory, 'policy.yaml');
    await broker.must('roster', 'add', 'alice', '--key', `${broker.makeKey('alice')}.pub`);
    for (const [name, group] of Object.entries({ bob: 'oncall', carol: 'oncall', dave: 'db' })) {
      keys[name] = await broker.enrol(name, '--group', group);
    }
    writeFileSync(policy, BEGINNING + ANY_ONE, { mode: 0o600 });
    await broker.start('--policy', policy);
    await host.install();
  });
  afterAll(async () => {
    await host?.remove();
    await broker?.remove();
  });

  /** Replaces the policy file, as an editor does, has it approved where it is good, and returns what the broker logs then. */
  async function put(rules: string): Promise<string> {
    const before = broker.log.length;
    const edited = `${policy}.new`;
    writeFileSync(edited, BEGINNING + rules, { mode: 0o600 });
    renameSync(edited, policy);
    const logged = (events: string) =>
      until(() => new RegExp(`^.*"event":"policy-(?:${events})".*$`, 'm').exec(broker.log.slice(before)));
    const [line] = await logged('waits|refused|in-force');
    const [, id] = /waits for approval (\w+)/.exec(line) ?? [];
    if (id === undefined) return line;
    for (const name of ['bob', 'carol']) await decide('approve', name, await show(id));
    return (await logged('loaded'))[0];
  }

  interface Shown {
    readonly id: string;
    readonly digest: string;
    readonly state: string;
    readonly grant: string | null;
    readonly report: { readonly outcome: string; readonly code: string | null } | null;
  }

  const as = (name: string): string[] => ['--key', keys[name] ?? ''];
  const list = async (state: string): Promise<readonly Shown[]> =>
    JSON.parse(await broker.must('list', '--state', state, ...as('bob'), '--json')).requests;
  const show = async (id: string): Promise<Shown> =>
    JSON.parse(await broker.must('show', id, ...as('bob'), '--json'));

  /** What that login asks. */
  async function askOf({ child, said }: RunningProgram): Promise<Shown> {
    for (;;) {
      const [request] = await list('pending');
      if (request !== undefined) return request;
      if (child.exitCode !== null) throw new Error(`nothing was asked: ${said.stdout}${said.stderr}`);
    }
  }

  const decide = (
    verdict: string,
    name: string,
    { id, digest }: Shown,
    ...flags: string[]
  ): Promise<string> => broker.must(verdict, id, '--yes-i-read-it', digest, ...as(name), ...flags);

  /** The request as it stands once the door has said what became of it. */
  async function reported(id: string): Promise<Shown> {
    await until(() => new RegExp(`"request\\.reported".*${id}|${id}.*"request\\.reported"`).test(broker.log));
    return show(id);
  }

  test('opens for two of three people of two groups, in no other way', async () => {
    await put(BOTH_GROUPS);
    const login = host.ssh('echo opened');
    const asked = await askOf(login);
    expect(await decide('approve', 'bob', asked)).toBe(
      `approved ${asked.id}: the request is pending\nstill missing: 1 more of db: dave\n`,
    );
    expect(await decide('approve', 'carol', asked)).toContain('still missing: 1 more of db: dave\n');
    expect(await broker.must('show', asked.id, ...as('carol'))).toMatch(/^missing {4}1 more of db: dave$/m);
    expect(login.child.exitCode).toBeNull();
    expect(await decide('approve', 'dave', asked)).toBe(`approved ${asked.id}: the request is approved\n`);
    expect(await login.outcome).toMatchObject({ code: 0, stdout: 'opened\n' });
  });

  describe('that allows a grant of an hour', () => {
    let grant: Shown;

    beforeAll(async () => {
      await put(LASTING);
      host.configure({ grants: 'yes', duration: '3600', 'longest-duration': '3600' });
    });
    afterAll(() => host.configure({}));

    test('lets the second login pass with nobody asked', async () => {
      const first = host.ssh('echo first');
      grant = await askOf(first);
      await decide('approve', 'bob', grant, '--grant', '--for', '1h');
      expect(await first.outcome).toMatchObject({ code: 0, stdout: 'first\n' });
      expect(await host.ssh('echo second').outcome).toMatchObject({ code: 0, stdout: 'second\n' });
      expect((await show(grant.id)).state).toBe('active');
      expect(await broker.must('grants', ...as('carol'))).toContain(grant.id);
      const under = (await list('redeemed')).find((request) => request.grant !== null);
      expect(under?.grant).toBe(grant.id);
      expect((await reported(under?.id ?? '')).report?.outcome).toBe('opened');
    });

    test('and asks anew once it is revoked: a no keeps the third login out (A27)', async () => {
      await broker.must('revoke', grant.id, '--comment', 'done', ...as('carol'));
      const third = host.ssh('echo never');
      const asked = await askOf(third);
      expect([asked.id === grant.id, asked.digest === grant.digest]).toEqual([false, false]);
      await decide('deny', 'carol', asked);
      const { code, stdout } = await third.outcome;
      expect([code, stdout.includes('never')]).toEqual([255, false]);
      expect((await show(grant.id)).state).toBe('revoked');
    });
  });

  test('asks less than the door, which stays shut and says why in one line (A61)', async () => {
    await put(ANY_ONE);
    host.configure({ people: '2' });
    const login = host.ssh('echo never');
    const asked = await askOf(login);
    expect(await decide('approve', 'bob', asked)).toContain('the request is approved');
    const { code, stdout, stderr } = await login.outcome;
    expect([code, stdout.includes('never')]).toEqual([255, false]);
    expect(`${stdout}${stderr}`.match(/countersign: .*1 of 2 people have approved.*/g)).toHaveLength(1);
    expect((await reported(asked.id)).report).toMatchObject({ outcome: 'refused' });
    host.configure({});
  });

  test('that is edited to a bad one is refused by line and column, and logins go on under the old one (A11)', async () => {
    expect(await put('  - { name: nobody, approvals: { people: 0 } }\n')).toContain('policy-refused');
    const { stdout } = await countersign(['status', ...as('bob')], broker.env).outcome;
    expect(stdout).toMatch(/policy\.yaml:4:\d+: rule 2: approvals/);
    const login = host.ssh('echo opened');
    const asked = await askOf(login);
    expect(await decide('approve', 'bob', asked)).toContain('the request is approved');
    expect(await login.outcome).toMatchObject({ code: 0, stdout: 'opened\n' });
    expect(await put(ANY_ONE)).toContain('policy-in-force');
  });
});
