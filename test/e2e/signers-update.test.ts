import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, type Outcome, SCRIPTS, start } from './programs.js';
import { describeWith } from './tools.js';

/** A door of root's that follows the roster of a real broker. */
describeWith(['root', 'bash', 'curl', 'ssh-keygen', 'flock', 'logger'], 'the signers file of a door', () => {
  let broker: BrokerProcess;
  let directory: string;
  const keys: Record<string, string> = {};
  const file = (name: string): string => join(directory, name);
  const signers = (): string => readFileSync(file('signers'), 'utf8');
  const fetchSigners = (...options: string[]): Promise<Outcome> =>
    start(file('libexec/countersign-roster'), ['--config', file('pam.conf'), ...options]).outcome;
  const as = (name: string, ...args: string[]): Promise<string> =>
    broker.must(...args, '--url', broker.address, '--key', keys[name] ?? '');
  const present = async (): Promise<string> =>
    JSON.parse(await as('bob', 'roster', 'status', '--json')).present.digest;
  const sign = async (name: string): Promise<string> =>
    as(name, 'roster', 'sign', '--yes-i-read-it', await present());
  /** On the data directory itself, as without a running broker. */
  const change = async (...args: string[]): Promise<void> => {
    await broker.signal('SIGTERM');
    await broker.must('roster', ...args);
    await broker.start();
  };

  beforeAll(async () => {
    broker = new BrokerProcess();
    for (const name of ['alice', 'bob', 'carol']) keys[name] = await broker.enrol(name);
    // Below /tmp a door trusts nothing.
    directory = mkdtempSync('/run/countersign-signers-');
    chmodSync(directory, 0o755);
    mkdirSync(file('state'), { mode: 0o700 });
    for (const part of ['countersign-roster', 'door'])
      cpSync(join(SCRIPTS, part), file(`libexec/${part}`), { recursive: true });
    execFileSync('chown', ['-R', '0:0', directory]);
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', file('libexec')]);
    writeFileSync(file('signers'), await broker.must('roster', 'export', '--for', 'host:web-1'));
    await broker.start();
    const lines = {
      broker: broker.address,
      fingerprint: broker.fingerprint,
      door: 'host:web-1',
      submitter: 'host:web-1',
      signers: file('signers'),
      state: file('state'),
      people: '2',
    };
    writeFileSync(
      file('pam.conf'),
      Object.entries(lines)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
  });
  afterAll(async () => {
    await broker.remove();
    rmSync(directory, { recursive: true });
  });

  test('follows the roster once two people have signed, and not before (A17)', {
    timeout: 60_000,
  }, async () => {
    expect(await fetchSigners()).toEqual({ code: 0, stdout: 'nothing newer is signed\n', stderr: '' });
    const dave = broker.makeKey('dave');
    await change('add', 'dave', '--key', `${dave}.pub`, '--group', 'oncall');
    const before = signers();
    expect((await fetchSigners()).code).toBe(3);
    const shown = await as('bob', 'roster', 'status');
    expect(shown).toMatch(/^serial +1$/m);
    expect(shown).toMatch(/^ +\+ dave may sign from now on$/m);
    expect(shown).toMatch(/^ +\+ dave gets the group oncall$/m);
    expect(await sign('bob')).toMatch(/^signed serial 1: 1 of 2 people have signed$/m);
    expect(await fetchSigners()).toEqual({
      code: 3,
      stdout: '',
      stderr:
        'countersign-roster: the roster has changed, and too few people have signed for its signers file so far\n',
    });
    expect(signers()).toBe(before);
    expect(await sign('carol')).toMatch(/^signed serial 1: doors take it over/m);
    const done = await fetchSigners();
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(done.stdout).toMatch(/^replaced .*\/signers, serial 1: [ -~]*\+ person dave[ -~]*\n$/);
    expect(signers()).toBe(await broker.must('roster', 'export'));
    keys.dave = dave;
  });

  test('is followed from step to step, by who was in the one before', { timeout: 60_000 }, async () => {
    await change('remove', 'alice');
    await sign('dave');
    await sign('bob');
    await change('set', 'carol', '--group', 'db');
    await sign('carol');
    await sign('dave');
    const done = await fetchSigners();
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(done.stdout).toMatch(/serial 3: [ -~]*- person alice[ -~]*\+ group db: carol\n$/);
    expect(signers()).toBe(await broker.must('roster', 'export'));
  });

  test('that the broker does not know stays, and root is told what to do', async () => {
    writeFileSync(file('signers'), `# by hand\n${signers()}`);
    const said = await fetchSigners();
    expect([said.code, said.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^countersign-roster: error: the broker does not know this signers file .* by hand, once\n$/,
      ),
    ]);
  });
});
