import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Problem } from '../../../src/protocol/problems.js';
import { parseRule } from '../../../src/protocol/rule.js';
import { type AskedBy, ask, compile, decidedBy, mistakesOf, rules } from './policy-world.js';

const when = (condition: string): string =>
  rules(`when: ${JSON.stringify(condition)}\napprovals: { people: 1 }`);
const holds = (condition: string, by: AskedBy = {}): boolean => {
  try {
    compile(when(condition)).policy.ruleFor(ask(by));
    return true;
  } catch (cause) {
    if (cause instanceof Problem && cause.code === 'no-rule') return false;
    throw cause;
  }
};
const problemOf = (text: string, by: AskedBy = {}): string => {
  try {
    compile(text).policy.ruleFor(ask(by));
    return '';
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    return `${cause.code}: ${cause.message}`;
  }
};

const FULL = `version: 1
groups:
  pager: { command: [/usr/local/bin/oncall, primary], every: 2m }
defaults: { answer-by: 3m, claim-by: 5m, validity: 10m }
rules:
  - name: databases
    when: action == "ssh.login" && resource.startsWith("db-")
    approvals: { people: 3, oncall: 1, db: 1 }
    shared-requester: refuse
    reason: 10
    ticket: "INC-[0-9]+"
    answer-by: 5m
    claim-by: 10m
    validity: 1h
    work: { default: 1h, longest: 4h }
    grants: { uses: 3 }
    touch: yes
    revoke: [oncall, leads]
    escalation: [ { after: 0s, ring: [pager] }, { after: 5m, ring: [leads] } ]
    channel: databases
    alone: { group: leads, delay: 15m, reason: 40 }
    confirm: { resource: yes, reason: 20 }
  - name: commands
    when: action == "command.run"
    approvals: { any: [ { oncall: 1, db: 1 }, { leads: 1 } ] }
    number: yes
  - name: rest
    approvals: { people: 1 }
`;

