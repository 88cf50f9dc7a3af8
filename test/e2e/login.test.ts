import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, CLI, until } from './programs.js';
import { ProtectedHost } from './protected-host.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

const TOOLS = ['root', 'mount namespaces', 'sshd', 'sudo', 'setpriv', 'tmux'];

describeWith(TOOLS, 'a login held at the door of a real sshd', () => {
  let broker: BrokerProcess;
  let host: ProtectedHost;
  let console: TmuxPane;
  let bobKey: string;

  beforeAll(async () => {
    broker = new BrokerProcess();
    host = new ProtectedHost(broker);
    bobKey = await broker.enrol('bob');
    await broker.enrol('alice');
    await broker.start();
    await host.install();
    console = new TmuxPane([process.execPath, CLI, 'console', '--key', bobKey], broker.env);
    await console.shows('live');
  });
  afterAll(async () => {
    console?.close();
    await host?.remove();
    await broker?.remove();
  });

  interface Listed {
    readonly id: string;
    readonly digest: string;
    readonly state: string;
    readonly waiting: number;
    readonly endedBy: string | null;
    readonly votes: readonly { readonly receipt: string }[];
    readonly report: { readonly outcome: string; readonly code: string | null } | null;
    readonly document: {
      readonly action: string;
      readonly requester: string;
      readonly details: Record<string, unknown>;
    };
  }

  const list = async (state = 'all'): Promise<readonly Listed[]> =>
    JSON.parse(await broker.must('list', '--state', state, '--key', bobKey, '--json')).requests;

  /** The one pending request, once there is one. */
  async function pending(): Promise<Listed> {
    for (;;) {
      const [request] = await list('pending');
      if (request !== undefined) return request;
    }
  }

  async function newest(is: (request: Listed) => boolean): Promise<Listed> {
    for (;;) {
      const [request] = await list();
      if (request !== undefined && is(request)) return request;
    }
  }

  async function decide(verdict: 'approve' | 'deny'): Promise<Listed> {
    const request = await pending();
    await broker.must(verdict, request.id, '--yes-i-read-it', request.digest, '--key', bobKey);
    // One user asks for one host all the time, and is denied more often than anybody honest.
    const { requester } = request.document;
    if (verdict === 'deny') await broker.must('unlock', requester, '--comment', 'a test', '--key', bobKey);
    return request;
  }

  test('hangs until an approver signs in the console, then runs the command; the row turns green', async () => {
    const login = host.ssh('echo opened for $USER');
    await console.shows(/ssh\.login +web-1/);
    expect(login.child.exitCode).toBeNull();
    await console.pressUntil('Enter', 'Esc back');
    await console.pressUntil('Space', 'a approve');
    await console.pressUntil('a', '[ Sign approval ]');
    await console.pressUntil('Right', 'Enter signs the approval');
    await console.pressUntil('Enter', /signed and recorded|the door opened/);
    const { code, stdout } = await login.outcome;
    expect([code, stdout.trim()]).toEqual([0, `opened for ${host.user}`]);
    await console.shows('✓ opened');
  });

  test('stays shut when an approver says no, and the user reads why', async () => {
    const login = host.ssh('echo never');
    const { id } = await decide('deny');
    const { code, stdout, stderr } = await login.outcome;
    expect(code).toBe(255);
    expect(stdout).not.toContain('never');
    expect(stdout + stderr).toContain(id);
    expect((await newest((request) => request.id === id)).state).toBe('denied');
  });

  test('a login that timed out is claimed by the next one, which nobody has to ask for again', async () => {
    host.configure({ wait: '5' });
    const first = await host.ssh('echo never').outcome;
    expect(first.stdout + first.stderr).toContain('still waiting');
    const { id } = await decide('approve');
    const second = await host.ssh('echo second').outcome;
    expect(second).toMatchObject({ code: 0, stdout: 'second\n' });
    expect((await newest((request) => request.report !== null)).id).toBe(id);
    host.configure({});
  });

  test('a client that goes away leaves nobody waiting, and the console says so', async () => {
    const login = host.ssh('echo never');
    const { id } = await pending();
    login.child.kill('SIGKILL');
    await console.shows('nobody waiting');
    const [request] = await list('pending');
    expect([request?.id, request?.waiting]).toEqual([id, 0]);
    await decide('deny');
  });

  test('a broker that is killed and comes back while the login waits: the login completes (A41)', async () => {
    const login = host.ssh('echo after the crash');
    const { id } = await pending();
    await broker.signal('SIGKILL');
    await console.shows(/[Nn]ot connected/);
    await broker.start();
    await console.shows('● live');
    expect((await decide('approve')).id).toBe(id);
    const { code, stdout } = await login.outcome;
    expect([code, stdout.trim()]).toEqual([0, 'after the crash']);
  });

  test('a broker that is drained lets go of the login, which finds it again', async () => {
    const login = host.ssh('echo after the drain');
    await pending();
    const { code: drained } = await broker.signal('SIGTERM');
    expect(drained).toBe(0);
    await broker.start();
    await decide('approve');
    expect((await login.outcome).stdout.trim()).toBe('after the drain');
  });

  test('a broker that is not there keeps the door shut, in one line (A41)', async () => {
    await broker.signal('SIGTERM');
    const { code, stdout, stderr } = await host.ssh('echo never').outcome;
    expect([code, stdout.includes('never')]).toEqual([255, false]);
    expect(stdout + stderr).toMatch(/countersign: .*broker/);
    await broker.start();
  });

  test('sudo binds the command: an approval for one does not serve another (A64)', async () => {
    const sudo = host.sudo('id', '-un');
    const request = await decide('approve');
    expect((await sudo.outcome).stdout).toBe('root\n');
    expect(request.document.action).toBe('sudo.run');
    expect(request.document.details.argv).toEqual(['sudo', '-n', 'id', '-un']);
    const other = host.sudo('cat', '/etc/shadow');
    const second = await pending();
    expect(second.id).not.toBe(request.id);
    await decide('deny');
    expect((await other.outcome).code).not.toBe(0);
  });

  test('a database edited by hand to "approved" opens nothing (A51)', async () => {
    const login = host.ssh('echo never');
    const { id } = await pending();
    await broker.signal('SIGKILL');
    const database = new SqliteDatabase(join(broker.data, 'broker.db'));
    const lifeOf = (state: string): Record<string, unknown> =>
      JSON.parse(
        (
          database
            .prepare('SELECT life FROM requests WHERE state = ? ORDER BY id DESC LIMIT 1')
            .get(state) as { life: string }
        ).life,
      );
    // The votes of another request: genuine, signed by bob, and worth nothing here.
    const edited = { ...lifeOf('pending'), votes: lifeOf('redeemed').votes, claimBy: Date.now() + 600_000 };
    database
      .prepare("UPDATE requests SET state = 'approved', life = ? WHERE id = ?")
      .run(JSON.stringify(edited), id);
    database.close();
    await broker.start();
    const { code, stdout } = await login.outcome;
    expect([code, stdout.includes('never')]).toEqual([255, false]);
    expect((await newest((request) => request.id === id)).report).toMatchObject({ outcome: 'refused' });
  });

  test('in observe mode nobody waits and nothing is ever green', async () => {
    host.configure({ mode: 'observe' });
    const { code, stdout } = await host.ssh('echo let through').outcome;
    expect([code, stdout.trim()]).toEqual([0, 'let through']);
    const observed = await newest((request) => request.report?.outcome === 'observed');
    expect(observed.state).toBe('cancelled');
    await console.shows('observed');
    host.configure({});
  });

  test('a receipt saved to a file verifies with plain ssh-keygen, as the README says', async () => {
    const approved = (await list('redeemed'))[0];
    const receipt = join(broker.directory, 'receipt');
    writeFileSync(receipt, approved?.votes[0]?.receipt ?? '');
    writeFileSync(join(broker.directory, 'signers'), readFileSync(join(host.directory, 'signers')));
    const verified = execFileSync('bash', ['-c', readmeBlock('Verify a receipt')], {
      cwd: broker.directory,
      encoding: 'utf8',
    });
    expect(verified).toContain('Good "decision@countersign" signature for bob');
  });

  test('check says that all is well, and finds a hook that is not first (A65)', async () => {
    const good = await host.check(host.user).outcome;
    expect(good).toEqual({ code: 0, stderr: '', stdout: expect.any(String) });
    const pam = join(host.directory, 'pam-sshd');
    const text = readFileSync(pam, 'utf8');
    writeFileSync(pam, `account required pam_permit.so\n${text}`);
    expect((await host.check(host.user).outcome).code).not.toBe(0);
    writeFileSync(pam, text);
  });

  test('the log of the broker holds no secret', async () => {
    await until(() => broker.log.includes('request.redeemed'));
    expect(broker.log).not.toMatch(/Bearer|"watch"|"token"|"claim"/);
    for (const line of broker.log.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  });
});

/** The first shell block below a heading of the README. */
function readmeBlock(heading: string): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const section = readme.slice(readme.indexOf(heading));
  return /```(?:sh|bash)\n([\s\S]*?)```/.exec(section)?.[1] ?? 'false';
}
