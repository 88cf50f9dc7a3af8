import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { impossibleQuorum, quorumObjection } from '../../src/door/quorum.js';
import type { Requirements } from '../../src/door/requirements.js';
import type { Name } from '../../src/protocol/names.js';
import type { Signer } from '../../src/ssh/signers-file.js';
import { inDoor, lines } from '../scripts/door-shell.js';
import { REQUIREMENTS } from './asks.js';

const NAMES = ['ann', 'bob', 'cid', 'dot', 'eve', 'fay'] as Name[];
const GROUPS = ['a', 'b', 'c', 'd'];

interface Case {
  readonly requirements: Requirements;
  readonly signers: readonly Signer[];
  readonly requester: string;
  readonly names: readonly string[];
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    people: fc.integer({ min: 1, max: 4 }),
    counts: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 4 }),
    sharedRequester: fc.constantFrom('one-more' as const, 'refuse' as const, 'accept' as const),
    memberships: fc.tuple(...NAMES.map(() => fc.subarray(GROUPS))),
    requester: fc.constantFrom('nobody', 'bobby', ...NAMES),
    names: fc.subarray(NAMES as string[]),
  })
  .map(({ people, counts, sharedRequester, memberships, requester, names }) => ({
    requirements: {
      ...REQUIREMENTS,
      people,
      sharedRequester,
      groups: counts.map((count, index) => ({ group: GROUPS[index] ?? '', count })),
    },
    signers: NAMES.map((name, index) => ({
      name,
      aliases: name === 'bob' ? ['bobby'] : [],
      groups: memberships[index] ?? [],
      keys: [],
    })),
    requester,
    names,
  }));

const holds = ({ signers, requirements, requester, names }: Case): boolean =>
  quorumObjection(signers, requirements, requester, names) === null;

/** Whether one person for each place can be found, by trying all ways. */
function canFill(places: readonly string[], signers: readonly Signer[]): boolean {
  const [place, ...others] = places;
  if (place === undefined) return true;
  return signers.some(
    (signer) =>
      signer.groups.includes(place) &&
      canFill(
        others,
        signers.filter((other) => other !== signer),
      ),
  );
}

function isEnough({ people, groups }: Requirements, signers: readonly Signer[]): boolean {
  const places = groups.flatMap(({ group, count }) => Array<string>(count).fill(group));
  return signers.length >= people && canFill(places, signers);
}

describe('a quorum', () => {
  test('holds exactly where people for all places can be found, without any single one for a shared account (A8, A13, A14, A56)', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const { requirements, signers, requester, names } = one;
        const approvers = signers.filter(({ name }) => names.includes(name));
        const person = signers.find(({ name, aliases }) => [name, ...aliases].includes(requester));
        const expected =
          person !== undefined
            ? !approvers.includes(person) && isEnough(requirements, approvers)
            : requirements.sharedRequester === 'accept'
              ? isEnough(requirements, approvers)
              : requirements.sharedRequester === 'one-more' &&
                approvers.length > 0 &&
                approvers.every((without) =>
                  isEnough(
                    requirements,
                    approvers.filter((approver) => approver !== without),
                  ),
                );
        expect(holds(one)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('is never lost by one more signature of somebody else, and names count once (A14, A63)', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(...NAMES), (one, more) => {
        const isRequester = one.requester === more || (one.requester === 'bobby' && more === 'bob');
        if (!holds(one) || isRequester) return;
        expect(holds({ ...one, names: [...one.names, more, more] })).toBe(true);
      }),
    );
    const bob = { ...REQUIREMENTS, people: 2 };
    const signers = NAMES.map((name) => ({ name, aliases: [], groups: [], keys: [] }));
    expect(quorumObjection(signers, bob, 'ann', ['bob', 'bob'])).toBe('1 of 2 people have approved');
    expect(quorumObjection(signers, bob, 'ann', ['bob', 'mallory'])).toBe('1 of 2 people have approved');
  });

  test('that not even everybody could make is known before anybody is asked', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const impossible = impossibleQuorum(one.signers, one.requirements, one.requester) !== null;
        if (impossible) expect(holds(one)).toBe(false);
      }),
    );
  });

  test('has the verdict, and the words, of the doors in shell', () => {
    const some = fc.sample(cases, { numRuns: 400, seed: 56 });
    const script = `while read -r people groups shared requester members names; do
  config[people]=$people config[shared-requester]=$shared
  required_groups=() required_counts=() signer_of=([bobby]=bob) signer_groups=()
  [[ $groups == - ]] || parse_required_groups "$groups" || echo bad
  for member in \${members//;/ }; do
    signer_of[\${member%%=*}]=\${member%%=*}
    signer_groups[\${member%%=*}]=" \${member#*=} "
    signer_groups[\${member%%=*}]=\${signer_groups[\${member%%=*}]//,/ }
  done
  quorum_holds "$requester" $names && echo yes || echo "$quorum_missing"
done`;
    const input = some.map(({ requirements, signers, requester, names }) => {
      const groups = requirements.groups.map(({ group, count }) => `${group}:${count}`).join(',') || '-';
      const members = signers.map((signer) => `${signer.name}=${signer.groups.join(',')}`).join(';');
      const words = [requirements.people, groups, requirements.sharedRequester, requester, members, ...names];
      return `${words.join(' ')}\n`;
    });
    const found = lines(inDoor(script, { input: input.join('') }));
    const expected = some.map(
      ({ signers, requirements, requester, names }) =>
        quorumObjection(signers, requirements, requester, names) ?? 'yes',
    );
    expect(found).toEqual(expected);
    expect(expected.filter((verdict) => verdict === 'yes').length).toBeGreaterThan(20);
  });
});
