import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatedHost } from './gated-host.js';
import { BrokerProcess, countersign, type RunningProgram, start, until } from './programs.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

interface Listed {
  readonly id: string;
  readonly digest: string;
  readonly state: string;
  readonly waiting: number;
  readonly report: { readonly outcome: string } | null;
  readonly document: {
    readonly action: string;
    readonly requester: string;
    readonly details: Record<string, unknown>;
  };
}

describeWith(['root', 'sshd', 'curl', 'tmux'], 'a command behind the gate of a real sshd', () => {
  let broker: BrokerProcess;
  let host: GatedHost;
  let bobKey: string;

  beforeAll(async () => {
    broker = new BrokerProcess();
    host = new GatedHost();
    bobKey = await broker.enrol('bob');
    await broker.must('roster', 'add', 'alice', '--key', host.file('alice_key.pub'));
    await broker.must(
      ...['submitter', 'add', host.door, '--key', host.file('gate_key.pub'), '--door', host.door],
      ...['--action', 'ssh.*', '--resource', 'web-1', '--requester', '*'],
    );
    writeFileSync(host.file('signers'), await broker.must('roster', 'export'), { mode: 0o644 });
    await broker.start();
    host.configure(broker);
    await host.startSshd();
  });
  afterAll(async () => {
    await host?.remove();
    await broker?.remove();
  });

  const list = async (state: string): Promise<readonly Listed[]> =>
    JSON.parse(await broker.must('list', '--state', state, '--key', bobKey, '--json')).requests;

  /** The one pending request, once there is one that somebody waits for. */
  async function pending(): Promise<Listed> {
    for (;;) {
      const request = (await list('pending')).find(({ waiting }) => waiting > 0);
      if (request !== undefined) return request;
    }
  }

  async function decide(verdict: 'approve' | 'deny'): Promise<Listed> {
    const request = await pending();
    await broker.must(verdict, request.id, '--yes-i-read-it', request.digest, '--key', bobKey);
    // Everybody here asks for one resource all the time, and is denied more often than anybody honest.
    const { requester } = request.document;
    if (verdict === 'deny') await broker.must('unlock', requester, '--comment', 'a test', '--key', bobKey);
    return request;
  }

  /** Runs to its end what bob approves. */
  async function approved(running: RunningProgram) {
    await decide('approve');
    return await running.outcome;
  }

  /** Must ask, and is denied. */
  async function denied(running: RunningProgram): Promise<Listed> {
    const request = await decide('deny');
    expect((await running.outcome).code).toBe(2);
    return request;
  }

  test('waits with the line to paste, then runs exactly what was approved, with its exit code', async () => {
    const running = host.ssh('printf "%s|" "$0" "$HOME" "$LOGNAME" "a  b"; umask; echo err >&2; exit 7');
    const request = await pending();
    await until(() => running.said.stderr.includes(request.id));
    expect(running.said).toEqual({
      stdout: '',
      stderr: expect.stringContaining(`who runs: countersign approve ${request.id}\n`),
    });
    const { code, stdout, stderr } = await approved(running);
    expect([code, stdout]).toEqual([7, `/bin/bash|${host.file('home')}|${host.user}|a  b|0022\n`]);
    expect(stderr.endsWith(`countersign: approved by bob (request ${request.id})\nerr\n`)).toBe(true);
    const login = execFileSync('ssh-keygen', ['-lf', host.file('alice_key.pub')], { encoding: 'utf8' });
    expect(request.document).toMatchObject({
      action: 'ssh.command',
      // Whose key it is, the signers file knows.
      requester: 'alice',
      details: {
        command: expect.stringContaining('exit 7'),
        keys: [login.split(' ')[1]],
        source: '127.0.0.1',
        tty: false,
        user: host.user,
      },
    });
    await until(async () => (await list('redeemed'))[0]?.report?.outcome === 'opened');
  });

  test('an interrupted command is taken up again by the same one, also after the broker has restarted', async () => {
    const first = host.ssh('echo once');
    const { id } = await pending();
    first.child.kill('SIGKILL');
    await until(async () => (await list('pending'))[0]?.waiting === 0);
    await broker.signal('SIGTERM');
    await broker.start();
    const second = host.ssh('echo once');
    const request = await decide('approve');
    expect(request.id).toBe(id);
    expect(await second.outcome).toMatchObject({ code: 0, stdout: 'once\n' });
  });

  test('an approval that came while nobody waited is found by the same command, and spent by it', async () => {
    host.configure(broker, { wait: '2' });
    const first = await host.ssh('echo later').outcome;
    expect(first).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('run the same command again'),
    });
    host.configure(broker);
    const [request] = await list('pending');
    await broker.must(
      'approve',
      request?.id ?? '',
      '--yes-i-read-it',
      request?.digest ?? '',
      '--key',
      bobKey,
    );
    expect(await host.ssh('echo later').outcome).toMatchObject({ code: 0, stdout: 'later\n' });
    expect((await denied(host.ssh('echo later'))).id).not.toBe(request?.id);
  });

  test('a number is shown to who asks alone, the same until it is answered, and must be signed', async () => {
    host.configure(broker, { number: 'yes' });
    const shown = async ({ said }: RunningProgram): Promise<string> => {
      const line = /^countersign: tell the approver this number: ([0-9]{3}) ([0-9]{3})$/m;
      const found = await until(() => line.exec(said.stderr));
      return `${found[1]}${found[2]}`;
    };
    const approve = async ({ id, digest }: Listed, ...more: string[]) =>
      await countersign(['approve', id, '--yes-i-read-it', digest, '--key', bobKey, ...more], broker.env)
        .outcome;
    const first = host.ssh('echo numbered');
    const number = await shown(first);
    const request = await pending();
    expect(request.document).toMatchObject({ context: { number: true } });
    first.child.kill('SIGKILL');
    await until(async () => (await list('pending'))[0]?.waiting === 0);
    const again = host.ssh('echo numbered');
    expect(await shown(again)).toBe(number);
    expect(await approve(request)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--code DIGITS'),
    });
    await approve(request, '--code', `${number.slice(0, 3)} ${number.slice(3)}`);
    expect(await again.outcome).toMatchObject({ code: 0, stdout: 'numbered\n' });

    const misled = host.ssh('echo numbered');
    const other = await shown(misled);
    const wrong = String((Number(other) + 1) % 1_000_000).padStart(6, '0');
    await approve(await pending(), '--code', wrong);
    const { code, stdout, stderr } = await misled.outcome;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('bob signed another number than the one that was shown here');
    // Each ask has one try: the next one has another request, and a number of its own.
    const next = host.ssh('echo numbered');
    await shown(next);
    expect((await denied(next)).id).not.toBe(request.id);
    host.configure(broker);
  });

  test('no other command, key or terminal uses what was approved (A1, A2, A3, A6)', async () => {
    host.configure(broker, { wait: '2' });
    expect(await host.ssh('echo yes').outcome).toMatchObject({ code: 3 });
    host.configure(broker);
    const [standing] = await list('pending');
    await broker.must(
      'approve',
      standing?.id ?? '',
      '--yes-i-read-it',
      standing?.digest ?? '',
      '--key',
      bobKey,
    );
    const mutations: [string, () => RunningProgram][] = [
      ['one byte more', () => host.ssh('echo yes ')],
      ['wrapped', () => host.ssh("sh -c 'echo yes'")],
      ['another key', () => host.ssh('echo yes', { key: 'other_key' })],
      ['a terminal', () => host.ssh('echo yes', { options: ['-tt'] })],
      ['a variable', () => host.ssh('echo yes', { options: ['-o', 'SetEnv=LC_ALL=C'] })],
    ];
    for (const [what, run] of mutations) {
      expect((await denied(run())).id, what).not.toBe(standing?.id);
    }
    expect(await host.ssh('echo yes').outcome).toMatchObject({ code: 0, stdout: 'yes\n' });
  });

  test('a grant lets the same command pass with nobody asked; another one, or once it is revoked, asks anew (A3, A27)', async () => {
    const policy = host.file('policy.yaml');
    const rule = 'name: all, approvals: { people: 1 }, shared-requester: accept';
    const lasting = `{ ${rule}, grants: yes, work: { longest: 1h } }`;
    writeFileSync(policy, `version: 1\nrules: [${lasting}]\n`, { mode: 0o600 });
    await broker.signal('SIGTERM');
    await broker.start('--policy', policy);
    host.configure(broker, { grants: 'yes', duration: '3600', 'longest-duration': '3600' });
    const first = host.ssh('echo lasting');
    const { id, digest } = await pending();
    const signed = ['--grant', '--for', '1h', '--yes-i-read-it', digest, '--key', bobKey];
    await broker.must('approve', id, ...signed);
    expect(await first.outcome).toMatchObject({ code: 0, stdout: 'lasting\n' });
    expect(await host.ssh('echo lasting').outcome).toMatchObject({ code: 0, stdout: 'lasting\n' });
    await denied(host.ssh("sh -c 'echo lasting'"));
    await broker.must('revoke', id, '--comment', 'done', '--key', bobKey);
    await denied(host.ssh('echo lasting'));
    host.configure(broker);
  });

  test('who logs in with a key that nobody owns may be anybody: two would have to sign (A8, A56)', async () => {
    host.configure(broker, { 'shared-requester': null, people: '2' });
    const { code, stderr } = await host.ssh('echo never', { key: 'other_key' }).outcome;
    expect([code, stderr]).toEqual([1, expect.stringContaining('2 of 3 people')]);
    // With her own key she is alice, and bob alone cannot be two.
    const known = await host.ssh('echo never').outcome;
    expect([known.code, known.stderr]).toEqual([1, expect.stringContaining('1 of 2 people')]);
    host.configure(broker);
  });

  test('shells, SFTP and forwarding do not open unless they are configured (A43)', async () => {
    const shell = await host.ssh(null).outcome;
    expect(shell).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no interactive shells here'),
    });
    const batch = host.file('batch');
    writeFileSync(batch, 'ls\n');
    const sftp = await start('sftp', [...host.options(), '-b', batch, host.address]).outcome;
    expect(sftp.code, sftp.stderr).not.toBe(0);
    const scp = await start('scp', [...host.options(), batch, `${host.address}:x`]).outcome;
    expect(scp.code, scp.stderr).not.toBe(0);
    // sshd passes on no messages for subsystems; by name, the user reads why.
    expect(await host.ssh('internal-sftp').outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no SFTP here'),
    });
    const port = new URL(broker.address).port;
    const forward = host.ssh(null, { options: ['-W', `127.0.0.1:${port}`] });
    expect((await forward.outcome).code).not.toBe(0);
    expect(await list('pending')).toEqual([]);
  });

  test('a shell and SFTP that are configured wait for approval like everything else', async () => {
    host.configure(broker, { interactive: 'yes', sftp: 'yes' });
    const batch = host.file('batch');
    writeFileSync(batch, 'ls\n');
    const copied = start('scp', [...host.options(), batch, `${host.address}:copy`]);
    expect((await approved(copied)).code).toBe(0);
    expect(await approved(host.ssh('cat copy'))).toMatchObject({ code: 0, stdout: 'ls\n' });
    const pane = new TmuxPane(['ssh', '-t', ...host.options(), host.address], {});
    const { document } = await decide('approve');
    expect(document).toMatchObject({
      action: 'ssh.shell',
      details: { tty: true, environment: [expect.stringMatching(/^TERM=/)] },
    });
    await pane.shows('approved by bob');
    pane.type('echo $0 $(tty | cut -c1-8)\r');
    await pane.shows('-bash /dev/pts');
    pane.close();
    host.configure(broker);
  });

  test('on a terminal one line counts the seconds, and Ctrl-C leaves the request to the next try', async () => {
    const ssh = ['ssh', '-tt', ...host.options(), host.address, 'echo $((6 * 7)) done'];
    const pane = new TmuxPane(ssh, { TERM: 'xterm' });
    await pane.shows(/^countersign: waiting [1-9] s/m);
    const { id } = await pending();
    pane.press('C-c');
    await pane.shows(`interrupted: the same command takes it up again (request ${id})`);
    expect(pane.screen()).not.toContain('waiting');
    pane.close();
    const again = new TmuxPane(ssh, { TERM: 'xterm' });
    expect((await decide('approve')).id).toBe(id);
    const screen = await again.shows('42 done');
    expect(screen).toContain(`approved by bob (request ${id})`);
    again.close();
  });

  test('what goes in and out is the command’s, byte for byte, and nothing of the gate stays open', async () => {
    const bytes = randomBytes(3_000_000);
    const child = spawn('ssh', [...host.options(), host.address, 'sha256sum; ls /proc/self/fd'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.end(bytes);
    const said = text(child.stdout);
    await decide('approve');
    expect(await said).toBe(`${createHash('sha256').update(bytes).digest('hex')}  -\n0\n1\n2\n3\n`);
    const back = start('ssh', [...host.options(), host.address, 'head -c 100000 /dev/zero']);
    expect((await approved(back)).stdout).toBe('\0'.repeat(100_000));
  });

  test('scp -O copies in both directions', async () => {
    const file = host.file('data');
    writeFileSync(file, randomBytes(100_000));
    expect((await approved(start('scp', ['-O', ...host.options(), file, `${host.address}:data`]))).code).toBe(
      0,
    );
    const back = start('scp', ['-O', ...host.options(), `${host.address}:data`, host.file('back')]);
    expect((await approved(back)).code).toBe(0);
    execFileSync('cmp', [file, host.file('back')]);
  });

  test('a command that cannot be bound is refused with a reason', async () => {
    for (const running of [host.ssh(`echo ${'x'.repeat(5_000)}`), latin1(host, 'echo \xff')]) {
      const { code, stderr } = await running.outcome;
      expect([code, stderr]).toEqual([1, expect.stringContaining('longer than 4096 bytes, or not UTF-8')]);
    }
    expect(await list('pending')).toEqual([]);
  });

  test('no broker, another broker, or other signers: shut, and one line says why (A41, A57)', async () => {
    const shut = async (settings: Record<string, string>, reason: string): Promise<void> => {
      host.configure(broker, settings);
      const { code, stdout, stderr } = await host.ssh('echo never').outcome;
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(reason);
    };
    await shut({ broker: 'http://127.0.0.1:1' }, 'cannot be reached');
    await shut({ fingerprint: `SHA256:${'b'.repeat(42)}A` }, 'wrong-broker');
    writeFileSync(host.file('bad'), 'x\n', { mode: 0o644 });
    await shut({ signers: host.file('bad') }, 'signers file line 1');
    await shut({ state: host.file('state') }, 'is not a directory of');
    await shut({ nonsense: '1' }, 'unknown key nonsense');
    const stranger = execFileSync('cat', [host.file('other_key.pub')], { encoding: 'utf8' }).split(' ');
    writeFileSync(
      host.file('strangers'),
      `bob namespaces="decision@countersign" ${stranger.slice(0, 2).join(' ')}\n`,
      { mode: 0o644 },
    );
    host.configure(broker, { signers: host.file('strangers') });
    const running = host.ssh('echo never');
    const { code, stdout, stderr } = await approved(running);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('the signature of bob does not hold');
    host.configure(broker);
  });

  test('check finds each way around the gate', async () => {
    const good = await host.check(host.user).outcome;
    expect(good, good.stdout).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).not.toContain('FAIL');
    const ways: [string, string][] = [
      ['ForceCommand /bin/true', 'ForceCommand of'],
      ['ExposeAuthInfo no', 'exposeauthinfo'],
      ['DisableForwarding no', 'DisableForwarding is not yes'],
      ['AllowAgentForwarding yes', 'gets allowagentforwarding without the gate'],
      ['X11Forwarding yes', 'gets x11forwarding without the gate'],
      ['PermitUserRC yes', 'permituserrc'],
      ['AcceptEnv *', 'AcceptEnv *'],
    ];
    for (const [line, said] of ways) {
      await host.startSshd([line]);
      const { code, stdout } = await host.check(host.user).outcome;
      expect([code, stdout], line).toEqual([
        1,
        expect.stringMatching(new RegExp(`^FAIL .*${said.replace('*', '\\*')}`, 'm')),
      ]);
    }
    await host.startSshd();
  });
});

/** A command of bytes that are no UTF-8, which an argument of Node cannot be. */
function latin1(host: GatedHost, command: string): RunningProgram {
  const words = [...host.options(), host.address].map((word) => `'${word}'`).join(' ');
  const bytes = [...Buffer.from(command, 'latin1')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return start('bash', ['-c', `ssh ${words} "$(printf '${bytes.join('')}')"`]);
}
