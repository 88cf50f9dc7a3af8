import { describe, expect, test } from 'vitest';
import { BadPolicy } from '../../../broker/policy/bad-policy.js';
import { MAX_YAML_BYTES } from '../../../broker/yaml/yaml-source.js';
import { compile, mistakesOf, rules } from './policy-world.js';

const withApprovals = (approvals: string): string => rules(`when: action == "a"\napprovals: ${approvals}`);

describe('a policy that could open by mistake is not loaded', () => {
  test.each([
    ['{ oncall: 0 }', 'write a whole number from 1 to 99'],
    ['{ oncall: -1 }', '-1 is not a whole number'],
    ['{ oncall: 1.5 }', '1.5 is not a whole number'],
    ['{ oncall: 1.0 }', '1.0 is not a whole number'],
    ['{ oncall: 1e0 }', '1e0 is not a whole number'],
    ['{ oncall: 0x1 }', '0x1 is not a whole number'],
    ['{ oncall: .nan }', '.nan is not a whole number'],
    ['{ oncall: .inf }', '.inf is not a whole number'],
    ['{ oncall: "1" }', 'write a whole number from 1 to 99'],
    ['{ oncall: }', 'has no value: write a whole number from 1 to 99'],
    ['{ oncall: 100 }', 'write a whole number from 1 to 99'],
    ['{ people: 0 }', 'write a whole number from 1 to 99'],
    ['{ people: true }', 'write a whole number from 1 to 99'],
    ['{}', 'say who must sign'],
    ['', 'has no value'],
    ['[]', 'write { people: 2 }'],
    ['nobody', 'write { people: 2 }'],
    ['{ any: [] }', 'write at least one alternative'],
    ['{ any: [ {} ] }', 'say who must sign'],
    ['{ any: [ { oncall: 1 }, { db: 0 } ] }', 'write a whole number from 1 to 99'],
    ['{ any: [ { any: [ { oncall: 1 } ] } ] }', 'write the name of a group'],
    ['{ any: [ { oncall: 1 } ], oncall: 1 }', 'there is no key oncall'],
    ['{ oncal: 1 }', 'nobody is in the group oncal: there are db, leads, oncall'],
    ['{ any: [ { oncall: 1 }, { security: 1 } ] }', 'nobody is in the group security'],
    ['{ "group:oncall": 1 }', 'write the name of a group'],
    ['{ oncall: 1, __proto__: 1 }', 'no key __proto__'],
    ['{ constructor: 1 }', 'nobody is in the group constructor'],
    ['{ oncall: 4 }', 'asks for 4 of oncall, which has 3 members'],
    ['{ any: [ { oncall: 1 }, { leads: 2 } ] }', 'asks for 2 of leads, which has 1 member'],
    ['{ people: 6 }', 'asks for 6 people, and the roster has 5'],
    ['{ people: 6, oncall: 1 }', 'asks for 6 people, and the roster has 5'],
    ['{ people: 1, oncall: 2 }', 'the groups alone ask for 2'],
    ['{ oncall: 3, db: 2 }', 'a person signs once: oncall and db need 5 people and have 4 together'],
    ['{ oncall: 1, db: 1, leads: 1, a: 1, b: 1 }', 'at most 4 groups'],
  ])('approvals: %s (A11, A13)', (approvals, why) => {
    expect(mistakesOf(withApprovals(approvals)).join('\n')).toContain(why);
  });

  test('without approvals at all (A11)', () => {
    expect(mistakesOf(rules('when: action == "a"'))).toEqual([
      '3:5: rule 1: approvals: is missing: write { people: 2 }, { GROUP: 1, OTHER: 1 }, { any: [ … ] } or automatic',
    ]);
  });

  test('with a group of a command that the roster has too (A12)', () => {
    const text = `groups: { oncall: { command: [/bin/who] } }\n${rules('approvals: { oncall: 1 }')}`;
    expect(mistakesOf(text)).toEqual([
      '1:19: groups.oncall: the roster has a group of this name: choose another one',
    ]);
  });

  test.each([
    ['revoke: [nobody]', 'nobody is in the group nobody'],
    ['escalation: [ { after: 0s, ring: [nobody] } ]', 'nobody is in the group nobody'],
    ['alone: { group: nobody, delay: 15m, reason: 40 }', 'nobody is in the group nobody'],
    ['revoke: []', 'name a group'],
    ['escalation: []', 'write at least one step'],
    [
      'escalation: [ { after: 5m, ring: [oncall] }, { after: 5m, ring: [leads] } ]',
      'comes before the step above it',
    ],
    ['escalation: [ { after: 0m, ring: [] } ]', 'name a group'],
    ['answer-by: 300', 'write a time from 1s to 1d'],
    ['answer-by: 0s', 'write a time from 1s to 1d'],
    ['answer-by: 2d', 'write a time from 1s to 1d'],
    ['answer-by: 5 m', 'write a time from 1s to 1d'],
    ['answer-by: -5m', 'write a time from 1s to 1d'],
    ['claim-by: 1h', 'signatures end after the validity of 15m'],
    ['work: { default: 1h }', 'longest: is missing'],
    ['work: { default: 2h, longest: 1h }', 'is more than longest, 1h'],
    ['grants: { uses: 0 }', 'write a whole number from 1 to 10000'],
    ['grants: { use: 3 }', 'there is no key use'],
    ['grants: yes', 'any number of uses needs a time'],
    ['grants: maybe', 'write yes, no or { uses: 3 }'],
    ['touch: maybe', 'write yes or no'],
    ['reason: 0', 'write a whole number from 1 to 1000'],
    ['reason: yes', 'write a whole number from 1 to 1000'],
    ['ticket: "("', 'missing closing )'],
    ['ticket: "a)|(b"', 'unexpected )'],
    ['ticket: ""', 'write a pattern'],
    ['ticket: "INC-[0-9]+|"', 'an empty ticket matches it too'],
    ['ticket: ".*"', 'an empty ticket matches it too'],
    ['shared-requester: ignore', 'write one-more, refuse or accept'],
    ['channel: ""', 'write the name of a channel'],
    ['alone: { group: oncall, delay: 15m }', 'reason: is missing'],
    ['confirm: yes', 'write { resource: yes }, { reason: 20 } or both'],
    ['confirm: {}', 'write { resource: yes }, { reason: 20 } or both'],
    ['confirm: { resource: no }', 'write { resource: yes }, { reason: 20 } or both'],
    ['confirm: { reason: 81 }', 'write a whole number from 1 to 80'],
    ['confirm: { number: yes }', 'there is no key number'],
    ['alone: { group: oncall, delay: 0s, reason: 40 }', 'write a time from 1s to 1d'],
    ['aprovals: { people: 2 }', 'there is no key aprovals: did you mean approvals?'],
    ['extends: other', 'there is no key extends: remove it'],
  ])('%s', (line, why) => {
    expect(mistakesOf(rules(`approvals: { oncall: 1 }\n${line}`)).join('\n')).toContain(why);
  });

  test.each([
    ['an empty file', '', 'the file is empty'],
    ['comments alone', '# nothing\n', 'the file is empty'],
    ['another version', 'version: 2\nrules: [ { name: a, approvals: { people: 1 } } ]', 'write version: 1'],
    ['no rules', 'version: 1\nrules: []', 'write at least one rule'],
    ['rules that are none', 'version: 1\nrules: [ 1 ]', 'write a rule'],
    ['a key twice', rules('approvals: { oncall: 1, oncall: 2 }'), 'map keys must be unique'],
    ['an alias', rules('approvals: &a { oncall: 1 }', 'approvals: *a'), 'no aliases'],
    ['an anchor', rules('approvals: &a { oncall: 1 }'), 'no anchors: remove &a'],
    ['a merge key', rules('approvals: { people: 1 }\n<<: { touch: no }'), 'no merge keys'],
    ['a tag', rules('approvals: { oncall: !!int 1 }'), 'no tags'],
    ['a tag of its own', rules('approvals: { oncall: !count 1 }'), 'no tags: remove !count'],
    ['a directive', `%YAML 1.1\n---\n${rules('approvals: { oncall: 1 }')}`, 'no directives'],
    [
      'two documents',
      `${rules('approvals: { people: 1 }')}---\n${rules('approvals: { people: 1 }')}`,
      'one YAML document',
    ],
    ['no YAML', 'version: [1', 'flow'],
    ['a list', '- 1', 'write version: 1, then rules:'],
    ['deep nesting', `version: ${'['.repeat(2000)}`, 'nested too deeply'],
    ['a huge file', `# ${'x'.repeat(MAX_YAML_BYTES)}`, 'larger than'],
    [
      'a program without a path',
      `groups: { a: { command: [who] } }\n${rules('approvals: { a: 1 }')}`,
      'absolute path',
    ],
    [
      'a command that is a text',
      `groups: { a: { command: /bin/who } }\n${rules('approvals: { a: 1 }')}`,
      'write a list',
    ],
    [
      'a reserved name',
      `groups: { any: { command: [/bin/who] } }\n${rules('approvals: { a: 1 }')}`,
      'people and any',
    ],
    [
      'an impatient group',
      `groups: { a: { command: [/bin/who], every: 1s } }\n${rules('approvals: { a: 1 }')}`,
      'write a time from 10s',
    ],
    [
      'a name twice',
      rules(
        'when: action == "a"\napprovals: { people: 1 }',
        'when: action == "b"\napprovals: { people: 1 }',
      ).replace('rule-2', 'rule-1'),
      'rule 1 has this name',
    ],
  ])('%s', (_, text, why) => {
    expect(mistakesOf(text).join('\n')).toContain(why);
  });

  test('with each mistake at its line, all at once, in one problem', () => {
    const text = [
      'version: 1',
      'rules:',
      '  - name: one',
      '    when: acton == "ssh.login"',
      '    approvals: { nobody: 1 }',
      '  - name: two',
      '    approvals: { people: 9 }',
      '    claim-by: 1h',
    ].join('\n');
    expect(mistakesOf(text)).toEqual([
      '4:11: rule 1: when: there is no variable acton: did you mean action?',
      '5:26: rule 1: approvals.nobody: nobody is in the group nobody: there are db, leads, oncall; add people with countersign roster set NAME --group nobody',
      '7:26: rule 2: approvals.people: asks for 9 people, and the roster has 5: add people or ask for fewer',
      '8:15: rule 2: claim-by: signatures end after the validity of 15m: write a shorter claim-by than 1h, or validity: 1h',
    ]);
    expect(() => compile(text)).toThrow(BadPolicy);
    expect(() => compile(text)).toThrow('policy.yaml:4:11: rule 1: when: there is no variable acton');
  });
});