describe('a policy', () => {
  test('says for each rule what will be pinned', () => {
    const { rules: compiled, groups, digest } = compile(FULL);
    const [databases, commands, rest] = compiled.map(({ rule }) => parseRule(rule.text));
    expect(databases).toMatchObject({
      name: 'databases',
      when: 'action == "ssh.login" && resource.startsWith("db-")',
      approvals: [
        {
          people: 3,
          groups: [
            { group: 'oncall', count: 1 },
            { group: 'db', count: 1 },
          ],
        },
      ],
      sharedRequester: 'refuse',
      reason: 10,
      ticket: 'INC-[0-9]+',
      answerBy: 300,
      claimBy: 600,
      longestValidity: 3600,
      work: { default: 3600, longest: 14_400 },
      grants: { uses: 3 },
      touch: true,
      number: false,
      revokers: ['oncall', 'leads'],
      escalation: [
        { after: 0, groups: ['pager'] },
        { after: 300, groups: ['leads'] },
      ],
      channel: 'databases',
      alone: { group: 'leads', delay: 900, reason: 40 },
      confirm: { resource: true, reason: 20 },
    });
    expect(commands?.approvals).toEqual([
      {
        people: 2,
        groups: [
          { group: 'oncall', count: 1 },
          { group: 'db', count: 1 },
        ],
      },
      { people: 1, groups: [{ group: 'leads', count: 1 }] },
    ]);
    expect(rest).toMatchObject({
      when: '',
      sharedRequester: 'one-more',
      answerBy: 180,
      claimBy: 300,
      longestValidity: 600,
      work: { default: 0, longest: 0 },
      grants: null,
      revokers: null,
    });
    expect(groups).toEqual([{ name: 'pager', command: ['/usr/local/bin/oncall', 'primary'], every: 120 }]);
    expect(compiled.map(({ line }) => line)).toEqual([6, 23, 27]);
    expect(digest).toMatch(/^sha256:/);
  });

  test('decides by the first rule that is true, whatever stands below it', () => {
    const asked = {
      resource: 'db-1',
      requester: 'alice',
      context: { reason: 'restart it now', ticket: 'INC-1' },
    };
    expect(decidedBy(FULL, asked)).toBe('databases');
    expect(decidedBy(FULL, { action: 'command.run', context: { number: true } })).toBe('commands');
    expect(decidedBy(FULL, { resource: 'web-1' })).toBe('rest');
  });

  test('refuses what no rule allows', () => {
    expect(problemOf(when('action == "a"'))).toBe('no-rule: no rule allows ssh.login on "web-1" for erin');
  });

  test('says everything that an ask lacks, and goes to no weaker rule', () => {
    expect(problemOf(FULL, { resource: 'db-1', requester: 'deploy', duration: 20_000 })).toBe(
      'rule-unmet: the rule databases wants a requester who is a person of the roster, which deploy is not, and a reason of at least 10 characters, and a ticket like INC-[0-9]+, and at most 4h of work',
    );
    expect(problemOf(FULL, { duration: 1 })).toBe('rule-unmet: the rule rest wants no time of work');
  });

  test.each([[{}], [{ number: false }], [{ number: 'true' }], [{ number: 1 }]])(
    'takes no ask with %j where it wants a number that no door shows (A19)',
    (context) => {
      expect(problemOf(FULL, { action: 'command.run', context })).toBe(
        'rule-unmet: the rule commands wants a door that shows the requester a number (number=yes)',
      );
    },
  );

  test.each([
    ['short', 'INC-1', false],
    ['         short         ', 'INC-1', false],
    ['long enough it is', 'INC-1', true],
    ['long enough it is', 'INC-1 ', false],
    ['long enough it is', 'xINC-1', false],
    ['long enough it is', 'INC-1\n', false],
    ['long enough it is', 'INC-1\nINC-2', false],
    ['long enough it is', 7, false],
    [['long enough it is'], 'INC-1', false],
  ])('takes the reason %j with the ticket %j: %s', (reason, ticket, isGood) => {
    const asked = { resource: 'db-1', requester: 'alice', context: { reason, ticket } };
    expect(problemOf(FULL, asked).startsWith('rule-unmet')).toBe(!isGood);
  });
});

