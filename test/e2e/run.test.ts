import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eachOf } from './evil-broker/cases.js';
import { CLI, countersign, until } from './programs.js';
import { type HeldRun, RunDoor, type RunEnd, type RunOptions } from './run-door.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

const door = new RunDoor();
let serial = 0;
/** A file that no other test writes. */
let trace = '';
/** A command that leaves a line there. */
let leaveTrace: readonly string[] = [];

beforeAll(() => door.prepare());
afterAll(() => door.broker.remove());
beforeEach(() => {
  serial += 1;
  trace = join(door.broker.directory, `trace-${serial}`);
  leaveTrace = ['sh', '-c', 'echo ran >>"$0"', trace];
});

const ran = (): number => (existsSync(trace) ? readFileSync(trace, 'utf8').split('\n').length - 1 : 0);

describe('a command with a number', () => {
  beforeAll(() => door.configure({ number: 'yes' }));
  afterAll(() => door.configure({}));

  /** What is shown to who runs it. */
  async function shown({ said }: HeldRun): Promise<string> {
    const line = /^countersign: tell the approver this number: ([0-9]{3}) ([0-9]{3})$/m;
    const [, first = '', last = ''] = await until(() => line.exec(said.stderr));
    return first + last;
  }
  async function approve(id: string, ...more: string[]): Promise<{ code: number | null; stderr: string }> {
    const { digest } = await door.show(id);
    const words = ['approve', id, '--yes-i-read-it', digest, '--key', door.bob, ...more];
    return countersign(words, door.broker.env).outcome;
  }
  const next = (number: string): string => String((Number(number) + 1) % 1_000_000).padStart(6, '0');

  test('runs once the number is signed that was shown to who runs it, the same after an interruption', async () => {
    const first = door.start(leaveTrace);
    const id = await first.id();
    const number = await shown(first);
    first.child.kill('SIGTERM');
    await first.end;
    const second = door.start(leaveTrace);
    expect([await second.id(), await shown(second)]).toEqual([id, number]);
    for (const more of [[], ['--code', '12345'], ['--code', '٠١٢٣٤٥']])
      expect(await approve(id, ...more)).toMatchObject({ code: 1 });
    expect(await approve(id, '--code', number)).toMatchObject({ code: 0 });
    expect((await second.end).code).toBe(0);
    expect(ran()).toBe(1);
    expect(await door.show(id)).toMatchObject({ document: { context: { number: true } } });
  });

  test('does not run with another number, and asks anew with one of its own', async () => {
    const run = door.start(leaveTrace);
    const id = await run.id();
    expect(await approve(id, '--code', next(await shown(run)))).toMatchObject({ code: 0 });
    const { code, stderr } = await run.end;
    expect([code, ran()]).toEqual([121, 0]);
    expect(stderr).toContain('bob signed another number than the one that was shown here');
    expect(await door.show(id)).toMatchObject({ report: { outcome: 'refused', code: 'wrong-number' } });
    const again = door.start(leaveTrace);
    expect(await again.id()).not.toBe(id);
    await shown(again);
    await door.decide('deny', await again.id());
    expect((await again.end).code).toBe(122);
  });

  test('has no number where grants are taken, and none in a no', async () => {
    const run = door.start(leaveTrace);
    const id = await run.id();
    const { digest } = await door.show(id);
    const no = ['deny', id, '--yes-i-read-it', digest, '--key', door.bob];
    expect(await countersign([...no, '--code', '123456'], door.broker.env).outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--code'),
    });
    await door.broker.must(...no);
    expect((await run.end).code).toBe(122);
    door.configure({ number: 'yes', grants: 'yes' });
    const refused = await door.run(leaveTrace);
    expect([refused.code, refused.stderr]).toEqual([
      121,
      expect.stringContaining('number and grants exclude each other'),
    ]);
    door.configure({ number: 'yes' });
  });
});

