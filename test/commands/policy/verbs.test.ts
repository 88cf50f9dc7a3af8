import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, User } from '../program.js';

const POLICY = `version: 1
groups:
  rota: { command: [ROTA] }
rules:
  - name: logins
    when: action == "ssh.login"
    approvals: { rota: 1 }
    reason: 5
  - name: root
    when: action == "sudo.run"
    approvals: { db: 1 }
`;

let user: User;
let broker: Running;
let url: string;
let policy: string;
const write = (name: string, text: string, mode = 0o644): string => {
  const path = join(user.home, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

beforeAll(async () => {
  user = new User();
  const rota = write('rota', '#!/bin/sh\necho bob@example.com\n', 0o755);
  policy = write('policy.yaml', POLICY.replace('ROTA', rota));
  for (const [name, ...flags] of [
    ['alice', '--group', 'db'],
    ['bob', '--group', 'db', '--alias', 'bob@example.com'],
    ['carol'],
  ] as const) {
    await user.must('roster', 'add', name, '--key', `${user.makeKey(name)}.pub`, ...flags);
  }
  broker = user.start(['serve', '--listen', '127.0.0.1:0', '--policy', policy]);
  const [, port] = await broker.says(/"event":"started".*127\.0\.0\.1:(\d+)/);
  url = `http://127.0.0.1:${port}`;
  await broker.says(/"event":"group-changed".*bob@example\.com/);
});
afterAll(() => user.remove());

const LOGIN = ['ssh.login', 'web-1', '--requester', 'alice'];

describe('policy show', () => {
  test('says what is in force in words: the rules in order, and who is in which group', async () => {
    const shown = await user.must('policy', 'show');
    expect(shown).toMatch(/^file {8}\S+policy\.yaml\ndigest {6}sha256:[0-9a-f]{64}\nin force {4}since /);
    expect(shown).toMatch(
      /rule 1 {6}logins \(line 5\)\n {2}for {7}action == "ssh\.login"\n {2}wants {5}signed by 1 of rota\n/,
    );
    expect(shown).toContain('asked with a reason of at least 5 characters');
    expect(shown).toMatch(/\nrule 2 {6}root /);
    expect(shown).toMatch(/\nrota {8}bob \(as \S*rota says\)/);
    expect(shown).toMatch(/\ndb {10}alice, bob\n/);
  });

  test('gives the text of the file as JSON', async () => {
    const { policy: inForce, order } = JSON.parse(await user.must('policy', 'show', '--json'));
    expect(inForce.text).toContain('name: logins');
    expect(order).toHaveLength(2);
  });
});

describe('policy install', () => {
  test('is for a broker that does not run', async () => {
    const { code, stderr } = await user.run('policy', 'install', policy);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('another broker or command has this data directory open'),
    ]);
  });

  test('puts a good file in force, says what it replaced without approval, and refuses a bad one', async () => {
    const other = new User();
    try {
      await other.must('roster', 'add', 'alice', '--key', `${other.makeKey('alice')}.pub`);
      await other.must('roster', 'add', 'bob', '--key', `${other.makeKey('bob')}.pub`);
      const path = join(other.home, 'policy.yaml');
      const text = 'version: 1\nrules:\n  - name: all\n    approvals: { people: 1 }\n';
      writeFileSync(path, text, { mode: 0o600 });
      const first = await other.run('policy', 'install', path);
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toMatch(/^installed \S+policy\.yaml: 1 rule, sha256:[0-9a-f]{64}\n$/);
      writeFileSync(path, text.replace('people: 1', 'people: 2'));
      const second = await other.run('policy', 'install', path);
      expect(second.stderr).toContain('installed without approval');
      writeFileSync(path, text.replace('people: 1', 'people: 0'));
      const third = await other.run('policy', 'install', path);
      expect([third.code, third.stdout]).toEqual([1, '']);
    } finally {
      other.remove();
    }
  });
});