describe('a condition', () => {
  const verified = {
    issuer: 'https://ci.example',
    claims: [
      { name: 'repository', value: 'acme/shop' },
      { name: 'issuer', value: 'https://evil.example' },
    ],
  };

  test.each<[string, AskedBy, boolean]>([
    ['action == "ssh.login" && door == "host:web-1" && submitter == "host:web-1"', {}, true],
    [
      'requester.name == "erin@example.com" && requester.person == "erin"',
      { requester: 'erin@example.com' },
      true,
    ],
    ['requester.person == ""', { requester: 'deploy' }, true],
    ['"db" in requester.groups', { requester: 'bob' }, true],
    ['"db" in requester.groups', { requester: 'erin' }, false],
    ['requester.groups.exists(x, x.startsWith("on"))', { requester: 'carol' }, true],
    ['size(requester.groups) == 0', { requester: 'deploy' }, true],
    ['verified.issuer == "https://ci.example" && verified.repository == "acme/shop"', { verified }, true],
    ['has(verified.repository)', {}, false],
    ['has(verified.issuer)', {}, false],
    ['details.uid == 0', { details: { uid: 0 } }, true],
    ['details.uid < 1000', { details: { uid: 1000 } }, false],
    ['details.argv.exists(x, x == "--force")', { details: { argv: ['rm', '--force'] } }, true],
    ['details.user.name == "root"', { details: { user: { name: 'root' } } }, true],
    ['has(details.user) && details.user == "root"', {}, false],
    ['has(details.constructor) || has(details.toString)', {}, false],
    ['context.reason.contains("INC")', { context: { reason: 'INC-1' } }, true],
    ['duration >= 0 && duration < 1', {}, true],
    ['resource.matches("^db-[0-9]+$")', { resource: 'db-17' }, true],
    ['time.getHours() == 14', {}, true],
    ['time.getHours("Europe/Vienna") == 15', {}, true],
    ['time.getHours("+05:30") == 20 && time.getMinutes("+05:30") == 0', {}, true],
    ['time.getDayOfWeek("Europe/Vienna") == 3', {}, true],
    ['time.getDayOfWeek("Pacific/Auckland") == 4', {}, true],
    ['time.getDate() == 18 && time.getMonth() == 2 && time.getFullYear() == 2026', {}, true],
    ['time < timestamp("2026-04-01T00:00:00Z")', {}, true],
    ['time + duration("1h") < timestamp("2026-03-18T15:00:00Z")', {}, false],
  ])('%s of %j is %s', (condition, by, expected) => {
    expect(holds(condition, by)).toBe(expected);
  });

  test('has the hours of the zone that it names when the clocks of this machine change', () => {
    const before = process.env.TZ;
    process.env.TZ = 'Europe/Vienna';
    try {
      expect(holds('time.getHours("UTC") == 2', { now: Date.parse('2026-03-29T02:30:00Z') })).toBe(true);
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });

  test.each<[string, AskedBy]>([
    ['verified.repository == "acme/shop"', {}],
    ['details.uid < 5', { details: { uid: 'root' } }],
    ['details.flag', { details: { flag: 'yes' } }],
    ['details.a.b.c == 1', { details: { a: 1 } }],
    ['1 / duration == 1', {}],
    ['details.argv[5] == "x"', { details: { argv: [] } }],
  ])('%s without an answer refuses, and passes nothing to the weaker rule below (A19)', (condition, by) => {
    const text = rules(
      `when: ${JSON.stringify(condition)}\napprovals: { oncall: 1, db: 1 }`,
      'approvals: { people: 1 }',
    );
    expect(problemOf(text, by)).toMatch(/^rule-failed: the condition of the rule rule-1 has no answer: /);
  });

  test.each([
    ['acton == "a"', 'there is no variable acton: did you mean action?'],
    ['zebra', 'there is no variable zebra: there are action, resource'],
    ['constructor == "a"', 'there is no variable constructor'],
    ['requester == "alice"', 'a map is never a text'],
    ['requester.nam == "alice"', 'there is no nam here: there are name, person, groups'],
    ['action == 1', 'a text is never a whole number'],
    ['action', 'a condition is true or false, and this is a text'],
    ['1', 'a condition is true or false, and this is a whole number'],
    ['!action', 'true or false is needed here, and this is a text'],
    ['action == "a" || "b"', 'true or false is needed here'],
    ['action.startWith("a")', 'there is no method startWith: did you mean startsWith?'],
    ['action.startsWith(5)', 'a text is needed here, and this is a whole number'],
    ['action.startsWith', 'a text has no startsWith: write startsWith(…)'],
    ['siz(action) == 1', 'there is no function siz: did you mean size?'],
    ['eval(action)', 'there is no function eval'],
    ['action.matches("(")', 'missing closing )'],
    ['action.matches(resource)', 'the pattern of matches is a text of the policy'],
    ['requester.groups.exists(action, true)', 'action is a variable already'],
    ['requester.groups.exists("x", true)', 'write LIST.exists(x, CONDITION)'],
    ['action.exists(x, x == "a")', 'a text is not a list'],
    ['details.a.all(x, x.all(y, y == 1))', 'no exists, all, map or filter inside another one'],
    ['details.a.exists(x, x.matches("a"))', 'no matches inside'],
    ['requester.groups.map(x, x)', 'a condition is true or false, and this is a list'],
    ['has(action)', 'write has(details.KEY)'],
    ['time.getHours("Mars/Base") == 1', 'name a time zone'],
    ['time.getHours(resource) == 1', 'name a time zone'],
    ['time > 5', 'a time and a whole number have no order'],
    ['action in "abc"', 'nothing is in a text: write in ["A", "B"]'],
    ['action in [1]', 'a text is never in a list of a whole number'],
    ['google.protobuf.Any{}', 'there is no type google.protobuf.Any'],
    ['action = "a"', 'this is not CEL'],
    ['action == "a', 'this is not CEL'],
    ['', 'this is not CEL'],
    ['((((', 'this is not CEL'],
  ])('%s is not loaded', (condition, why) => {
    expect(mistakesOf(when(condition)).join('\n')).toContain(why);
  });

  test('that is wrong is shown at the character', () => {
    const text = (written: string): string => rules(`when: ${written}\napprovals: { people: 1 }`);
    expect(mistakesOf(text('action == "a" && zebra'))[0]).toMatch(/^4:28: /);
    expect(mistakesOf(text('\'action == "a" && zebra\''))[0]).toMatch(/^4:29: /);
    expect(mistakesOf(text('|\n  action == "a" &&\n  zebra'))[0]).toMatch(/^4:11: .*at character 18: /);
  });

  test('is refused or answered, and never throws anything else, however it is written', () => {
    const words = fc.constantFrom(
      ...[
        'action',
        'details',
        'verified',
        'requester',
        '.groups',
        '.name',
        '.x',
        '==',
        '!=',
        '&&',
        '||',
        '!',
        'in',
      ],
      ...[
        '"a"',
        '1',
        '1.5',
        'true',
        'null',
        '(',
        ')',
        '[',
        ']',
        '{',
        '}',
        ',',
        ':',
        '?',
        '-',
        '+',
        '/',
        '.exists(x, x)',
      ],
      ...[
        '.startsWith("a")',
        'has(details.x)',
        'size(',
        'time',
        '.getHours()',
        'duration',
        '.matches("(")',
        'b"x"',
        "r'\\'",
      ],
    );
    const written = fc.oneof(
      fc.array(words, { maxLength: 12 }).map((parts) => parts.join(' ')),
      fc.array(words, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    fc.assert(
      fc.property(written, fc.constantFrom('a', 1, ['a'], { x: 'a' }, null, true), (condition, x) => {
        if (mistakesOf(when(condition)).length > 0) return;
        const details = { x };
        expect(problemOf(when(condition), { details })).toMatch(/^$|^no-rule: |^rule-failed: /);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a policy text with something changed', () => {
  const TEXT = rules(
    'when: action == "ssh.login"\napprovals: { oncall: 2, db: 1 }\nreason: 10',
    'when: resource == "db-1"\napprovals: { any: [ { people: 2, db: 1 }, { leads: 1 } ] }',
    'approvals: { people: 2 }',
  );
  const bits = [
    ...new Set([...TEXT, '0', '1', '-', '.', '#', '~', '&', '*', '<', '!', '"', '\n', '{', 'e', 'n']),
  ];

  test('asks for at least one person in each alternative, or is not loaded (A11)', () => {
    const change = fc.record({
      at: fc.nat(TEXT.length),
      cut: fc.nat(6),
      put: fc.array(fc.constantFrom(...bits), { maxLength: 4 }).map((parts) => parts.join('')),
    });
    let loaded = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
        const text = changes.reduce(
          (before, { at, cut, put }) => before.slice(0, at) + put + before.slice(at + cut),
          TEXT,
        );
        if (mistakesOf(text).length > 0) return;
        loaded += 1;
        for (const { rule } of compile(text).rules) {
          expect(rule.approvals).not.toBe('automatic');
          expect(rule.approvals.length).toBeGreaterThan(0);
          for (const { people, groups } of rule.approvals === 'automatic' ? [] : rule.approvals) {
            const written = groups.reduce((sum, { count }) => sum + count, 0);
            expect(groups.every(({ count }) => Number.isInteger(count) && count >= 1)).toBe(true);
            expect(people).toBeGreaterThanOrEqual(Math.max(written, 1));
            for (const { group, count } of groups)
              expect(text).toMatch(new RegExp(`${group}"?\\s*:\\s+"?${count}\\b`));
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(loaded).toBeGreaterThan(10);
  });
});
