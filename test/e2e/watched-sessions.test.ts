import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RequestId } from '../../src/protocol/names.js';
import { formatDecision } from '../../src/protocol/statements.js';
import { inSeconds } from '../scripts/door-fixture.js';
import { type Ask, FakeBroker, FINGERPRINT, reply } from '../scripts/fake-broker.js';
import { MemoryKey } from '../scripts/receipt-mutations.js';
import { BrokerProcess, type RunningProgram, until } from './programs.js';
import { ProtectedHost } from './protected-host.js';
import { describeWith } from './tools.js';

const TOOLS = ['root', 'mount namespaces', 'sshd', 'setsid'];
const IDS = ['01J00000000000000000000001', '01J00000000000000000000002'] as RequestId[];

describeWith(TOOLS, 'a session of a real sshd whose approval is watched', () => {
  const bob = new MemoryKey();
  let enrolment: BrokerProcess;
  let carolKey: string;
  let broker: FakeBroker;
  let host: ProtectedHost;
  /** Replies that the broker holds back, by request. */
  const held = new Map<string, ServerResponse>();

  beforeAll(async () => {
    enrolment = new BrokerProcess();
    await enrolment.enrol('alice');
    carolKey = await enrolment.enrol('carol');
    await enrolment.start();
    broker = await FakeBroker.start();
    host = new ProtectedHost(enrolment);
    await host.install({
      broker: `http://127.0.0.1:${broker.port}`,
      fingerprint: FINGERPRINT,
      sessions: 'yes',
      'shared-requester': 'accept',
    });
    writeFileSync(join(host.directory, 'signers'), `bob namespaces="decision@countersign" ${bob.line}\n`);
    // Each login is a request of its own.
    broker.onSubmit = (ask) =>
      reply('approved', { id: IDS[(broker.asks.length - 1) % 2] ?? null }, receiptFor(ask));
    broker.onStanding = (_ask, response, { path }) => {
      held.set(path.split('/')[3] ?? '', response);
      return undefined;
    };
  });
  afterEach(() => held.clear());
  afterAll(async () => {
    await broker?.stop();
    await host?.remove();
    await enrolment?.remove();
  });

  function receiptFor({ digest, scope, document }: Ask): string {
    const statement = formatDecision({
      ...{ broker: FINGERPRINT, door: host.door, request: digest, scope, covers: 'request', policy: null },
      ...{ verdict: 'approve', requester: document.requester, approver: 'bob', decided: inSeconds(0) },
      ...{ notAfter: inSeconds(600), duration: 0, uses: 1, code: null, comment: '' },
    } as Parameters<typeof formatDecision>[0]);
    return statement + bob.sign(statement);
  }

  /** Logs in and returns once the session runs and is watched. */
  async function session(command: string): Promise<{ login: RunningProgram; id: string; pid: number }> {
    const before = broker.asks.length;
    const login = host.ssh(`echo $$; ${command}`);
    const [said] = await until(() => {
      if (login.child.exitCode !== null) throw new Error(login.said.stderr);
      return /^\d+/.exec(login.said.stdout);
    });
    const id = IDS[before % 2] ?? '';
    await until(() => held.has(id));
    return { login, id, pid: Number(said) };
  }

  const answer = (id: string, state: 'revoked' | 'redeemed' | 'active'): void => {
    held.get(id)?.end(reply(state as 'revoked', { id: id as RequestId, watch: null }));
    held.delete(id);
  };
  const lives = (pid: number): boolean => existsSync(`/proc/${pid}`);

  /** The watchers of this host that run. */
  const watchers = (): string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${host.hook}\0watch\0`);
      } catch {
        return false;
      }
    });

  test('ends with everything in it as soon as the approval is revoked, and no other does (A27)', async () => {
    const revoked = await session('sleep 1000 & sleep 1000; echo never');
    const other = await session('sleep 1000');
    const [ask] = broker.asks;
    expect(broker.of('reports').map(({ body }) => body.code)).toEqual(['watched', 'watched']);
    answer(revoked.id, 'revoked');
    const { code, stdout } = await revoked.login.outcome;
    expect([code, stdout.includes('never')]).toEqual([255, false]);
    await until(() => !lives(revoked.pid));
    const [day = ''] = readdirSync(join(host.directory, 'state/spent'));
    const record = join(host.directory, 'state/spent', day, ask?.digest.slice(7) ?? '');
    expect(readFileSync(record, 'utf8')).toMatch(/^\d+\nrevoked\n$/);
    expect([lives(other.pid), other.login.child.exitCode]).toEqual([true, null]);
    answer(other.id, 'revoked');
    expect((await other.login.outcome).code).toBe(255);
    await until(() => watchers().length === 0);
  });

  test('goes on whatever else the broker says, and its watcher ends with it (A41)', async () => {
    const { login, id, pid } = await session('sleep 1000');
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.end(reply('revoked', { id: IDS.find((known) => known !== id) ?? null })),
      (response) => response.end('countersign/1 revoked $(touch x)\n'),
      (response) => response.writeHead(401).end(reply('error', { id: null, code: 'unauthenticated' })),
    ];
    for (const speak of answers) {
      const response = await until(() => held.get(id));
      held.delete(id);
      speak(response);
    }
    await until(() => held.has(id));
    expect([lives(pid), login.child.exitCode, watchers().length]).toEqual([true, null, 1]);
    login.child.kill('SIGTERM');
    await until(() => watchers().length === 0);
  });

  test('is watched by nobody who could hold it open, and its token stands in no list of processes', async () => {
    const { login, id } = await session('sleep 1000');
    const [watcher = ''] = watchers();
    const open = readdirSync(`/proc/${watcher}/fd`);
    const targets = open.map((descriptor) => readlinkSync(`/proc/${watcher}/fd/${descriptor}`));
    expect(targets.filter((target) => !/^(?:\/dev\/null|pipe:.*|.*\/countersign-pam)$/.test(target))).toEqual(
      [],
    );
    expect(readFileSync(`/proc/${watcher}/cmdline`, 'utf8')).not.toContain('w'.repeat(43));
    expect(readdirSync(join(host.directory, 'state/sessions'), { recursive: true }).join()).toMatch(
      /\d+-\d+\.watcher$/,
    );
    answer(id, 'revoked');
    await login.outcome;
    await until(() => watchers().length === 0);
  });

  test('a number that belongs to another process by now is left alone', async () => {
    const innocent: ChildProcess = spawn('setsid', ['sleep', '1000'], { stdio: 'ignore' });
    const start = Number(readFileSync(`/proc/${innocent.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]);
    const directory = join(host.directory, 'state/sessions/1');
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `${innocent.pid}-${start + 1}.watched-x`);
    const digest = `sha256:${'1'.repeat(64)}`;
    writeFileSync(file, `${IDS[0]}\n${'w'.repeat(43)}\n${digest}\n${digest}\n`);
    broker.onStanding = () => reply('revoked', { id: IDS[0] ?? null });
    const watching = spawn(host.hook, ['watch', host.config, file], { stdio: 'ignore' });
    await new Promise((resolve) => watching.once('close', resolve));
    expect([lives(innocent.pid ?? 0), existsSync(file)]).toEqual([true, false]);
    innocent.kill('SIGKILL');
  });

  test('the session phase lets nobody in where it is wired as an account line (A65)', () => {
    for (const args of [['session'], ['session', '--config', host.config], ['watch', host.config, '/x']]) {
      const { status } = spawnSync(host.hook, args, { env: { PAM_TYPE: 'account', PAM_SERVICE: 'sshd' } });
      expect(status).toBe(1);
    }
  });

  test('ends by countersign revoke, at the broker itself (A27)', async () => {
    await host.writeSigners();
    host.configure({ sessions: 'yes' });
    const login = host.ssh('echo $$; sleep 1000; echo never');
    const listed = async (state: string) =>
      JSON.parse(await enrolment.must('list', '--state', state, '--key', carolKey, '--json')).requests[0];
    let request: { id: string; digest: string } | undefined;
    while (request === undefined) request = await listed('pending');
    await enrolment.must('approve', request.id, '--yes-i-read-it', request.digest, '--key', carolKey);
    await until(() => /^\d+/.test(login.said.stdout) && watchers().length === 1);
    await until(() => enrolment.log.includes('request.reported'));
    expect((await listed('redeemed')).report).toMatchObject({ outcome: 'opened', code: 'watched' });
    await enrolment.must('revoke', request.id, '--comment', 'wrong host', '--key', carolKey);
    const { code, stdout } = await login.outcome;
    expect([code, stdout.includes('never')]).toEqual([255, false]);
    await until(() => watchers().length === 0);
  });
});