describe('policy explain', () => {
  test('takes policy, people and groups of the running broker, and exits with 1 for what it would refuse', async () => {
    const { code, stdout } = await user.run('policy', 'explain', ...LOGIN);
    expect(stdout).toMatch(/^ {2}yes logins {2}line 5$/m);
    expect(stdout).toMatch(/^could sign\n {2}bob {4}rota$/m);
    expect(stdout).toMatch(/^ {2}carol {2}is in none of the groups that must sign$/m);
    expect(stdout).toMatch(/^refused: the rule logins wants a reason of at least 5 characters$/m);
    expect(code).toBe(1);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('exits with 0 for what it would take, and says the same to programs', async () => {
    const { code, stdout } = await user.run(
      'policy',
      'explain',
      ...LOGIN,
      '--context',
      'reason=a good one',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      file: policy,
      rule: { name: 'logins', line: 5 },
      people: [
        { name: 'alice', canSign: false },
        { name: 'bob', canSign: true },
        { name: 'carol', canSign: false },
      ],
      satisfiable: true,
      refusals: [],
      notes: [],
    });
    expect(code).toBe(0);
  });

  test('says of a request that is there under which rule it was made, and who could sign it', async () => {
    const id = (await user.must('roster', 'set', 'carol', '--group', 'db', '--no-wait')).trim();
    const key = join(user.home, '.ssh/bob');
    const { code, stdout } = await user.run('policy', 'explain', '--request', id, '--key', key);
    expect(stdout).toMatch(/^ {2}no {2}logins {2}line 5$/m);
    expect(stdout).toMatch(/^ +action is "roster\.change"$/m);
    expect(stdout).toMatch(/^changes-of-the-broker$/m);
    expect(stdout).toMatch(/^asked for\n {2}2 more people: alice, bob or carol$/m);
    expect(stdout).toContain('was pinned when it was asked');
    expect(code).toBe(0);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const json = await user.must('policy', 'explain', '--request', id, '--key', key, '--json');
    expect(JSON.parse(json)).toMatchObject({ id, isInForce: false, satisfiable: true });
  });

  test('asks a broker elsewhere as an approver, and a file for the people', async () => {
    const roster = write('signers', await user.must('roster', 'export'));
    const args = ['policy', 'explain', ...LOGIN, '--url', url, '--key', join(user.home, '.ssh/carol')];
    const { stdout } = await user.run(...args, '--roster', roster, '--dir', join(user.home, 'elsewhere'));
    expect(stdout).toMatch(/^could sign\n {2}bob {4}rota$/m);
  });

  test('takes a file, whose commands it does not run, and a list of people', async () => {
    const roster = write('roster.json', await user.must('roster', 'list', '--json'));
    const file = ['--file', policy, '--roster', roster, '--dir', '/nowhere'];
    const unknown = await user.run('policy', 'explain', ...LOGIN, ...file);
    expect(unknown.stdout).toMatch(/^nobody can approve this now/m);
    expect(unknown.stdout).toMatch(
      /^note: who is in rota is for its command to say: --group rota=NAME,NAME$/m,
    );
    const told = await user.run('policy', 'explain', ...LOGIN, ...file, '--group', 'rota=carol');
    expect(told.stdout).toMatch(/^could sign\n {2}carol {2}rota$/m);
  });

  test.each([
    [['policy', 'explain', 'ssh.login', 'web-1'], /--requester is missing/],
    [['policy', 'explain'], /ACTION and RESOURCE are missing, or --request ID/],
    [['policy', 'explain', '--request', 'x'], /26 characters/],
    [['policy', 'explain', 'a', 'b', '--request', '01K9ZJ4M2Q8W5R7T0V3X6Y1B2C'], /without ACTION/],
    [['policy', 'explain', '--request', '01K9ZJ4M2Q8W5R7T0V3X6Y1B2C', '--file', 'x'], /without --file/],
    [['policy', 'explain', ...LOGIN, '--detail', 'x'], /--detail "x" is not KEY=VALUE/],
    [['policy', 'explain', ...LOGIN, '--at', 'noon'], /--at is not a time/],
    [['policy', 'explain', 'SSH', 'web-1', '--requester', 'alice'], /action is not a name/],
    [['policy', 'explain', ...LOGIN, '--dir', '/nowhere'], /there is no data directory "\/nowhere"/],
  ])('says what is wrong with %j', async (args, why) => {
    const { code, stderr } = await user.run(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(why);
  });
});

describe('policy check', () => {
  test('is content with what the broker has loaded', async () => {
    const { code, stdout } = await user.run('policy', 'check');
    expect(stdout).toBe(`${policy}: good: 2 rules\n`);
    expect(code).toBe(0);
  });

  test('names line, column and what to do, and exits with 1', async () => {
    const bad = write('bad.yaml', POLICY.replace('[ROTA]', '[/bin/true]').replace('db: 1', 'dbs: 0'));
    const { code, stdout } = await user.run('policy', 'check', bad);
    expect(stdout).toContain(`${bad}:11:23: rule 2: approvals.dbs: write a whole number from 1 to 99`);
    expect(stdout).toMatch(/: not loaded: 1 mistake$/m);
    expect(code).toBe(1);
    const json = JSON.parse((await user.run('policy', 'check', bad, '--json')).stdout);
    expect(json).toMatchObject({ ok: false, mistakes: [{ line: 11, column: 23 }] });
  });

  test('refuses a file that others may write, as the broker does', async () => {
    const { code, stderr } = await user.run('policy', 'check', write('open.yaml', POLICY, 0o666));
    expect(stderr).toMatch(/others may write/);
    expect(code).toBe(1);
  });

  test('warns of what is allowed and perhaps not meant', async () => {
    const tight =
      'version: 1\ngroups: { rota: { command: [/no/such] } }\nrules: [ { name: r, approvals: { db: 2 } } ]\n';
    const { code, stdout } = await user.run('policy', 'check', write('tight.yaml', tight));
    expect(stdout).toMatch(/:3: warning: r asks for 2 of db, which has just 2: /);
    expect(stdout).toMatch(/:1: warning: you cannot run \/no\/such, which tells who is in rota/);
    expect(stdout).toMatch(/: good: 1 rule, 2 warnings$/m);
    expect(code).toBe(0);
  });
});

describe('policy test', () => {
  const cases = (expected: string): string => `version: 1
policy: policy.yaml
roster: { alice: , bob: { groups: [db] }, carol: { groups: [db] } }
cases:
  - name: root needs somebody of db
    ask: { action: sudo.run, resource: db-1, requester: alice }
    votes: [bob]
    expect: ${expected}
  - name: nothing else is allowed
    ask: { action: reboot, resource: db-1, requester: alice }
    expect: { refused: no-rule }
`;

  test('prints a line for each case, the first difference of one that fails, and a sum', async () => {
    const good = await user.run(
      'policy',
      'test',
      write('cases.yaml', cases('{ rule: root, satisfied: true }')),
    );
    expect(good).toMatchObject({
      code: 0,
      stdout: 'ok    root needs somebody of db\nok    nothing else is allowed\n2 passed, 0 failed\n',
    });
    const path = write('wrong.yaml', cases('{ can-sign: [bob] }'));
    const wrong = await user.run('policy', 'test', path);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toBe(
      'FAIL  root needs somebody of db\n' +
        `      ${path}:5: can-sign: expected bob, is bob, carol\n` +
        'ok    nothing else is allowed\n1 passed, 1 failed\n',
    );
  });

  test('speaks JSON and TAP', async () => {
    const path = write('wrong.yaml', cases('{ can-sign: [bob] }'));
    const json = await user.run('policy', 'test', path, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      passed: 1,
      failed: 1,
      cases: [{ line: 5 }, { differences: [] }],
    });
    const tap = await user.run('policy', 'test', path, '--tap');
    expect(tap.stdout).toBe(
      'TAP version 14\n1..2\nnot ok 1 - root needs somebody of db\n' +
        '# can-sign: expected bob, is bob, carol\nok 2 - nothing else is allowed\n',
    );
    expect([json.code, tap.code]).toEqual([1, 1]);
  });

  test('holds cases without people against the real ones, and the policy in force', async () => {
    const real = cases('{ can-sign: [bob] }').replace(/^policy.*\nroster.*\n/m, '');
    expect((await user.run('policy', 'test', write('real.yaml', real))).code).toBe(0);
  });

  test('runs nothing of a file that is not understood', async () => {
    const { code, stdout, stderr } = await user.run(
      'policy',
      'test',
      write('odd.yaml', cases('{ rul: root }')),
    );
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/odd\.yaml:8:15: cases\.0\.expect: there is no key rul/);
  });
});

test('policy import prints a policy that policy check reads', async () => {
  const source =
    '{"policy_rules":[{"groups":{"db":{}},"roles":{"r":{}},"resources":{"a":{}}},{"groups":{"db":{}},"roles":{"r":{}},"resources":{"a":{}}}]}';
  const imported = await user.run('policy', 'import', write('rules.json', source), '--longest', '2h');
  expect(imported.stderr).toBe('countersign: entry 2 is left out: entry 1 allows all of it\n');
  const { stdout } = await user.run('policy', 'check', write('imported.yaml', imported.stdout));
  expect(stdout).toMatch(/: good: 1 rule$/m);
  const wide = await user.run('policy', 'import', write('wide.json', source.replace('"a"', '"*"')));
  expect(wide).toMatchObject({ code: 1, stdout: '' });
});
