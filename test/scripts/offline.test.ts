import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseDocument } from '../../src/protocol/document.js';
import { parseStrictJson } from '../../src/protocol/strict-json.js';
import { describeWith } from '../e2e/tools.js';
import { DoorFixture, type Ended, inSeconds } from './door-fixture.js';
import { type Ask, FakeBroker, reply } from './fake-broker.js';

const TOOLS = ['root', 'mount namespaces', 'curl', 'ssh-keygen', 'flock', 'logger'];
const OFFLINE = { covers: 'scope', uses: 1, duration: 0, policy: null };
const EVIL = 'x[$(touch /run/evil)]';

describeWith(TOOLS, 'a door without its broker that takes offline approvals', () => {
  let door: DoorFixture;
  beforeEach(async () => {
    door = new DoorFixture(await closedPort());
    offer(door);
  });
  afterEach(() => door.remove());

  /** Logs in before anybody has signed; what the door prints is what is asked for. */
  async function ask(of = door): Promise<Ask> {
    const ended = await of.login();
    expect([ended.status, codeOf(ended)]).toEqual([1, 'unreachable']);
    const canonical = ended.said.split('\n')[1] ?? '';
    return { ...parseDocument(parseStrictJson(canonical)), canonical, statement: '', claim: '' };
  }

  const put = (name: string, text: string, of = door): void =>
    writeFileSync(of.file(`spool/${name}`), text, { mode: 0o644 });

  test('prints what is asked for in one line with what to do, then opens once for what was signed (A55)', async () => {
    const first = await door.login();
    expect(first.said.split('\n')).toEqual([
      'countersign: without the broker, people who may approve sign the next line with: countersign sign -',
      expect.stringMatching(/^\{"action":"ssh\.login",[ -~]+"version":1\}$/),
      `countersign: root of this host puts what that prints into files of ${door.file('spool')}; then log in again`,
      expect.stringMatching(/^countersign: the broker cannot be reached: [ -~]+ \(request -\)$/),
      '',
    ]);
    const asked = await ask();
    // The same ask as before, so that what was signed for it meanwhile counts.
    expect(asked.canonical).toBe(first.said.split('\n')[1]);
    put('bob', door.receipt(asked, 'bob', OFFLINE));
    const opened = await door.login();
    expect([opened.status, opened.said]).toEqual([0, 'countersign: approved offline by bob (request -)\n']);
    expect(opened.log).toMatch(/^opened: approved offline by bob .* code offline\n$/);
    const again = await door.login();
    expect([again.status, again.said.split('\n')[1] === asked.canonical]).toEqual([1, false]);
    expect(uses(door)).toBe(1);
  });

  test('lets one of two equal logins in at once with one set of receipts (A55)', async () => {
    put('bob', door.receipt(await ask(), 'bob', OFFLINE));
    const both = await Promise.all([door.login(), door.login()]);
    expect(both.map(({ status }) => status).sort()).toEqual([0, 1]);
    expect(uses(door)).toBe(1);
  });

  test('asks for as many people and groups as ever, in one file or several (A14)', async () => {
    Object.assign(door.settings, { people: '2', 'required-groups': 'oncall:1,db:1' });
    const asked = await ask();
    put(
      'bob',
      door.receipt(asked, 'bob', OFFLINE) + door.receipt(asked, 'bob', { ...OFFLINE, comment: 'again' }),
    );
    const short = await door.login();
    expect([short.status, short.said]).toEqual([
      1,
      expect.stringContaining('1 of 2 people have approved offline'),
    ]);
    put('carol', door.receipt(asked, 'carol', OFFLINE));
    expect((await door.login()).said).toContain('approved offline by bob,carol ');
  });

  test('counts nobody for himself, and the others all the same (A8)', async () => {
    door.enrol('bob', 'alice,root');
    const asked = await ask();
    put('alice', door.receipt(asked, 'alice', OFFLINE));
    const ended = await door.login();
    expect([ended.status, codeOf(ended)]).toEqual([1, 'unreachable']);
    expect(ended.log).toContain('offline: skipped alice: it is signed by the requester himself');
    put('bob', door.receipt(asked, 'bob', OFFLINE));
    expect((await door.login()).log).toMatch(/^opened: approved offline by bob /m);
  });

  test('takes nothing that is not for this ask alone, or that this door would not take from a broker (A22, A27, A51)', async () => {
    const changes: readonly [string, object, string?][] = [
      ['covers request', { covers: 'request' }],
      ['two uses', { uses: 2 }],
      ['any number of uses', { uses: 0, duration: 60 }],
      ['under a rule of the broker', { policy: `sha256:${'1'.repeat(64)}` }],
      ['a no', { verdict: 'deny' }],
      ['longer work', { duration: 60 }],
      ['good for too long', { notAfter: inSeconds(1000) }],
      ['over', { decided: inSeconds(-300), notAfter: inSeconds(-1) }],
      ['from the future', { decided: inSeconds(120), notAfter: inSeconds(300) }],
      ['another door', { door: 'host:web-2.example.com' }],
      ['another broker', { broker: `SHA256:${'b'.repeat(42)}A` }],
      ['another scope', { scope: `sha256:${'0'.repeat(64)}` }],
      ['another requester', { requester: 'carol' }],
      ['another person', { approver: 'mallory' }],
      ['signed by somebody else', {}, 'carol'],
    ];
    const asked = await ask();
    for (const [name, change, signer] of changes)
      put(name.replaceAll(' ', '-'), door.receipt(asked, 'bob', { ...OFFLINE, ...change }, signer));
    put('another-request', door.receipt({ ...asked, digest: `sha256:${'0'.repeat(64)}` }, 'bob', OFFLINE));
    const ended = await door.login();
    expect([ended.status, codeOf(ended), uses(door)]).toEqual([1, 'unreachable', 0]);
    const skipped = ended.log.split('\n').filter((line) => line.startsWith('offline: skipped '));
    expect(skipped).toHaveLength(changes.length);
    // None of them spoils the one that is good.
    put('bob', door.receipt(asked, 'bob', OFFLINE));
    expect((await door.login()).status).toBe(0);
  });

  test('skips files that are none of root alone, or no receipts, and says so in the log', async () => {
    const asked = await ask();
    const good = door.receipt(asked, 'bob', OFFLINE);
    const spool = (name: string): string => door.file(`spool/${name}`);
    put('target', good);
    linkSync(spool('target'), spool('hard-link'));
    writeFileSync(door.file('elsewhere'), good);
    symlinkSync(door.file('elsewhere'), spool('symbolic-link'));
    execFileSync('mkfifo', [spool('fifo')]);
    mkdirSync(spool('directory'));
    put('everybody', good);
    chmodSync(spool('everybody'), 0o666);
    put('group', good);
    chmodSync(spool('group'), 0o664);
    put('owned', good);
    execFileSync('chown', ['4001', spool('owned')]);
    put('long', good + 'x'.repeat(65_537 - good.length));
    put('empty', '');
    put('carriage-return', good.replaceAll('\n', '\r\n'));
    put('nul', `${good}\0`);
    put('seventeen-lines', good.replace('comment:', `code: -\ncomment:`));
    put('after-it', `${good}trailing\n`);
    put('hostile', good.replace('uses: 1', `uses: ${EVIL}`));
    put('$(touch x)', good.slice(0, -1));
    const ended = await door.login();
    expect([ended.status, codeOf(ended), uses(door)], ended.log).toEqual([1, 'unreachable', 0]);
    // An empty file is nobody's receipt, and no news.
    const skipped = [...ended.log.matchAll(/^offline: skipped (.+?): /gm)].map(([, name]) => name);
    expect(skipped).toEqual([
      ...[
        '\\$\\(touch\\ x\\)',
        'after-it',
        'carriage-return',
        'directory',
        'empty',
        'everybody',
        'fifo',
        'group',
      ],
      ...['hard-link', 'hostile', 'long', 'nul', 'owned', 'seventeen-lines', 'symbolic-link', 'target'],
    ]);
    put('bob', good);
    expect((await door.login()).status).toBe(0);
  });

  test('stays shut where others could write to the directory, where it is missing, or too full (A65)', async () => {
    const asked = await ask();
    put('bob', door.receipt(asked, 'bob', OFFLINE));
    chmodSync(door.file('spool'), 0o777);
    expect(codeOf(await door.login())).toBe('unsafe-file');
    const check = await door.check('--pam-dir', door.directory);
    expect(check.stdout).toContain(`FAIL  offline receipts may come from ${door.file('spool')}`);
    chmodSync(door.file('spool'), 0o755);
    for (let file = 0; file < 64; file += 1) put(`file-${file}`, '');
    expect(codeOf(await door.login())).toBe('full-spool');
    door.settings.offline = door.file('nowhere');
    expect(codeOf(await door.login())).toBe('unsafe-file');
    expect(uses(door)).toBe(0);
  });

  test('names a file where what is asked for is too long for one line, or not plain ASCII', async () => {
    const name = 'é'.repeat(20);
    const ended = await door.login({ PAM_TTY: Buffer.from(name).toString('latin1') });
    const [, file = ''] = /root finds it in (\S+)/.exec(ended.said) ?? [];
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ details: { tty: name } });
    expect(ended.said).not.toMatch(/[^\n -~]/);
    const long = await door.login({ PAM_TTY: '"'.repeat(1024), PAM_RHOST: '"'.repeat(1024) });
    expect(long.said).toContain('it does not fit here: root finds it in ');
    expect(long.log).toMatch(/^offline: sha256:[0-9a-f]{64} is \{"action":/m);
  });

  test('prints nothing and takes nothing without its own consent (A61)', async () => {
    const asked = await ask();
    put('bob', door.receipt(asked, 'bob', OFFLINE));
    delete door.settings.offline;
    const ended = await door.login();
    expect([ended.status, ended.said]).toEqual([
      1,
      expect.stringMatching(/^countersign: the broker cannot be reached: [ -~]+\n$/),
    ]);
    expect(uses(door)).toBe(0);
  });
});