describeWith(['tmux'], 'an approver on a terminal', () => {
  afterAll(() => door.configure({}));

  test('is asked for the number, then for the digest; what is no number stops', async () => {
    door.configure({ number: 'yes' });
    const run = door.start(leaveTrace);
    const id = await run.id();
    const line = /number: ([0-9]{3} [0-9]{3})$/m;
    const [, number = ''] = await until(() => line.exec(run.said.stderr));
    const { digest } = await door.show(id);
    const answered = async (typed: string): Promise<string> => {
      const words = [process.execPath, CLI, 'approve', id, '--key', door.bob];
      const pane = new TmuxPane(words, door.broker.env, 120, 80);
      try {
        await pane.shows('The six digits that the requester tells you');
        pane.type(typed);
        pane.press('Enter');
        await pane.shows(/anything else stops:|nothing was signed/);
        pane.type(digest.slice(7, 13));
        pane.press('Enter');
        return await pane.shows(/nothing was signed|the request is approved/);
      } finally {
        pane.close();
      }
    };
    for (const typed of ['', '12 345', 'yes'])
      expect(await answered(typed)).toContain('those are not six digits');
    expect(await answered(number)).toContain('the request is approved');
    expect((await run.end).code).toBe(0);
    expect(ran()).toBe(1);
  });
});

describe('a command that is to work for a time', () => {
  afterAll(() => door.configure({}));

  test('asks for what run.conf or --for says, up to what its door takes', async () => {
    door.configure({ 'longest-duration': '3600', duration: '60' });
    const asked = async (flags: readonly string[]): Promise<unknown> => {
      const run = door.start(leaveTrace, { flags });
      const id = await run.id();
      await door.decide('deny', id);
      await run.end;
      const { document } = (await door.show(id)) as { document?: { duration: number } };
      return document?.duration;
    };
    expect(await asked([])).toBe(60);
    expect(await asked(['--for', '1h'])).toBe(3600);
    for (const [flags, settings] of [
      [['--for', '61m'], { 'longest-duration': '3600' }],
      [[], { 'longest-duration': '3600', duration: '3601' }],
      [[], { duration: '1' }],
    ] as const) {
      door.configure(settings);
      const { code, stderr } = await door.run(leaveTrace, { flags });
      expect([code, stderr]).toEqual([121, expect.stringContaining('above longest-duration=')]);
    }
    expect(ran()).toBe(0);
  });
});

describe('a command that is approved', () => {
  test('is executed word by word, and its streams and code pass through; the broker hears of it', async () => {
    const words = ['', '-x', '--', '$HOME', '*', 'two  words', 'a\nb', 'ü'];
    const run = door.start(
      ['sh', '-c', 'cat; printf "<%s>" "$@"; echo problem >&2; exit 7', 'sh', ...words],
      {
        input: 'piped in',
      },
    );
    const id = await run.id();
    await door.decide('approve', id);
    const { code, stdout, stderr } = await run.end;
    expect({ code, stdout }).toEqual({
      code: 7,
      stdout: `piped in${words.map((word) => `<${word}>`).join('')}`,
    });
    expect(stderr).toMatch(/\ncountersign: an approver can sign with: \S.* approve \S{26} --dir /);
    expect(stderr).toMatch(/\ncountersign: approved by bob\nproblem\n$/);
    expect(await door.show(id)).toMatchObject({
      state: 'redeemed',
      report: { outcome: 'opened', code: 'approved' },
      document: {
        action: 'command.run',
        details: {
          argv: ['sh', '-c', expect.any(String), 'sh', ...words],
          cwd: door.broker.directory,
          environment: {},
          executable: {
            path: expect.stringMatching(/^\/.*\/sh$/),
            sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          },
          stdin: expect.stringMatching(/^(?:pipe|socket)$/),
        },
      },
    });
  });

  test('opens once: the same command again is asked for again (A22)', async () => {
    expect((await door.approved(leaveTrace)).code).toBe(0);
    expect((await door.run(leaveTrace, { flags: ['--wait', '1'] })).code).toBe(123);
    expect(ran()).toBe(1);
  });

  test('opens once for two that wait at the same time (A55)', async () => {
    const both = [door.start(leaveTrace)];
    const id = await both[0]!.id();
    both.push(door.start(leaveTrace));
    expect(await both[1]!.id()).toBe(id);
    await door.decide('approve', id);
    const asksAnew = /the approval is used up; asking anew\n.*asked (\S{26})/;
    const [, again = ''] = await until(() => asksAnew.exec(both.map(({ said }) => said.stderr).join()));
    await door.decide('deny', again);
    const codes = (await Promise.all(both.map(({ end }) => end))).map(({ code }) => code);
    expect(codes.sort()).toEqual([0, 122]);
    expect(ran()).toBe(1);
  });

  test('gets the signals that are sent to the program that runs it, and its death is passed on', async () => {
    const run = door.start([
      'sh',
      '-c',
      'trap "echo got USR1" USR1; echo ready; while :; do sleep 0.1; done',
    ]);
    await door.decide('approve', await run.id());
    await until(() => run.said.stdout.includes('ready'));
    run.child.kill('SIGUSR1');
    await until(() => run.said.stdout.includes('got USR1'));
    run.child.kill('SIGTERM');
    expect(await run.end).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(await door.approved(['sh', '-c', 'kill -KILL $$'])).toMatchObject({ signal: 'SIGKILL' });
    // What would dump the core of Node is said by the code alone.
    expect(await door.approved(['sh', '-c', 'ulimit -c 0; kill -ABRT $$'])).toMatchObject({ code: 134 });
    // A pipe that breaks kills it as it would anywhere.
    expect(await door.approved(['sh', '-c', 'yes | head -n 1; true'])).toMatchObject({
      code: 0,
      stdout: 'y\n',
      stderr: expect.not.stringContaining('yes:'),
    });
  });
});

