import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatedHost } from './gated-host.js';
import { BrokerProcess, countersign, type Outcome, start, until } from './programs.js';
import { ProtectedHost } from './protected-host.js';
import { Readme } from './readme/blocks.js';
import { describeWith } from './tools.js';

const TOOLS = ['root', 'mount namespaces', 'sshd', 'setpriv', 'jq'];

describeWith(TOOLS, 'break-glass at the door of a real sshd, drilled', () => {
  let broker: BrokerProcess;
  let host: ProtectedHost;
  let bobKey: string;
  let aliceKey: string;
  let carolKey: string;
  let spool: string;

  beforeAll(async () => {
    broker = new BrokerProcess();
    host = new ProtectedHost(broker);
    bobKey = await broker.enrol('bob');
    aliceKey = await broker.enrol('alice', '--group', 'oncall');
    carolKey = await broker.enrol('carol');
    await broker.start();
    spool = join(host.directory, 'spool');
    await host.install({ offline: spool });
    mkdirSync(spool, { mode: 0o755 });
  });
  afterAll(async () => {
    await host?.remove();
    await broker?.remove();
  });

  const documentIn = ({ stderr }: Outcome): string => /^\{"action":.*\}\r?$/m.exec(stderr)?.[0].trim() ?? '';

  test('with the broker stopped, what bob signs for the printed line opens once (A41, A51, A55)', async () => {
    await broker.signal('SIGTERM');
    const refused = await host.ssh('echo never').outcome;
    expect([refused.code, refused.stdout]).toEqual([255, '']);
    const file = join(broker.directory, 'document');
    writeFileSync(file, `${documentIn(refused)}\n`);
    const digest = execFileSync('sha256sum', { input: documentIn(refused), encoding: 'utf8' }).slice(0, 64);
    const signed = await countersign(
      ['sign', file, '--approver', 'bob', '--key', bobKey, '--yes-i-read-it', `sha256:${digest}`],
      broker.env,
    ).outcome;
    expect(signed.code, signed.stderr).toBe(0);
    writeFileSync(join(spool, 'bob'), signed.stdout, { mode: 0o644 });
    const opened = await host.ssh('echo opened for $USER').outcome;
    expect([opened.code, opened.stdout.trim()], opened.stderr).toEqual([0, `opened for ${host.user}`]);
    expect((await host.ssh('echo never').outcome).code).toBe(255);
  });

  test('what plain ssh-keygen signs by the README is the same text, and opens too', async () => {
    const refused = await host.ssh('echo never').outcome;
    const document = documentIn(refused);
    const directory = broker.directory;
    writeFileSync(join(directory, 'document.json'), `${document}\n`);
    const readme = new Readme();
    readme.take('Without the broker');
    const block = readme
      .take('Without the broker')
      .replace(/SHA256:REPLACE\S*/, broker.fingerprint)
      .replace('~/.ssh/id_ed25519', bobKey);
    // Both texts are of one second, and an ed25519 signature is the same each time.
    const script = `date() { if [ "$1" = +%s ]; then echo "$SECOND"; else command date "$@"; fi; }\n${block}`;
    const digest = execFileSync('sha256sum', { input: document, encoding: 'utf8' }).slice(0, 64);
    const { stdout, code, stderr } = await countersign(
      [
        'sign',
        join(directory, 'document.json'),
        '--approver',
        'bob',
        '--key',
        bobKey,
        '--yes-i-read-it',
        `sha256:${digest}`,
      ],
      broker.env,
    ).outcome;
    expect(code, stderr).toBe(0);
    const decided = /^decided: (.*)$/m.exec(stdout)?.[1] ?? '';
    execFileSync('bash', ['-euc', script], {
      cwd: directory,
      env: { ...process.env, SECOND: String(Date.parse(decided) / 1000) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const receipt = readFileSync(join(directory, 'bob.receipt'), 'utf8');
    expect(receipt).toBe(stdout);
    writeFileSync(join(spool, 'bob-by-hand'), receipt, { mode: 0o644 });
    expect((await host.ssh('echo opened').outcome).stdout).toBe('opened\n');
  });

  test('the gate runs a command once that was signed without the broker, and nothing else (A41, A55, A64)', async () => {
    const gate = new GatedHost();
    try {
      const receipts = gate.file('spool');
      mkdirSync(receipts, { mode: 0o755 });
      writeFileSync(gate.file('signers'), await broker.must('roster', 'export'), { mode: 0o644 });
      gate.configure(broker, { offline: receipts });
      await gate.startSshd();
      const run = (command: string): Promise<Outcome> =>
        start('ssh', [...gate.options(), gate.address, command]).outcome;
      const refused = await run('echo held');
      const document = documentIn(refused);
      expect([refused.code, JSON.parse(document).details.command]).toEqual([1, 'echo held']);
      expect(refused.stderr).toContain('then run the same command again');
      writeFileSync(join(broker.directory, 'gate.json'), `${document}\n`);
      const digest = execFileSync('sha256sum', { input: document, encoding: 'utf8' }).slice(0, 64);
      const signed = await countersign(
        [
          ...['sign', join(broker.directory, 'gate.json'), '--approver', 'bob', '--key', bobKey],
          ...['--yes-i-read-it', `sha256:${digest}`],
        ],
        broker.env,
      ).outcome;
      writeFileSync(join(receipts, 'bob'), signed.stdout, { mode: 0o644 });
      expect((await run('echo other')).code).toBe(1);
      const opened = await run('echo held');
      expect([opened.code, opened.stdout], opened.stderr).toEqual([0, 'held\n']);
      expect(opened.stderr).toContain('approved offline by bob');
      expect((await run('echo held')).code).toBe(1);
    } finally {
      await gate.remove();
    }
  });

  /** What alice did stays open until two others have signed that they looked at it. */
  async function reviewed({ id, digest }: { readonly id: string; readonly digest: string }): Promise<void> {
    const review = (key: string) =>
      countersign(['review', id, '--comment', 'seen', '--yes-i-read-it', digest, '--key', key], broker.env)
        .outcome;
    expect(await broker.must('status', '--key', bobKey)).toContain(`countersign review ${id}`);
    expect((await review(aliceKey)).code).toBe(1);
    expect((await review(bobKey)).stdout).toBe(`signed; somebody else must look at ${id} too\n`);
    expect((await review(bobKey)).stdout).not.toContain('is reviewed');
    expect((await review(carolKey)).stdout).toBe(`signed; ${id} is reviewed\n`);
    expect(await broker.must('review', '--key', bobKey)).toBe('nothing to review\n');
  }

  test('alice opens alone, with her reason, once her own door says that the delay is over (A8, A41)', async () => {
    const policy = join(broker.directory, 'policy.yaml');
    writeFileSync(
      policy,
      [
        'version: 1',
        'rules:',
        '  - name: logins',
        '    approvals: { people: 1 }',
        '    alone: { group: oncall, delay: 1s, reason: 40 }',
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    await broker.start('--policy', policy);
    host.configure({ 'alone-group': 'oncall', 'alone-after': '3600' });
    const early = host.ssh('echo never');
    const list = async (state: string) =>
      JSON.parse(await broker.must('list', '--state', state, '--key', bobKey, '--json')).requests[0];
    let asked: { id: string; digest: string } | undefined;
    while (asked === undefined) asked = await list('pending');
    const reason = 'INC-4312: nobody answers the pager and the shop is down';
    await broker.must(
      ...['break-glass', asked.id, '--reason', reason, '--yes-i-read-it', asked.digest, '--key', aliceKey],
    );
    // The broker lets her in after a second; the door has a time of its own.
    const refused = await early.outcome;
    expect([refused.code, refused.stdout]).toEqual([255, '']);
    expect(refused.stderr).toContain('nobody opens alone before');
    host.configure({ 'alone-group': 'oncall', 'alone-after': '2' });
    const opened = await host.ssh('echo opened').outcome;
    expect([opened.code, opened.stdout], opened.stderr).toEqual([0, 'opened\n']);
    await until(() => broker.log.includes('request.reported'));
    const { id, report } = await list('redeemed');
    expect([id, report.outcome, report.code]).toEqual([asked.id, 'opened', 'alone']);
    await reviewed(asked);
  });
});