test('a condition is read even where a key beside it is wrong', () => {
  const text = rules('when: acton == "a"\napproval: { people: 1 }', 'when: [a]\napprovals: { people: 1 }');
  expect(mistakesOf(text)).toEqual([
    '3:5: rule 1: approvals: is missing: write { people: 2 }, { GROUP: 1, OTHER: 1 }, { any: [ … ] } or automatic',
    '4:11: rule 1: when: there is no variable acton: did you mean action?',
    '5:5: rule 1: there is no key approval: did you mean approvals?',
    '7:11: rule 2: when: write a condition in CEL, such as action == "ssh.login"',
  ]);
});

describe('a condition that is a slip, and true for everybody in its opposite, is not loaded (A11)', () => {
  test.each([
    ['has(requester.person)', '4:12: rule 1: when: person is always there, and may be empty'],
    ['has(requester.groups)', 'groups is always there'],
    ['!("contractor" in requester.groups)', '4:14: rule 1: when: nobody is in the group contractor'],
    ['requester.groups.all(g, g != "contractor")', 'nobody is in the group contractor'],
    ['!requester.groups.exists(g, "contractor" == g)', 'nobody is in the group contractor'],
    ['!requester.groups.exists(g, g in ["db", "contractor"])', 'nobody is in the group contractor'],
    ['action != "SSH.login"', 'action is never "SSH.login": names have a-z'],
    ['action != "ssh.login "', 'action is never "ssh.login "'],
    ['!(action in ["ssh.login", "ѕsh.login"])', 'action is never "ѕsh.login"'],
    ['"Web" != submitter', 'submitter is never "Web"'],
    ['requester.name != "Alice"', 'requester.name is never "Alice"'],
    ['!(time.getDayOfWeek("Europe/Vienna") in [6, 7])', 'getDayOfWeek is never 7: it is 0 to 6, Sunday is 0'],
    ['time.getMonth() != 12', 'getMonth is never 12: it is 0 to 11, January is 0'],
  ])('%s', (when, why) => {
    expect(mistakesOf(rules(`when: '${when}'\napprovals: { people: 1 }`)).join()).toContain(why);
  });

  test.each([
    'requester.person != ""',
    'size(requester.groups) > 0',
    '!("db" in requester.groups)',
    'requester.groups.all(g, g != "db")',
    'time.getDayOfWeek("Europe/Vienna") in [0, 6]',
    'details.user != "Root" && resource != "DB 1"',
    'has(context.list) && context.list.exists(g, g == "contractor")',
  ])('but %s is', (when) => {
    expect(mistakesOf(rules(`when: '${when}'\napprovals: { people: 1 }`))).toEqual([]);
  });

  test('nor a group that a command tells, which may be empty', () => {
    const text = `groups: { contractor: { command: [/bin/who] } }\n${rules(
      'when: \'!("contractor" in requester.groups)\'\napprovals: { people: 1 }',
    )}`;
    expect(mistakesOf(text)).toEqual([]);
  });
});

