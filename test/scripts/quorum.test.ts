import { describe, expect, test } from 'vitest';
import { inDoor, lines, seeded } from './door-shell.js';

interface Rule {
  readonly people: number;
  readonly groups: readonly (readonly [string, number])[];
}
type Membership = Readonly<Record<string, readonly string[]>>;

/** Whether one person for each place can be found, by trying all ways. */
function canFill(places: readonly string[], signers: readonly string[], of: Membership): boolean {
  const [place, ...others] = places;
  if (place === undefined) return true;
  return signers.some(
    (signer) =>
      of[signer]?.includes(place) &&
      canFill(
        others,
        signers.filter((other) => other !== signer),
        of,
      ),
  );
}

function isMet({ people, groups }: Rule, signers: readonly string[], of: Membership): boolean {
  const places = groups.flatMap(([group, count]) => Array<string>(count).fill(group));
  return signers.length >= people && canFill(places, signers, of);
}

interface Case {
  readonly rule: Rule;
  readonly of: Membership;
  readonly signers: readonly string[];
  readonly requester: string;
  readonly shared: 'one-more' | 'refuse' | 'accept';
}

/** What `quorum_holds` says to each case; the requester `nobody` is no person of the signers file. */
function held(cases: readonly Case[]): boolean[] {
  const script = `while read -r people groups shared requester members signers; do
  config[people]=$people config[shared-requester]=$shared
  required_groups=() required_counts=() signer_of=() signer_groups=()
  [[ $groups == - ]] || parse_required_groups "$groups" || echo bad
  for member in \${members//;/ }; do
    signer_of[\${member%%=*}]=\${member%%=*}
    signer_groups[\${member%%=*}]=" \${member#*=} "
    signer_groups[\${member%%=*}]=\${signer_groups[\${member%%=*}]//,/ }
  done
  quorum_holds "$requester" $signers && echo yes || echo no
done`;
  const input = cases.map(({ rule, of, signers, requester, shared }) => {
    const groups = rule.groups.map(([group, count]) => `${group}:${count}`).join(',') || '-';
    const members = Object.entries(of).map(([name, all]) => `${name}=${all.join(',')}`);
    return `${[rule.people, groups, shared, requester, members.join(';'), ...signers].join(' ')}\n`;
  });
  return lines(inDoor(script, { input: input.join('') })).map((word) => word === 'yes');
}

function randomCases(count: number, seed: number): Case[] {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const names = ['ann', 'bob', 'cid', 'dot', 'eve', 'fay'];
  const groupNames = ['a', 'b', 'c', 'd'];
  return Array.from({ length: count }, () => {
    const groups = groupNames.slice(0, below(5)).map((group) => [group, 1 + below(2)] as const);
    const of = Object.fromEntries(names.map((name) => [name, groupNames.filter(() => random() < 0.5)]));
    const signers = names.filter(() => random() < 0.7);
    return {
      rule: { people: 1 + below(4), groups },
      of,
      signers,
      requester: random() < 0.5 ? 'nobody' : (names[below(6)] ?? ''),
      shared: (['one-more', 'refuse', 'accept'] as const)[below(3)] ?? 'one-more',
    };
  });
}

describe('quorums', () => {
  test('places are filled exactly where people for all of them can be found (A13, A14)', () => {
    const cases = randomCases(400, 14).map((one) => ({
      ...one,
      requester: 'nobody',
      shared: 'accept' as const,
    }));
    expect(held(cases)).toEqual(cases.map(({ rule, of, signers }) => isMet(rule, signers, of)));
  });

  test('a requester who may be any of the signers counts as each of them, one after the other (A8, A56)', () => {
    const cases = randomCases(400, 56).map((one) => ({
      ...one,
      requester: 'nobody',
      shared: 'one-more' as const,
    }));
    const expected = cases.map(({ rule, of, signers }) =>
      signers.length === 0
        ? false
        : signers.every((without) =>
            isMet(
              rule,
              signers.filter((name) => name !== without),
              of,
            ),
          ),
    );
    expect(held(cases)).toEqual(expected);
    expect(new Set(expected).size).toBe(2);
  });

  test('a person never counts for himself, whatever is configured for others (A8)', () => {
    const cases = randomCases(300, 8).filter(({ requester }) => requester !== 'nobody');
    const expected = cases.map(
      ({ rule, of, signers, requester }) => !signers.includes(requester) && isMet(rule, signers, of),
    );
    expect(held(cases)).toEqual(expected);
  });

  test('more signers never make less of a quorum (A14)', () => {
    const cases = randomCases(200, 15).map((one) => ({ ...one, requester: 'nobody' }));
    const before = held(cases);
    const after = held(cases.map((one) => ({ ...one, signers: Object.keys(one.of) })));
    before.forEach((was, index) => {
      if (was) expect([cases[index], after[index]]).toEqual([cases[index], true]);
    });
  });

  test('requirements without a number, with 0, less, too much, twice or five groups are refused (A11)', () => {
    const bad = [
      'oncall',
      'oncall:',
      ':1',
      'oncall:0',
      'oncall:-1',
      'oncall:01',
      'oncall:100',
      'oncall:x',
      'oncall:1,',
    ];
    bad.push(
      'oncall:1,oncall:1',
      'a:1,b:1,c:1,d:1,e:1',
      'oncall:1,,db:1',
      'Oncall:1',
      'on call:1',
      'oncall:1 ',
      'group:x:1',
    );
    const script = 'while IFS= read -r text; do parse_required_groups "$text" && echo yes || echo no; done';
    const good = ['oncall:1', 'a:1,b:2,c:3,d:99', 'a:b:2'];
    const found = lines(inDoor(script, { input: [...good, ...bad].map((text) => `${text}\n`).join('') }));
    expect(found).toEqual([...good.map(() => 'yes'), ...bad.map(() => 'no')]);
  });
});