describe('a command that is not approved', () => {
  test('does not run, and the code says why', async () => {
    const denied = door.start(leaveTrace);
    await door.decide('deny', await denied.id());
    expect(await denied.end).toMatchObject({
      code: 122,
      stderr: expect.stringContaining('error: denied by bob'),
    });
    const cancelled = door.start(leaveTrace);
    await door.broker.must('cancel', await cancelled.id());
    expect(await cancelled.end).toMatchObject({ code: 124 });
    const late = await door.run(leaveTrace, { flags: ['--wait', '1'] });
    expect(late).toMatchObject({ code: 123, stderr: expect.stringContaining('still stands, until') });
    expect(ran()).toBe(0);
  });

  test('because its program changed while it was waited for does not run (A5)', async () => {
    const script = join(door.broker.directory, 'changing');
    writeFileSync(script, `#!/bin/sh\necho ran >>${trace}\n`);
    chmodSync(script, 0o755);
    const run = door.start([script]);
    const id = await run.id();
    appendFileSync(script, 'true\n');
    await door.decide('approve', id);
    expect(await run.end).toMatchObject({ code: 121, stderr: expect.stringContaining('is not what it was') });
    expect(ran()).toBe(0);
    expect((await door.show(id)).report).toMatchObject({ outcome: 'refused', code: 'executable-changed' });
  });

  test('because its directory was moved away while it was waited for does not run (A2)', async () => {
    const [cwd, moved] = [join(door.broker.directory, 'release'), join(door.broker.directory, 'release.old')];
    mkdirSync(cwd);
    const run = door.start(leaveTrace, { cwd });
    const id = await run.id();
    renameSync(cwd, moved);
    mkdirSync(cwd);
    await door.decide('approve', id);
    expect(await run.end).toMatchObject({
      code: 121,
      stderr: expect.stringContaining('not the directory that'),
    });
    expect(ran()).toBe(0);
  });

  test("by people of this door's own signers file and requirements does not run (A61)", async () => {
    const signers = readFileSync(door.file('signers'), 'utf8');
    const withoutBob = signers.split('\n').filter((line) => !line.startsWith('bob '));
    const carol = door.broker.makeKey('carol');
    const key = readFileSync(`${carol}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    door.write('signers', `${withoutBob.join('\n')}carol namespaces="decision@countersign" ${key}\n`);
    expect(await door.approved(leaveTrace)).toMatchObject({
      code: 121,
      stderr: expect.stringContaining('error: bob is not a person of the signers file'),
    });
    door.write('signers', signers);
    door.configure({ touch: 'yes' });
    expect(await door.approved(leaveTrace)).toMatchObject({
      code: 121,
      stderr: expect.stringContaining('did not touch a security key'),
    });
    door.configure({ people: '2' });
    expect(await door.run(leaveTrace)).toMatchObject({
      code: 121,
      stderr: expect.stringContaining('nobody can approve this: 1 of 2 people have approved'),
    });
    door.configure({});
    expect(ran()).toBe(0);
  });

  test.each<[string, () => void, RunOptions, readonly string[], string]>([
    ['no signers file', () => rmSync(door.file('signers')), {}, ['true'], 'countersign roster export > '],
    [
      'a signers file that others can write',
      () => chmodSync(door.file('signers'), 0o666),
      {},
      ['true'],
      'chmod go-w',
    ],
    ['a bad line in it', () => door.write('signers', '*\n'), {}, ['true'], 'line 1:'],
    ['an unknown setting', () => door.configure({ peopel: '2' }), {}, ['true'], 'unknown key peopel'],
    ['no such program', () => {}, {}, ['no-such-program'], 'there is no program "no-such-program"'],
    ['a directory as program', () => {}, {}, ['/tmp'], 'there is no program "/tmp"'],
    ['no command', () => {}, {}, [], 'the command is missing'],
    [
      'a variable without a name',
      () => {},
      { flags: ['--env', 'A=1'] },
      ['true'],
      'is not the name of a variable',
    ],
    ['no broker', () => {}, { flags: ['--url', 'http://127.0.0.1:9'] }, ['true'], 'cannot reach the broker'],
  ])('with %s ends with 121 and says what to do', async (_what, prepare, options, command, message) => {
    const signers = readFileSync(door.file('signers'), 'utf8');
    prepare();
    const end = await door.run(command, options);
    door.write('signers', signers);
    door.configure({});
    expect(end).toMatchObject({ code: 121, stdout: '', stderr: expect.stringContaining(message) });
  });
});

describe('who is interrupted while waiting', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'by %s finds the standing request again, and after a restart of the broker its approval',
    async (signal) => {
      const first = door.start(leaveTrace);
      const id = await first.id();
      await until(() => first.said.stderr.includes('waiting'));
      first.child.kill(signal);
      const end = await first.end;
      expect(end.signal).toBe(signal);
      if (signal !== 'SIGKILL') expect(end.stderr).toContain('the same command again finds it');
      const second = door.start(leaveTrace, { flags: ['--wait', '1'] });
      expect(await second.id()).toBe(id);
      expect((await second.end).code).toBe(123);
      await door.decide('approve', id);
      await door.broker.signal('SIGTERM');
      await door.broker.start();
      const third = await door.run(leaveTrace);
      expect(third).toMatchObject({ code: 0, stderr: expect.stringContaining(`joined ${id}, approved`) });
      expect(ran()).toBe(1);
    },
  );

  test('by a restart of the broker goes on waiting', async () => {
    const run = door.start(leaveTrace);
    const id = await run.id();
    await until(() => run.said.stderr.includes('waiting'));
    await door.broker.signal('SIGKILL');
    await until(() => run.said.stderr.includes('lost the broker'));
    await door.broker.start();
    await door.decide('approve', id);
    expect((await run.end).code).toBe(0);
    expect(ran()).toBe(1);
  });
});

describeWith(['unshare', 'hostname'], 'an approval for one command', () => {
  test('is none for any other: each byte of what is bound counts (A1, A2, A3, A5, A6)', async () => {
    const directory = join(door.broker.directory, 'mutations');
    const elsewhere = join(door.broker.directory, 'elsewhere');
    for (const made of [directory, elsewhere]) mkdirSync(made);
    const script = join(directory, 'script');
    const other = join(directory, 'other');
    const text = `#!/bin/sh\necho ran >>${trace}\n`;
    for (const path of [script, other]) {
      writeFileSync(path, text);
      chmodSync(path, 0o755);
    }
    const genuine: RunOptions = {
      cwd: directory,
      env: { MODE: 'dry', EMPTY: '' },
      flags: ['--env', 'MODE', '--env', 'EMPTY', '--env', 'ABSENT'],
    };
    const command = [script, 'one', 'two'];
    const run = door.start(command, genuine);
    const id = await run.id();
    await until(() => run.said.stderr.includes('waiting'));
    run.child.kill('SIGKILL');
    await run.end;
    await door.decide('approve', id);

    const inNamespace = ['unshare', '--user'];
    const mutations: Record<string, [readonly string[], RunOptions]> = {
      'another byte in an argument': [[script, 'one', 'twp'], {}],
      'one argument more, empty': [[...command, ''], {}],
      'two arguments as one': [[script, 'one two'], {}],
      'another order': [[script, 'two', 'one'], {}],
      'through a shell': [['sh', '-c', command.join(' ')], {}],
      'through env': [['env', ...command], {}],
      'another path to the same program': [['./script', 'one', 'two'], {}],
      'another program of the same content': [[other, 'one', 'two'], {}],
      'another directory': [command, { cwd: elsewhere }],
      'another value of a variable': [command, { env: { MODE: 'wet', EMPTY: '' } }],
      'a variable that is not there': [command, { env: { MODE: 'dry' } }],
      'a variable that is there': [command, { env: { MODE: 'dry', EMPTY: '', ABSENT: '' } }],
      'fewer variables': [command, { flags: ['--env', 'MODE'] }],
      'another standard input': [command, { input: 'yes\n' }],
      'another user': [command, { before: [...inNamespace, '--map-user=1', '--map-group=1'] }],
      'another host': [
        command,
        {
          before: [
            ...inNamespace,
            '--map-root-user',
            '--uts',
            'sh',
            '-c',
            'hostname elsewhere; exec "$@"',
            'sh',
          ],
        },
      ],
      'another door': [command, { flags: [...(genuine.flags ?? []), '--door', 'run:other'] }],
      'another resource': [command, { flags: [...(genuine.flags ?? []), '--resource', 'other'] }],
    };
    const shut: Record<string, RunEnd> = {};
    await eachOf(
      Object.entries(mutations),
      ([name]) => name,
      async ([name, [words, change]]) => {
        const { flags = genuine.flags ?? [] } = change;
        shut[name] = await door.run(words, { ...genuine, ...change, flags: [...flags, '--wait', '1'] });
      },
    );
    writeFileSync(script, `${text} `);
    shut['another content'] = await door.run(command, {
      ...genuine,
      flags: [...(genuine.flags ?? []), '--wait', '1'],
    });
    writeFileSync(script, text);
    for (const [name, { code, stderr }] of Object.entries(shut)) {
      // The submitter may not even ask for another door.
      expect([name, code, stderr]).toEqual([
        name,
        name === 'another door' ? 121 : 123,
        expect.not.stringContaining(id),
      ]);
    }
    expect(ran()).toBe(0);
    expect(await door.run(command, genuine)).toMatchObject({ code: 0, stderr: expect.stringContaining(id) });
    expect(ran()).toBe(1);
  });
});

describeWith(['tmux'], 'at a terminal', () => {
  test.each([
    [120, 40],
    [80, 24],
  ])(
    "of %i by %i there is one line that counts down, and then the terminal is the command's",
    async (columns, rows) => {
      const pane = new TmuxPane(['bash', '--norc'], { ...door.broker.env, PS1: '$ ' }, columns, rows);
      try {
        const cli = `${process.execPath} ${new URL('../../dist/src/cli.js', import.meta.url).pathname}`;
        pane.type(
          `cd ${door.broker.directory}; clear; ${cli} run -- sh -c 'read a; stty size; tty -s && exec cat'`,
        );
        pane.press('Enter');
        const screen = await pane.shows(/waiting, \d+m \d+s to answer/);
        expect(screen.match(/waiting, /g)).toHaveLength(1);
        const id = /asked (\S{26})/.exec(screen)?.[1] ?? '';
        await door.decide('approve', id);
        expect(await pane.shows('approved by bob')).not.toMatch(/waiting, /);
        pane.press('x', 'Enter');
        await pane.shows(`${rows} ${columns}`);
        // Ctrl-Z stops both, and fg continues both; Ctrl-C ends both.
        pane.press('C-z');
        await pane.shows('Stopped');
        pane.type('fg');
        pane.press('Enter');
        await pane.shows(/\$ fg\n/);
        pane.type('still there');
        pane.press('Enter');
        await pane.shows(/still there\n(?:.*\n)*still there/);
        pane.press('C-c');
        pane.type('echo code $?');
        pane.press('Enter');
        await pane.shows('code 130');
      } finally {
        pane.close();
      }
    },
  );
});