describe('a rule that is never reached is not loaded', () => {
  test.each([
    ['', 'action == "a"', 'rule-1, above it is for all asks'],
    ['when: true', 'action == "a"', 'rule-1, above it is for all asks'],
    ['when: action == "a"', 'action  ==  "a"', 'rule-1, has the same condition'],
    ['when: action == "a"', '"a" == action', 'rule-1, is true whenever this is'],
    ['when: action == "a"', 'action == "a" && resource == "b"', 'rule-1, is true whenever this is'],
    ['when: action in ["a", "b"]', 'action == "b" && resource == "b"', 'rule-1, is true whenever this is'],
    ['when: action.startsWith("ssh.")', 'action in ["ssh.a", "ssh.b"]', 'rule-1, is true whenever this is'],
    ['when: action.startsWith("ssh.")', 'action.startsWith("ssh.x")', 'rule-1, is true whenever this is'],
    ['when: action == "a" || resource == "b"', 'resource == "b"', 'rule-1, is true whenever this is'],
    ['when: duration > 5', 'action == "a" && duration > 5', 'rule-1, is true whenever this is'],
    ['when: action == "x"', 'false', 'this is never true'],
    ['when: action == "x"', 'action == "a" && action == "b"', 'this is never true'],
  ])('%s before %s', (first, second, why) => {
    const text = rules(
      `${first}\napprovals: { people: 1 }`.trim(),
      `when: '${second}'\napprovals: { people: 2 }`,
    );
    expect(mistakesOf(text)).toHaveLength(1);
    expect(mistakesOf(text)[0]).toContain(why);
  });

  test.each([
    ['action == "a"', 'action == "b"'],
    ['action == "a" && resource == "b"', 'action == "a"'],
    ['action == "ssh.a"', 'action.startsWith("ssh.")'],
    ['action != "a"', 'action == "a"'],
    ['!(action == "a")', 'action == "a"'],
    ['requester.groups.exists(x, x == "db")', 'requester.groups.exists(x, x == "oncall")'],
  ])('but %s may come before %s', (first, second) => {
    const text = rules(
      `when: '${first}'\napprovals: { people: 1 }`,
      `when: '${second}'\napprovals: { people: 2 }`,
    );
    expect(mistakesOf(text)).toEqual([]);
  });
});

