import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CLI, start, User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let user: User;
beforeEach(() => {
  user = new User();
});
afterEach(() => user.remove());

/** Approves the one pending request as a script does. */
async function approvePending(): Promise<string> {
  const { requests } = JSON.parse(await user.must('list', '--json'));
  const [{ id, digest }] = requests;
  return user.must('approve', id, '--yes-i-read-it', digest);
}

describe('up', () => {
  test('makes everything on first use, and the line that it prints works from anywhere', async () => {
    const up = await user.up();
    expect(statSync(user.data).mode & 0o777).toBe(0o700);
    for (const name of ['broker.key', 'broker.db', 'broker.sock']) {
      expect(statSync(join(user.data, name)).mode & 0o077, name).toBe(0);
    }
    // Another terminal has none of this one's settings but its home.
    const ask = start('sh', ['-c', up.line], { cwd: '/', env: { HOME: user.home } });
    await ask.says(/asked/);
    expect(await approvePending()).toMatch(/^approved \S{26}: the request is approved\n$/);
    const { code, stdout } = await ask.ended;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^approved \S{26} by \S+\n$/),
    });
    // Green is what the door reported (A50).
    expect(await user.must('list', '--state', 'all')).toMatch(/ opened /);
    up.child.kill('SIGTERM');
    expect(await up.ended).toMatchObject({ code: 0, signal: null });
    expect(existsSync(join(user.data, 'broker.sock'))).toBe(false);
  });

  test('enrols the key of ~/.ssh, and says so', async () => {
    const key = user.makeKey('id_ed25519');
    const up = await user.up();
    await up.says(new RegExp(`first run: .*enrolled .* from ${key}`));
    const [, base64 = ''] = readFileSync(`${key}.pub`, 'utf8').split(' ');
    expect(await user.must('roster', 'export')).toContain(base64);
    expect(existsSync(join(user.home, 'config'))).toBe(false);
  });

  test('makes a key where there is none, says where, and that key decides', async () => {
    const up = await user.up();
    const [, path = ''] = await up.says(/made at (\S+)/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await user.must('list')).toBe('no requests\n');
  });

  test('on a running broker starts no second one, and changes nothing', async () => {
    await user.up();
    const roster = await user.must('roster', 'list');
    const { code, stderr } = await user.run('up');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('runs in') });
    expect(await user.must('roster', 'list')).toBe(roster);
  });

  test('keeps the roster that there is', async () => {
    const key = user.makeKey('bob');
    await user.must('roster', 'add', 'bob', '--key', `${key}.pub`);
    const up = await user.up();
    expect(await user.must('roster', 'list')).toMatch(/^NAME.*\nbob .*\n$/);
    expect(await user.must('submitter', 'list')).toBe('no submitters are enrolled\n');
    await up.says(/listens at/);
  });

  test('takes a free port where the default one is taken, and says so', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => {
      // Taken by another test or program is as good.
      squatter.once('error', () => resolve());
      squatter.listen(7433, '127.0.0.1', resolve);
    });
    onTestFinished(() => void squatter.close());
    const up = user.start(['up']);
    await up.says(/127\.0\.0\.1:7433 is taken by another program: taking a free port/);
    const [, port] = await up.says(/listens at http:\/\/127\.0\.0\.1:(\d+)/);
    expect(port).not.toBe('7433');
  });

  test('refuses a data directory that stands open to others', async () => {
    (await user.up()).child.kill('SIGTERM');
    chmodSync(user.data, 0o755);
    const { code, stderr } = await user.run('up');
    expect(code).toBe(1);
    expect(stderr).toMatch(/open to other users\nhint: chmod 700/);
  });
});