describeWith(TOOLS, 'a door whose broker answers, and which takes offline approvals when it does not', () => {
  test.each([
    [
      'with an error',
      () => reply('error', { id: null, watch: null, code: 'submitter-limits' }),
      'submitter-limits',
    ],
    [
      'with an error that passes',
      () => reply('error', { id: null, watch: null, code: 'draining' }),
      'unreachable',
    ],
    ['with nonsense', () => 'nonsense\n', 'bad-reply'],
    ['with a no', () => reply('denied'), 'denied'],
    ['that it is pending', () => reply('pending'), 'waiting'],
  ])('takes none while it answers %s (A41, A61)', async (_, answer, code) => {
    const broker = await FakeBroker.start();
    const door = new DoorFixture(broker.port);
    offer(door);
    door.settings.wait = '2';
    broker.onSubmit = (asked) => {
      writeFileSync(door.file('spool/bob'), door.receipt(asked, 'bob', OFFLINE), { mode: 0o644 });
      return answer();
    };
    const ended = await door.login();
    expect([codeOf(ended), uses(door), ended.said.split('\n').length]).toEqual([code, 0, 2]);
    await broker.stop();
    door.remove();
  });

  test('what it denied before it went away opens nothing offline (A61)', async () => {
    const broker = await FakeBroker.start();
    const door = new DoorFixture(broker.port);
    offer(door);
    broker.onRedeem = () => reply('denied');
    await door.login();
    const { ask } = broker;
    await broker.stop();
    writeFileSync(door.file('spool/bob'), door.receipt(ask, 'bob', OFFLINE), { mode: 0o644 });
    const [day = ''] = readdirSync(door.file('state/asks'));
    // As if the run had been killed before it could forget its ask.
    writeFileSync(
      door.file(`state/asks/${day}/${ask.scope.slice(7)}`),
      `${ask.document.nonce}\n${ask.claim}\n`,
    );
    expect(codeOf(await door.login())).toBe('unreachable');
    door.remove();
  });
});

/** Gives the door its directory for receipts. */
function offer(door: DoorFixture): void {
  mkdirSync(door.file('spool'), { mode: 0o755 });
  Object.assign(door.settings, { offline: door.file('spool') });
}

const codeOf = ({ log }: Ended): string | undefined => / code ([a-z0-9-]+)\n$/.exec(log)?.[1];

/** How many lines of uses the door has on record. */
function uses(door: DoorFixture): number {
  const spent = readdirSync(door.file('state/spent'), { recursive: true, withFileTypes: true });
  return spent
    .filter((entry) => entry.isFile())
    .flatMap(({ parentPath, name }) => readFileSync(`${parentPath}/${name}`, 'utf8').match(/^\d+$/gm) ?? [])
    .length;
}

/** A port on which nobody listens. */
function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
