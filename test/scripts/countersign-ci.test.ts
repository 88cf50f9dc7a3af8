import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { decisionOn, inSeconds } from './door-fixture.js';
import { SCRIPTS } from './door-shell.js';
import { FakeBroker, FINGERPRINT, reply } from './fake-broker.js';
import { MemoryKey } from './receipt-mutations.js';

const people = {
  alice: new MemoryKey(),
  bob: new MemoryKey(),
  carol: new MemoryKey(),
  mallory: new MemoryKey(),
};
type Person = keyof typeof people;
const BASH = execFileSync('sh', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim();
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describeWith(['curl', 'ssh-keygen', 'sha256sum'], 'countersign-ci', () => {
  let broker: FakeBroker;
  let directory: string;
  /** The job that runs. */
  let running: ChildProcess;
  beforeEach(async () => {
    broker = await FakeBroker.start();
    directory = mkdtempSync(join(tmpdir(), 'countersign-ci-'));
    const line = (principals: string, who: Person): string =>
      `${principals} namespaces="decision@countersign" ${people[who].line}\n`;
    writeFileSync(
      join(directory, 'signers'),
      line('alice', 'alice') + line('bob,group:oncall', 'bob') + line('carol,group:db', 'carol'),
    );
  });
  afterEach(async () => {
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const job = (): Record<string, string> => ({
    PATH: process.env.PATH ?? '',
    // Before the token: a variable that stands where a script could look for its own.
    secrets: 'theirs',
    COUNTERSIGN_URL: `http://127.0.0.1:${broker.port}`,
    COUNTERSIGN_FINGERPRINT: FINGERPRINT,
    COUNTERSIGN_TOKEN: 't'.repeat(43),
    COUNTERSIGN_DOOR: 'job:shop',
    COUNTERSIGN_ACTION: 'deploy',
    COUNTERSIGN_RESOURCE: 'shop',
    COUNTERSIGN_REQUESTER: 'alice',
    COUNTERSIGN_WAIT: '8',
    TMPDIR: directory,
  });

  async function run(
    args: readonly string[] = ['--signers', 'signers'],
    env: Record<string, string | undefined> = {},
  ): Promise<Ended> {
    const child = spawn(join(SCRIPTS, 'countersign-ci'), args, {
      cwd: directory,
      env: { ...job(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running = child;
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        said[stream] += chunk.toString('latin1');
      });
    }
    const [status] = await once(child, 'close');
    return { status, ...said };
  }

  /** What a person would sign for the ask that came last, changed by `changes`. */
  function receipt(
    approver: Person,
    changes: Readonly<Record<string, unknown>> = {},
    signer = approver,
  ): string {
    const statement = decisionOn(broker.ask, 'job:shop', approver, changes);
    return statement + people[signer].sign(statement);
  }
  const approved = (...receipts: readonly string[]): string => reply('approved', {}, receipts.join(''));

  function expectShut(ended: Ended, because: RegExp | string): void {
    expect(ended, ended.stderr).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toMatch(because);
    expect(ended.stderr).toMatch(/^(countersign: [ -~]+\n)+$/);
    expect(readdirSync(directory)).toEqual(['signers']);
  }

  describe('opens', () => {
    test('for the one person that it needs, and reports it under its claim', async () => {
      broker.onSubmit = () => approved(receipt('bob'));
      const ended = await run();
      expect(ended).toMatchObject({ status: 0, stdout: '' });
      expect(broker.calls.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`)).toEqual([
        'POST requests',
        'POST reports',
      ]);
      expect(broker.of('reports')[0]?.body).toEqual({
        claim: broker.ask.claim,
        code: 'approved',
        outcome: 'opened',
      });
      expect(broker.calls[0]?.headers.authorization).toBe(`Bearer ${'t'.repeat(43)}`);
    });

    test('once enough people and groups have signed', async () => {
      broker.onSubmit = () => approved(receipt('bob'), receipt('carol'));
      const needs = ['--signers', 'signers', '--people', '2', '--required-groups', 'oncall:1,db:1'];
      expect((await run(needs)).status).toBe(0);
      broker.onSubmit = () => approved(receipt('bob'));
      expectShut(await run(needs), 'not enough: 1 of 2 people have approved');
    });

    describe('with --number', () => {
      const shown = /^countersign: tell the approver this number: ([0-9]{3}) ([0-9]{3})$/m;
      const numbered = ['--signers', 'signers', '--number', '--reason', 'CHG-1'];

      /** Runs a job whose approvers sign what `sign` makes of the number that the log shows. */
      async function answered(sign: (number: string) => string[], args = numbered): Promise<Ended> {
        let hear: (text: string) => void = () => {};
        const number = new Promise<string>((resolve) => {
          hear = (text) => {
            const [, first, last] = shown.exec(text) ?? [];
            if (first !== undefined) resolve(`${first}${last}`);
          };
        });
        broker.onSubmit = () => {
          let said = '';
          running.stderr?.on('data', (chunk: Buffer) => {
            said += chunk.toString();
            hear(said);
          });
          return reply('pending');
        };
        broker.onRedeem = (_, response) => {
          number.then((known) => response.end(approved(...sign(known))));
          return undefined;
        };
        return await run(args);
      }

      test('for the number that its log shows, which the broker is not told', async () => {
        let known = '';
        const ended = await answered((number) => {
          known = number;
          return [receipt('bob', { code: number })];
        });
        expect(ended.status, ended.stderr).toBe(0);
        expect(broker.ask.document.context).toEqual({ number: true, reason: 'CHG-1' });
        expect(JSON.stringify(broker.calls.map(({ body, path }) => [body, path]))).not.toContain(known);
      });

      test('and from the environment', async () => {
        broker.onSubmit = () => approved(receipt('bob'));
        const ended = await run(['--signers', 'signers'], { COUNTERSIGN_NUMBER: 'yes' });
        expectShut(ended, 'bob signed without the number that this door asks for');
        expectShut(await run(['--signers', 'signers'], { COUNTERSIGN_NUMBER: '1' }), 'the value of number');
      });

      const other = (number: string): string => String((Number(number) + 1) % 1_000_000).padStart(6, '0');
      test.each<[string, string, (number: string) => string[], string[]]>([
        [
          'another number',
          'bob signed another number',
          (number) => [receipt('bob', { code: other(number) })],
          [],
        ],
        ['no number', 'bob signed without the number', () => [receipt('bob')], []],
        [
          'another number of the second of two',
          'carol signed another number',
          (number) => [receipt('bob', { code: number }), receipt('carol', { code: other(number) })],
          ['--people', '2'],
        ],
        [
          'another number where the broker is trusted',
          'bob signed another number',
          (number) => [receipt('bob', { code: other(number) })],
          ['--trust-broker'],
        ],
      ])('but not for %s', async (_what, because, sign, more) => {
        const args = more.includes('--trust-broker') ? numbered.slice(2) : numbered;
        expectShut(await answered(sign, [...args, ...more]), because);
      });
    });

    test('a new question each time, with its own nonce and claim', async () => {
      broker.onSubmit = () => approved(receipt('bob'));
      await run();
      await run();
      const [one, other] = broker.asks;
      expect(one?.scope).toBe(other?.scope);
      expect(one?.digest).not.toBe(other?.digest);
      expect(one?.claim).not.toBe(other?.claim);
    });
  });

  describe('becomes its command', () => {
    const command = (...words: string[]): Promise<Ended> => {
      broker.onSubmit = () => approved(receipt('bob'));
      return run(['--signers', 'signers', '--', ...words], { request: 'theirs', TZ: 'Asia/Tokyo' });
    };

    test('with exactly its words, its streams and its exit code', async () => {
      const script = 'printf "<%s>" "$@"; echo said >&2; exit 7';
      const ended = await command('bash', '-c', script, 'zero', '', '$(touch MARKER)', 'a b');
      expect(ended).toMatchObject({ status: 7, stdout: '<><$(touch MARKER)><a b>' });
      expect(ended.stderr).toBe(`countersign: approved by bob (request 01J${'0'.repeat(23)})\nsaid\n`);
      expect(broker.ask.document.details).toEqual({
        argv: ['bash', '-c', script, 'zero', '', '$(touch MARKER)', 'a b'],
        cwd: directory,
        executable: { path: BASH, sha256: sha256(readFileSync(BASH)) },
        stdin: 'device',
      });
    });

    test('but not where the program is another one by then (A5)', async () => {
      const program = join(directory, 'program');
      writeFileSync(program, '#!/bin/bash\necho approved\n', { mode: 0o755 });
      broker.onSubmit = () => {
        writeFileSync(program, '#!/bin/bash\necho replaced\n');
        return approved(receipt('bob'));
      };
      const ended = await run(['--signers', 'signers', '--', './program']);
      expect(ended).toMatchObject({ status: 121, stdout: '' });
      expect(ended.stderr).toContain('is not what it was when it was approved');
      expect(broker.of('reports')[0]?.body).toMatchObject({ outcome: 'refused', code: 'changed' });
    });

    test('but not where another directory has the name of its own by then (A5)', async () => {
      const elsewhere = mkdtempSync(join(tmpdir(), 'countersign-ci-'));
      const signers = join(elsewhere, 'signers');
      cpSync(join(directory, 'signers'), signers);
      broker.onSubmit = () => {
        renameSync(directory, `${directory}.old`);
        mkdirSync(directory);
        return approved(receipt('bob'));
      };
      const ended = await run(['--signers', signers, '--', 'touch', 'MARKER'], { TMPDIR: elsewhere });
      rmSync(elsewhere, { recursive: true });
      rmSync(directory, { recursive: true });
      renameSync(`${directory}.old`, directory);
      expect(ended).toMatchObject({ status: 121, stdout: '' });
      expect(ended.stderr).toContain('the working directory is not what it was');
      expect(readdirSync(directory)).toEqual(['signers']);
    });

    test('in the environment of the job, without our secrets', async () => {
      const { stdout } = await command('env');
      const variables = Object.entries({ ...job(), request: 'theirs', TZ: 'Asia/Tokyo' });
      const expected = variables.filter(([name]) => name !== 'COUNTERSIGN_TOKEN');
      // bash itself sets these for whatever it runs.
      const found = stdout.split('\n').filter((line) => line !== '' && !/^(?:PWD|SHLVL|_)=/.test(line));
      expect(found.sort()).toEqual(expected.map(([name, value]) => `${name}=${value}`).sort());
    });

    test('without the options of a shell, which would be ours', async () => {
      broker.onSubmit = () => approved(receipt('bob'));
      const exported = { SHELLOPTS: 'braceexpand', BASHOPTS: 'cmdhist' };
      const { status, stdout } = await run(['--signers', 'signers', '--', 'env'], exported);
      expect(status).toBe(0);
      expect(stdout).not.toMatch(/^(?:SHELLOPTS|BASHOPTS)=/m);
    });

    test('but not once the job is cancelled, even while the broker is told that it opened', async () => {
      broker.onSubmit = () => approved(receipt('bob'));
      // No answer to the first report: the signal comes before it.
      broker.onReport = () => {
        broker.onReport = () => reply('pending');
        running.kill('SIGTERM');
        return undefined;
      };
      const ended = await run(['--signers', 'signers', '--', 'echo', 'never']);
      expect(ended).toMatchObject({ status: 124, stdout: '' });
      expect(ended.stderr).toContain('the job was cancelled');
      expect(broker.of('reports').at(-1)?.body).toMatchObject({ outcome: 'refused', code: 'cancelled' });
    });

    test('or fails with 121 where that cannot be started', async () => {
      writeFileSync(join(directory, 'bad'), '#!/nowhere\n', { mode: 0o755 });
      const ended = await command('./bad');
      expect(ended.status).toBe(121);
      expect(ended.stderr).toContain("error: './bad' cannot be started");
      rmSync(join(directory, 'bad'));
    });
  });

  describe('binds what it is told and what the CI system says (A5)', () => {
    const details = async (args: readonly string[], env: Record<string, string> = {}): Promise<unknown> => {
      broker.onSubmit = () => reply('denied');
      await run(['--signers', 'signers', ...args], env);
      return broker.ask.document.details;
    };

    test('in the order of canonical JSON, whatever the order of the flags', async () => {
      const value = 'a"b\\c\n\u0001é';
      expect(await details(['--detail', 'z=1', '--detail', `B=${value}`, '--detail', 'a=x=y'])).toEqual({
        B: value,
        a: 'x=y',
        z: '1',
      });
      const body = JSON.stringify(broker.of('requests')[0]?.body.document);
      expect(body).toContain('"details":{"B":');
    });

    test('on GitHub Actions, GitLab CI and Jenkins', async () => {
      const github = {
        GITHUB_SHA: 'abc',
        GITHUB_RUN_ID: '1',
        GITHUB_REPOSITORY: 'acme/shop',
        GITHUB_TOKEN: 'no',
      };
      expect(await details([], { GITHUB_ACTIONS: 'true', ...github })).toEqual({
        ci: {
          GITHUB_REPOSITORY: 'acme/shop',
          GITHUB_RUN_ID: '1',
          GITHUB_SHA: 'abc',
          system: 'github-actions',
        },
      });
      const gitlab = { CI_COMMIT_SHA: 'abc', CI_JOB_ID: '7', CI_PROJECT_PATH: 'acme/shop' };
      expect(await details([], { GITLAB_CI: 'true', ...gitlab, CI_JOB_TOKEN: 'no' })).toEqual({
        ci: { ...gitlab, system: 'gitlab-ci' },
      });
      const jenkins = {
        BUILD_NUMBER: '9',
        GIT_COMMIT: 'abc',
        JENKINS_URL: 'https://ci.example/',
        JOB_NAME: 'shop',
      };
      expect(await details([], jenkins)).toEqual({ ci: { ...jenkins, system: 'jenkins' } });
    });

    test('details from the environment, one a line', async () => {
      expect(await details([], { COUNTERSIGN_DETAILS: 'one=1\n\ntwo=2' })).toEqual({ one: '1', two: '2' });
      expect(await details(['--detail', 'a=b'], { COUNTERSIGN_DETAILS: 'one=1' })).toEqual({ a: 'b' });
    });

    const WRONG: readonly (readonly [readonly string[], string])[] = [
      [['--detail', 'a=1', '--detail', 'a=2'], 'is taken already'],
      [['--detail', 'ci=forged'], 'is taken already'],
      [['--detail', 'argv=forged', '--', 'true'], 'is taken already'],
      [['--detail', 'novalue'], 'is not NAME=VALUE'],
      [['--detail', 'a b=1'], 'is not NAME=VALUE'],
      [['--detail', `a=${'x'.repeat(4097)}`], 'longer than 4096 bytes'],
      [['--', 'no-such-program'], 'there is no program'],
      [['--requester', 'Alice'], '--requester is missing or no name'],
      [['--fingerprint', 'SHA256:x'], 'the value of fingerprint'],
      [['--people', '0'], 'the value of people'],
      [['--required-groups', 'oncall:0'], 'the value of required-groups'],
      [['--broker', 'http://broker.example'], 'the value of broker'],
      [['--trust-broker'], 'excludes --signers'],
      [['--nonsense'], 'unknown option --nonsense'],
      [['--key', 'signers', '--submitter', 'ci'], 'more than one of'],
    ];
    test.each(WRONG.map(([args, because]) => [because, args] as const))(
      'and asks nobody where it cannot: %s',
      async (because, args) => {
        const ended = await run(['--signers', 'signers', ...args]);
        expect(ended.status).toBe(args.includes('--') ? 121 : 1);
        expect(ended.stderr).toContain(because);
        expect(broker.calls).toEqual([]);
      },
    );
  });

  describe('stays shut', () => {
    test.each<[string, (ask: FakeBroker) => string, RegExp]>([
      [
        'a grant (A53)',
        () => receipt('bob', { covers: 'scope', uses: 0, duration: 60 }),
        /a receipt is a grant/,
      ],
      [
        'another request (A22)',
        () => receipt('bob', { request: `sha256:${'0'.repeat(64)}` }),
        /another request/,
      ],
      ['another scope (A2)', () => receipt('bob', { scope: `sha256:${'0'.repeat(64)}` }), /something else/],
      ['another door (A54)', () => receipt('bob', { door: 'job:blog' }), /another door/],
      [
        'another broker (A22)',
        () => receipt('bob', { broker: `SHA256:${'A'.repeat(43)}` }),
        /another broker/,
      ],
      ['another requester', () => receipt('bob', { requester: 'carol' }), /another requester/],
      ['a denial', () => receipt('bob', { verdict: 'deny' }), /bob signed no/],
      [
        'the past',
        () => receipt('bob', { decided: inSeconds(-700), notAfter: inSeconds(-1) }),
        /ended before/,
      ],
      ['the future', () => receipt('bob', { decided: inSeconds(120) }), /clock of bob/],
      ['2099 (A61)', () => receipt('bob', { notAfter: inSeconds(86_400) }), /good for longer/],
      ['work that nobody asked for', () => receipt('bob', { duration: 60 }), /longer work/],
      ['the requester himself (A8)', () => receipt('alice'), /alice is the requester/],
      ['somebody unknown', () => receipt('mallory'), /mallory is not a person of the signers file/],
      ['a key that is not his (A63)', () => receipt('bob', {}, 'mallory'), /signature of bob does not hold/],
      ['nobody', () => '', /shows no receipt/],
      ['two armors (A59)', () => `${receipt('bob')}${receipt('bob').split('code: -')[1]}`, /malformed/],
      ['a word at the end (A59)', () => `${receipt('bob')}x\n`, /malformed/],
    ])('with an approval of %s', async (_, make, because) => {
      broker.onSubmit = () => approved(make(broker));
      expectShut(await run(), because);
      expect(broker.of('reports').map(({ body }) => body.outcome)).not.toContain('opened');
    });

    test('with one person counted twice (A14)', async () => {
      broker.onSubmit = () => approved(receipt('bob'), receipt('bob'));
      expectShut(await run(['--signers', 'signers', '--people', '2']), '1 of 2 people');
    });

    test('for a shared account unless one more has signed (A56)', async () => {
      broker.onSubmit = () => approved(receipt('bob'));
      const shared = ['--signers', 'signers', '--requester', 'deploy'];
      expectShut(await run(shared), /as deploy may be any one of them/);
      expect((await run([...shared, '--shared-requester', 'accept'])).status).toBe(0);
      broker.onSubmit = () => approved(receipt('bob'), receipt('carol'));
      expect((await run(shared)).status).toBe(0);
    });

    test('where the broker takes up a denial as an approval later, because it asks only once', async () => {
      broker.onSubmit = () => reply('denied');
      expect((await run()).status).toBe(2);
      expect(broker.asks).toHaveLength(1);
    });

    test('with a body of a gigabyte (A52)', async () => {
      broker.onSubmit = (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
        };
        response.on('drain', more);
        response.on('error', () => {});
        more();
        return undefined;
      };
      expectShut(await run(), /malformed/);
    });
  });

  describe('takes no byte of the broker for more than it is (A52)', () => {
    const HOSTILE = [
      'x[$(touch MARKER)]',
      "';touch MARKER;'",
      '\0',
      '\r',
      '-oX',
      '%n%s',
      'tomorrow',
      '08',
      '\xe9',
      '',
    ];
    const LINES = 7 + 16 + 6;
    const texts = Array.from(
      { length: LINES },
      (_, line) => [line, HOSTILE[line % HOSTILE.length] ?? ''] as const,
    );

    test.each([...texts, ...texts.map(([line, text]) => [line, `${text}x[$(touch MARKER)]`] as const)])(
      'line %d is %j',
      async (at, text) => {
        const change = (whole: string): Buffer => {
          const lines = whole.split('\n');
          lines[at] = text.replaceAll('MARKER', join(directory, 'MARKER'));
          return Buffer.from(lines.join('\n'), 'latin1');
        };
        broker.onSubmit = () => change(approved(receipt('bob')));
        const ended = await run();
        expect(existsSync(join(directory, 'MARKER'))).toBe(false);
        expectShut(ended, /malformed|does not hold|not in the form/);
        const trusting = await run(['--trust-broker']);
        expect(existsSync(join(directory, 'MARKER'))).toBe(false);
        expect(trusting.stderr).toMatch(/^(countersign: [ -~]+\n)+$/);
      },
    );

    test('hints of the broker begin no line and reach no terminal raw', async () => {
      broker.onSubmit = () =>
        reply('error', { code: 'forbidden', hint: '::set-env name=PATH::x ##[command]y' } as never);
      const { stderr } = await run();
      expect(stderr).toContain('countersign: error: the broker refuses: forbidden: ::set-env');
      expect(stderr).toMatch(/^(countersign: [ -~]+\n)+$/);
    });
  });

  describe('believes its broker only when told so', () => {
    test('and then still holds what it says against its own question', async () => {
      broker.onSubmit = () => approved(receipt('bob', {}, 'mallory'));
      const ended = await run(['--trust-broker']);
      expect(ended.status).toBe(0);
      expect(ended.stderr).toContain('WARNING: --trust-broker');
      broker.onSubmit = () => approved(receipt('bob', { door: 'job:blog' }, 'mallory'));
      expect((await run(['--trust-broker'])).stderr).toContain('a receipt is for another door');
      broker.onSubmit = () => approved();
      expect((await run(['--trust-broker'])).status).toBe(1);
    });
  });
});