describe('up on a terminal', () => {
  test('hands the looks that are asked for on to its console, and takes no others', async () => {
    const { code, stderr } = await user.run('up', '--theme', 'pink');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('"pink" is no theme') });
    const line = `exec '${process.execPath}' '${CLI}' up --listen 127.0.0.1:0 --screen-reader --ascii`;
    const terminal = start('script', ['-qec', line, '/dev/null'], {
      env: { ...user.env, SHELL: '/bin/sh', TERM: 'xterm', LC_ALL: 'C.UTF-8' },
    });
    await terminal.says(/Nobody is waiting/);
    const program = execFileSync('ps', ['-o', 'pid=', '--ppid', `${terminal.child.pid}`], {
      encoding: 'utf8',
    });
    process.kill(Number(program), 'SIGTERM');
    // It reads out instead of painting an alternate screen, and in ASCII.
    expect((await terminal.ended).stdout).not.toMatch(/\u001b\[\?1049h|[^\x00-\x7f]/);
  });

  test('opens the console, and on SIGTERM gives the terminal back and lets the broker finish', async () => {
    const line = `exec '${process.execPath}' '${CLI}' up --listen 127.0.0.1:0`;
    const terminal = start('script', ['-qec', line, '/dev/null'], {
      env: { ...user.env, SHELL: '/bin/sh', TERM: 'xterm' },
    });
    await terminal.says(/nothing pending/);
    const program = execFileSync('ps', ['-o', 'pid=', '--ppid', `${terminal.child.pid}`], {
      encoding: 'utf8',
    });
    process.kill(Number(program), 'SIGTERM');
    const { code, stdout } = await terminal.ended;
    expect(code).toBe(128 + 15);
    // The alternate screen is left after it was entered, and the line to paste stands on the normal one.
    expect(stdout).toMatch(/paste this(.|\n|\r)*\u001b\[\?1049h(.|\n|\r)*\u001b\[\?1049l/);
    expect(existsSync(join(user.data, 'broker.sock'))).toBe(false);
  });
});

describe('serve', () => {
  test('may be stopped, killed and started again while somebody waits: the answer still comes', async () => {
    await user.must('roster', 'add', 'bob', '--key', `${user.makeKey('id_ed25519')}.pub`);
    await user.must(
      ...['submitter', 'add', 'local', '--socket', '--action', 'demo.*', '--resource', '*'],
      ...['--door', 'demo', '--requester', 'demo'],
    );
    const serve = async () => {
      const running = user.start(['serve', '--listen', 'none']);
      await running.says(/"event":"started"/);
      return running;
    };
    let broker = await serve();
    const ask = user.start(['request', 'demo.hello', '--resource', 'demo', '--wait']);
    await ask.says(/waiting for the answer/);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      broker.child.kill(signal);
      const { code, signal: killedBy } = await broker.ended;
      expect(killedBy ?? code).toBe(signal === 'SIGTERM' ? 0 : signal);
      broker = await serve();
    }
    await ask.says(/lost the broker; trying again/);
    await approvePending();
    expect(await ask.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('by bob') });
  });

  test('does not start before somebody is enrolled', async () => {
    const { code, stderr } = await user.run('serve');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^countersign: error: nobody is enrolled in .*\nhint: .*roster add/),
    });
    expect(existsSync(user.data)).toBe(false);
  });

  test('says which address is taken, and what to do', async () => {
    const key = user.makeKey('bob');
    await user.must('roster', 'add', 'bob', '--key', `${key}.pub`);
    const squatter = createServer();
    const port = await new Promise<number>((resolve) =>
      squatter.listen(0, '127.0.0.1', () => resolve((squatter.address() as { port: number }).port)),
    );
    onTestFinished(() => void squatter.close());
    const { code, stderr } = await user.run('serve', '--listen', `127.0.0.1:${port}`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(`127.0.0.1:${port} is taken by another program\nhint: .*--listen`),
      ),
    });
  });

  test.each([
    [['--listen', 'every:where'], /is not HOST:PORT/],
    [['--tls-cert', 'cert.pem'], /--tls-cert and --tls-key go together/],
    [['--listen', '0.0.0.0:0'], /plain HTTP on 0\.0\.0\.0/],
  ])('with %j is refused', async (args, message) => {
    await user.must('roster', 'add', 'bob', '--key', `${user.makeKey('bob')}.pub`);
    const { code, stderr } = await user.run('serve', ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
