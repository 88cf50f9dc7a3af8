import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aloneObjection, isAlone } from '../../src/door/alone.js';
import { verifyReceipts } from '../../src/door/verification.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type Decision, formatDecision } from '../../src/protocol/statements.js';
import { ALICE, BOB, type Change, inSeconds, keys } from '../e2e/evil-broker/people.js';
import { inDoor, lines } from '../scripts/door-shell.js';
import { BROKER, boundFor, expectation, receiptsFor } from './asks.js';

const ALONE = { group: 'oncall', after: 900, reason: 40 };
const REASON = 'INC-4312: nobody answers and the shop is down';
const ALICE_ON_CALL = { ...ALICE, groups: ['oncall'] };
const BY_ALICE: Change = { approver: 'alice', key: keys.alice, comment: REASON, notAfter: inSeconds(1800) };

/** What a door comes to that asked so many seconds ago. */
function verdict(
  changes: readonly Change[],
  since: number | null,
  requirements = {},
  people = [ALICE_ON_CALL, BOB],
) {
  const now = Date.now();
  const expected = {
    ...expectation({ alone: ALONE, ...requirements }, 'alice', people),
    drawn: since === null ? null : now - since * 1000,
  };
  try {
    return verifyReceipts(receiptsFor(expected, ...changes), expected, now).alone ? 'alone' : 'approved';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('the requester alone', () => {
  test('opens after the delay, by the clock of the door', () => {
    expect(verdict([BY_ALICE], 899)).toBe('alone-too-early');
    expect(verdict([BY_ALICE], 900)).toBe('alone');
  });

  const cases: [string, readonly Change[], number | null, string, object?, (typeof ALICE)[]?][] = [
    ['where the door does not allow it (A8)', [BY_ALICE], 900, 'too-long', { alone: null }],
    ['where the door allows it to another group', [BY_ALICE], 900, 'no-quorum', {}, [ALICE, BOB]],
    ['with a short reason', [{ ...BY_ALICE, comment: 'x'.repeat(39) }], 900, 'no-quorum'],
    ['where the door does not know when it asked (A41)', [BY_ALICE], null, 'no-quorum'],
    ['where the clock was set back (A41)', [BY_ALICE], -1, 'no-quorum'],
    [
      'with a signature that outlives delay and longest',
      [{ ...BY_ALICE, notAfter: inSeconds(1900) }],
      900,
      'too-long',
    ],
    ['without the touch that the door demands', [BY_ALICE], 900, 'no-touch', { touch: true }],
    [
      'by a grant (A27)',
      [{ ...BY_ALICE, covers: 'scope', duration: 60 }],
      900,
      'no-quorum',
      { grants: true, longestDuration: 60 },
    ],
    ['beside somebody else (A8)', [{ ...BY_ALICE, notAfter: inSeconds(600) }, {}], 900, 'no-quorum'],
    [
      'as one of two people (A8)',
      [{ ...BY_ALICE, notAfter: inSeconds(600) }, {}],
      900,
      'no-quorum',
      { people: 2 },
    ],
    ['twice, by both keys (A14)', [BY_ALICE, { ...BY_ALICE, key: keys.aliceToo }], 900, 'too-long'],
  ];
  test.each(cases)('does not open %s', (_what, changes, since, code, requirements, people) => {
    expect(verdict(changes, since, requirements, people)).toBe(code);
  });

  test('leaves the others as they are: their approval opens at once, for no longer than ever', () => {
    expect(verdict([{}], 0)).toBe('approved');
    expect(verdict([{ notAfter: inSeconds(1800) }], 900)).toBe('too-long');
  });
});

interface Case {
  readonly comment: string;
  readonly covers: 'request' | 'scope';
  readonly approver: 'alice' | 'bob';
  readonly requester: 'alice' | 'alias' | 'deploy';
  readonly receipts: 1 | 2;
  readonly member: boolean;
  readonly drawn: number | null;
}

const NOW = 1_800_000_000;
const arbitraryCase: fc.Arbitrary<Case> = fc.record({
  comment: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 45 }),
    fc.string({
      unit: fc.constantFrom('\\', 'u', '"', '0', 'é', '😀', '\n', '/'),
      minLength: 30,
      maxLength: 50,
    }),
    fc.constant(REASON),
  ),
  covers: fc.constantFrom('request' as const, 'request' as const, 'scope' as const),
  approver: fc.constantFrom('alice' as const, 'alice' as const, 'bob' as const),
  requester: fc.constantFrom('alice' as const, 'alias' as const, 'deploy' as const),
  receipts: fc.constantFrom(1 as const, 1 as const, 2 as const),
  member: fc.boolean(),
  drawn: fc.oneof(
    fc.constant(null),
    fc.integer({ min: NOW - 905, max: NOW - 895 }),
    fc.constantFrom(NOW - 900, NOW + 1),
  ),
});

test('the doors in shell let the same people open alone (A8, A41)', () => {
  const cases = fc.sample(arbitraryCase, { numRuns: 600, seed: 27 });
  const inTypeScript = cases.map((known) => {
    const decision = { ...known, request: boundFor().digest } as unknown as Decision;
    const decisions = Array<Decision>(known.receipts).fill(decision);
    const signers = [
      { name: 'alice' as Name, aliases: ['alias'], groups: known.member ? ['oncall'] : [], keys: [] },
      { name: 'bob' as Name, aliases: [], groups: ['oncall'], keys: [] },
    ];
    if (!isAlone(decisions, { alone: ALONE }, signers)) return 'shut';
    try {
      const drawn = known.drawn === null ? null : known.drawn * 1000;
      return aloneObjection(decision, ALONE, { signers, drawn, now: NOW * 1000 }) === null ? 'open' : 'shut';
    } catch {
      return 'early';
    }
  });
  const input = cases.map(({ comment, covers, approver, requester, receipts, member, drawn }) => {
    const statement = formatDecision({
      ...({ broker: BROKER, door: 'run:x', request: boundFor().digest, scope: boundFor().scope } as Decision),
      ...{ covers, policy: null, verdict: 'approve', requester: 'alice' as Name, approver: approver as Name },
      ...{ decided: 0, notAfter: 0, duration: 0, uses: 1, code: null, comment },
    });
    const written = /^comment: (.*)$/m.exec(statement)?.[1] ?? '';
    const time = drawn === null ? '-' : String(drawn).padStart(12, '0');
    return `${covers} ${approver} ${requester} ${receipts} ${member ? 'oncall' : 'other'} ${time} ${written}\n`;
  });
  const script = `unset EPOCHSECONDS; EPOCHSECONDS=${NOW}
config[alone-group]=oncall config[alone-after]=900 config[alone-reason]=40
again_by='again'
signer_of=([alice]=alice [alias]=alice [bob]=bob)
while IFS=' ' read -r covers approver requester receipts group ask_drawn comment; do
  signer_groups=([alice]=" $group " [bob]=' oncall ')
  receipt_statement=(x) receipt_covers=("$covers") receipt_approver=("$approver") receipt_comment=("$comment")
  ((receipts == 1)) || receipt_statement+=(x)
  (trap - EXIT; admit_alone); case $? in 0) echo open ;; 3) echo early ;; *) echo shut ;; esac
done`;
  const inShell = lines(inDoor(script, { input: input.join('') }));
  expect(inShell).toEqual(inTypeScript);
  for (const word of ['open', 'shut', 'early']) expect(inTypeScript).toContain(word);
});