describe('a matched number where the requester cannot see one is not loaded', () => {
  const numbered = (when: string): readonly string[] =>
    mistakesOf(rules(`${when === '' ? '' : `when: '${when}'\n`}number: yes\napprovals: { people: 1 }`));

  test.each([
    '',
    'action == "ssh.login"',
    'action == "sudo.run"',
    'action == "pam.cockpit"',
    'action.startsWith("ssh.")',
    'action.startsWith("pam")',
    'action.startsWith("")',
    'action != "ssh.login"',
    '!action.startsWith("pam.")',
    'resource == "command.run"',
    'action == "command.run" || resource == "a"',
    'action in ["command.run", "su.login"]',
    'action in ["command.run", resource]',
  ])('%s', (when) => {
    expect(numbered(when).join()).toContain('a requester at PAM sees no number');
  });

  test('also for what the broker is the door of (A17)', () => {
    const mistakes = numbered('action in ["command.run", "roster.change"]').join();
    expect(mistakes).toContain(
      'who changes the broker sees no number, and this can be true for roster.change',
    );
  });

  test.each([
    'action == "command.run"',
    'action in ["ssh.command", "ssh.shell"] && resource.startsWith("db-")',
    'action.startsWith("ci.") || action == "command.run"',
  ])('but with %s it is', (when) => {
    expect(numbered(when)).toEqual([]);
  });
});

