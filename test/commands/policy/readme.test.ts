import { describe, expect, test } from 'vitest';
import { compilePolicy } from '../../../broker/policy/compile.js';
import { Principals } from '../../../broker/roster/principals.js';
import { parseCases } from '../../../src/commands/policy/cases.js';
import { runCase } from '../../../src/commands/policy/run-case.js';
import type { Name } from '../../../src/protocol/names.js';
import { Readme } from '../../e2e/readme/blocks.js';

const readme = new Readme();
const people = (roster: Readonly<Record<string, readonly string[]>>) => ({
  people: Object.entries(roster).map(([name, groups]) => ({
    name: name as Name,
    aliases: [],
    groups: groups as Name[],
    keys: [],
  })),
  submitters: [],
});

describe('the README', () => {
  const policy = readme.take('Try out a policy', 'yaml');
  const cases = parseCases(readme.take('Try out a policy', 'yaml'), 'cases.yaml');
  const directory = people(
    Object.fromEntries(
      Object.entries(cases.roster ?? {}).map(([name, person]) => [name, person?.groups ?? []]),
    ),
  );
  const compiled = compilePolicy(policy, { principals: new Principals(directory), file: 'policy.yaml' });

  test.each(cases.cases.map((one) => [one.name, one] as const))('has a case that holds: %s', (_, one) => {
    expect(runCase(one, { policy: compiled, directory, told: new Map(), at: cases.at ?? 0 })).toEqual([]);
  });

  test('has groups from a schedule that load', () => {
    const groups = readme.take('Groups from an on-call schedule', 'yaml');
    const text = `version: 1\n${groups}rules: [ { name: r, approvals: { oncall: 1, duty-manager: 1 } } ]\n`;
    const principals = new Principals(people({ alice: [], bob: [] }));
    expect(compilePolicy(text, { principals, file: 'policy.yaml' }).groups.map(({ every }) => every)).toEqual(
      [300, 600],
    );
  });

  test('has a table that loads', () => {
    const principals = new Principals(people({ alice: ['oncall', 'db'], bob: ['leads'], carol: ['leads'] }));
    const { rules } = compilePolicy(readme.take('Tables of groups, roles and resources', 'yaml'), {
      principals,
      file: 'policy.yaml',
    });
    expect(rules.map(({ rule }) => rule.name)).toEqual(['cloud/1', 'cloud/databases']);
  });
});
