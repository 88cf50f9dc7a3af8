import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, countersign, type RunningProgram, until } from './programs.js';
import { describeWith } from './tools.js';

describeWith(['openssl', 'curl'], 'a broker with a CA of its own', () => {
  let broker: BrokerProcess;
  let running: RunningProgram;
  let bob: string;
  let url: string;
  const ca = (): string => join(broker.data, 'tls', 'ca.pem');

  beforeAll(async () => {
    broker = new BrokerProcess();
    bob = await broker.enrol('bob');
    running = countersign(
      ['up', '--dir', broker.data, '--listen', '0.0.0.0:0', '--tls-name', 'approvals.example.com'],
      broker.env,
    );
    await until(() => {
      if (running.child.exitCode !== null) throw new Error(running.said.stderr);
      return running.said.stdout.includes('To ask for something');
    });
    const port = /https:\/\/approvals\.example\.com:(\d+)/.exec(running.said.stdout)?.[1];
    url = `https://approvals.example.com:${port}`;
  });
  afterAll(async () => {
    running?.child.kill('SIGTERM');
    await running?.outcome;
    await broker?.remove();
  });

  const resolve = (): string => `${new URL(url).host}:127.0.0.1`;
  const curl = (...args: string[]) =>
    spawnSync('curl', ['-sS', '--resolve', resolve(), ...args], { encoding: 'utf8' });

  test('prints lines for curl, consoles and doors that work as they stand', () => {
    const { stdout } = running.said;
    expect(stdout).toContain(ca());
    const line = /^ +curl +(curl .*)$/m.exec(stdout)?.[1] ?? '';
    copyFileSync(ca(), join(broker.directory, 'countersign-ca.pem'));
    const told = JSON.parse(
      execFileSync('sh', ['-c', `${line} -sS --resolve ${resolve()}`], {
        cwd: broker.directory,
        encoding: 'utf8',
      }),
    );
    expect(stdout).toContain(`fingerprint=${told.fingerprint}`);
    expect(stdout).toContain(`countersign console --url ${url} --ca countersign-ca.pem`);
  });

  test('is refused under another name, without its CA, and below TLS 1.2', async () => {
    expect(curl('--cacert', ca(), `${url}/v1/broker`).status).toBe(0);
    const other = url.replace('approvals', 'other');
    const wrong = curl(
      '--resolve',
      resolve().replace('approvals', 'other'),
      '--cacert',
      ca(),
      `${other}/v1/broker`,
    );
    expect(wrong.status).toBe(60);
    expect(wrong.stderr).toContain('other.example.com');
    expect(curl(`${url}/v1/broker`).status).toBe(60);
    expect(curl('--cacert', ca(), '--tls-max', '1.1', `${url}/v1/broker`).status).toBe(35);
    const list = (host: string, ...flags: string[]) =>
      countersign(
        ['list', '--url', url.replace('approvals.example.com', host), '--key', bob, ...flags],
        broker.env,
      ).outcome;
    expect(await list('localhost', '--ca', ca())).toMatchObject({ code: 0, stdout: 'no requests\n' });
    expect((await list('localhost')).stderr).toContain('give its CA with --ca FILE');
  });

  test('keeps a waiting door through SIGHUP, and goes on with the old certificate where a new one fails', async () => {
    const token = (
      await broker.must(
        'submitter',
        'add',
        'ci',
        '--token',
        '--action',
        'db.*',
        '--resource',
        '*',
        '--door',
        '*',
        '--requester',
        '*',
      )
    ).trim();
    const file = join(broker.directory, 'token');
    writeFileSync(file, token, { mode: 0o600 });
    const local = url.replace('approvals.example.com', 'localhost');
    const asker = countersign(
      [
        'request',
        'db.migrate',
        '--resource',
        'orders',
        '--door',
        'job',
        '--requester',
        'alice',
        '--wait',
        '--url',
        local,
        '--ca',
        ca(),
        '--token-file',
        file,
        '--json',
      ],
      broker.env,
    );
    await until(() => asker.said.stderr.includes('waiting for the answer'));
    const shown = (): string =>
      execFileSync(
        'sh',
        [
          '-c',
          `openssl s_client -connect localhost:${new URL(url).port} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
        ],
        { encoding: 'utf8' },
      );
    const first = shown();
    running.child.kill('SIGHUP');
    await until(() => running.said.stderr.includes('certificate-loaded'));
    const second = shown();
    expect(second).not.toBe(first);
    const names = join(broker.data, 'tls', 'ca.names');
    const before = readFileSync(names, 'utf8');
    writeFileSync(names, 'somebody.else\n');
    running.child.kill('SIGHUP');
    await until(() => /"level":50.*"certificate-refused"/.test(running.said.stderr));
    writeFileSync(names, before);
    expect(shown()).toBe(second);
    expect(asker.child.exitCode).toBeNull();
    const [request] = JSON.parse(await broker.must('list', '--key', bob, '--json')).requests;
    await broker.must('approve', request.id, '--yes-i-read-it', request.digest, '--key', bob);
    expect((await asker.outcome).code).toBe(0);
    expect(asker.said.stderr).not.toContain('lost the broker');
  });
});