describe('automatic approval is for what the broker verified alone', () => {
  const automatic = (when: string): readonly string[] =>
    mistakesOf(rules(`${when === '' ? '' : `when: '${when}'\n`}approvals: automatic`));
  const OWN = 'verified.issuer == "https://ci.example" && verified.repository == "acme/shop"';

  test.each([
    `${OWN} && details.environment == "test"`,
    `${OWN} && context.reason == "x"`,
    `${OWN} && requester.name == "alice"`,
    `${OWN} && requester.groups.exists(x, x == "oncall")`,
    `${OWN} && requester.person != ""`,
    `${OWN} && duration < 60`,
    `${OWN} && (true || has(details.x))`,
  ])('%s reads what the requester wrote (A20, A21)', (when) => {
    expect(automatic(when).join()).toContain('automatic approval must not depend on');
  });

  test.each([
    '',
    'action == "ssh.login"',
    'submitter == "ci"',
    'verified.issuer == "https://ci.example"',
    'has(verified.repository) && submitter == "ci"',
    'verified.repository != "acme/prod" && submitter == "ci"',
    'submitter == "ci" && (verified.repository == "acme/shop" || action == "ci.test")',
    'submitter == "ci" && verified.repository.startsWith("")',
    'submitter == "ci" && !(verified.repository == "acme/shop")',
    'submitter == "ci" && verified.repository in ["acme/shop", ""]',
  ])('%s asks for no claim (A20)', (when) => {
    expect(automatic(when).join()).toContain('automatic approval needs a claim');
  });

  test('a claim of nobody in particular is none (A20)', () => {
    expect(automatic('verified.repository == "acme/shop"').join()).toContain('say whose claims these are');
    expect(
      automatic('verified.repository == "a/b" && (submitter == "ci" || action == "ci.test")').join(),
    ).toContain('say whose claims these are');
  });

  test.each([
    OWN,
    `${OWN} && action == "ci.deploy" && resource == "staging"`,
    'submitter == "ci" && verified["repository"] in ["acme/shop", "acme/docs"]',
    'submitter in ["ci", "cd"] && (verified.repository == "a/b" || verified.environment.startsWith("test-"))',
    `${OWN} && time.getHours("Europe/Vienna") < 17`,
  ])('%s is enough', (when) => {
    expect(automatic(when)).toEqual([]);
  });

  test.each([
    'touch: yes',
    'revoke: [oncall]',
    'alone: { group: db, delay: 1m, reason: 40 }',
    'grants: { uses: 2 }',
    'confirm: { resource: yes }',
  ])('%s means nothing there', (line) => {
    const text = rules(`when: '${OWN}'\napprovals: automatic\n${line}`);
    expect(mistakesOf(text).join()).toContain('nobody signs where approvals are automatic');
  });
});
