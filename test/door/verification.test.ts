import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Requirements } from '../../src/door/requirements.js';
import { admitUse, type PastUses } from '../../src/door/use.js';
import { verifyReceipts } from '../../src/door/verification.js';
import type { MatchedNumber } from '../../src/protocol/matched-number.js';
import { Problem } from '../../src/protocol/problems.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { parseRevokedKeys } from '../../src/ssh/revoked-keys.js';
import { ALICE, BOB, CAROL, type Change, DAVE, keys, signersFile } from '../e2e/evil-broker/people.js';
import { inDoor, lines } from '../scripts/door-shell.js';
import { makeSoftwareKey, type SoftwareKey } from '../ssh/software-keys.js';
import { boundFor, expectation, inSeconds, ROTATED, receiptsFor } from './asks.js';

interface Case {
  readonly verdict: string;
  readonly changes?: readonly Change[];
  readonly requirements?: Partial<Requirements>;
  readonly requester?: string;
  /** The number that the requester was shown. */
  readonly number?: string;
  /** Seconds from now of the uses before. */
  readonly past?: readonly number[];
  /** Lines of the file of revoked keys. */
  readonly revoked?: readonly string[];
  /** What is shown instead of receipts for what was asked. */
  readonly rewrite?: (receipts: string[]) => string[];
}

const OTHER = `sha256:${'5'.repeat(64)}`;
const token = makeSoftwareKey('sk-ssh-ed25519@openssh.com');
const PEOPLE = [ALICE, { ...BOB, keys: [...BOB.keys, token] }, CAROL, DAVE];
const bob: Change = { approver: 'bob', key: keys.bob };
const carol: Change = { approver: 'carol', key: keys.carol };
const dave: Change = { approver: 'dave', key: keys.dave };
const alice: Change = { approver: 'alice', key: keys.alice };
const line = (name: string, value: string): Change => ({
  rewrite: (text) => text.replace(new RegExp(`^${name}: .*$`, 'm'), `${name}: ${value}`),
});
const fingerprintOf = ({ line }: SoftwareKey): string => parsePublicKeyLine(line).fingerprint;
const revokedFile = (one: Case): string => (one.revoked ?? []).map((text) => `${text}\n`).join('');
const grant: Change = { covers: 'scope', uses: 2, duration: 600 };
const numbered = { number: true };
const grants = { grants: true, longestDuration: 3600 };

const CASES: Readonly<Record<string, Case>> = {
  'one genuine yes': { verdict: 'open' },
  'a comment that looks like a statement': {
    verdict: 'open',
    changes: [{ comment: 'countersign-decision 1\nverdict: deny\n' }],
  },
  'any policy': { verdict: 'open', changes: [line('policy', OTHER)] },
  'no receipt (A51)': { verdict: 'no-receipt', rewrite: () => [] },
  'a stranger as bob (A51)': { verdict: 'bad-signature', changes: [{ key: keys.stranger }] },
  'a stranger as himself (A51)': {
    verdict: 'unknown-approver',
    changes: [{ approver: 'mallory', key: keys.stranger }],
  },
  'bob as carol (A51)': { verdict: 'bad-signature', changes: [{ approver: 'carol' }] },
  'the signature of another text (A51)': {
    verdict: 'bad-signature',
    rewrite: ([text = '']) => [text.replace(/^comment: .*$/m, 'comment: "another"')],
  },
  'a genuine no (A51)': { verdict: 'deny-receipt', changes: [{ verdict: 'deny' }] },
  'a yes beside a no (A51)': { verdict: 'deny-receipt', changes: [bob, { ...carol, verdict: 'deny' }] },
  'a yes beside a forged one (A51)': {
    verdict: 'bad-signature',
    changes: [bob, { ...carol, key: keys.dave }],
  },
  'another broker (A22)': { verdict: 'wrong-broker', changes: [line('broker', `SHA256:${'B'.repeat(42)}A`)] },
  'the former key of the broker': { verdict: 'open', changes: [line('broker', ROTATED)] },
  'two keys of the broker (A55)': {
    verdict: 'mixed-receipts',
    changes: [bob, { ...carol, ...line('broker', ROTATED) }],
  },
  'another door (A54)': { verdict: 'wrong-door', changes: [{ door: 'run:web-2' }] },
  'another request (A22)': { verdict: 'wrong-request', changes: [line('request', OTHER)] },
  'another scope (A22)': { verdict: 'wrong-scope', changes: [line('scope', OTHER)] },
  'another requester (A22)': { verdict: 'wrong-requester', changes: [{ requester: 'carol' }] },
  'the requester under an alias (A22)': {
    verdict: 'wrong-requester',
    changes: [{ requester: 'alice-admin' }],
  },
  'two requests (A55)': {
    verdict: 'mixed-receipts',
    changes: [
      { ...bob, ...grant },
      { ...carol, ...grant, ...line('request', OTHER) },
    ],
    requirements: grants,
  },
  'a grant (A53)': { verdict: 'grant-refused', changes: [grant] },
  'a grant where they are taken': { verdict: 'open', changes: [grant], requirements: grants },
  'a grant for another request of equal scope': {
    verdict: 'open',
    changes: [{ ...grant, ...line('request', OTHER) }],
    requirements: grants,
  },
  'a grant used once': { verdict: 'open', changes: [grant], requirements: grants, past: [-30] },
  'a grant used up (A53)': { verdict: 'spent', changes: [grant], requirements: grants, past: [-30, -20] },
  'the fewest uses of a quorum (A53)': {
    verdict: 'spent',
    changes: [
      { ...bob, ...grant },
      { ...carol, ...grant, uses: 1 },
    ],
    requirements: grants,
    past: [-30],
  },
  'a grant for any number of uses': {
    verdict: 'open',
    changes: [{ ...grant, uses: 0 }],
    requirements: grants,
    past: [-30, -20, -10],
  },
  'a grant after its time (A53)': {
    verdict: 'grant-ended',
    changes: [{ ...grant, duration: 60 }],
    requirements: grants,
    past: [-120],
  },
  'the shortest duration of a quorum (A53)': {
    verdict: 'grant-ended',
    changes: [
      { ...bob, ...grant },
      { ...carol, ...grant, duration: 60 },
    ],
    requirements: grants,
    past: [-120],
  },
  'a grant used before a clock was set back': {
    verdict: 'clock-back',
    changes: [grant],
    requirements: grants,
    past: [500],
  },
  'a grant of which a part had ended before its first use (A55)': {
    verdict: 'too-late',
    changes: [{ ...grant, decided: inSeconds(-400), notAfter: inSeconds(-300) }],
    requirements: grants,
    past: [-200],
  },
  'a grant without duration after its end': {
    verdict: 'too-late',
    changes: [{ ...grant, duration: 0, decided: inSeconds(-400), notAfter: inSeconds(-1) }],
    requirements: grants,
    past: [-200],
  },
  'a yes that was used (A55)': { verdict: 'spent', past: [-5] },
  'a signer far ahead (A26)': { verdict: 'clock-skew', changes: [{ decided: inSeconds(120) }] },
  'a signer a little ahead (A26)': { verdict: 'open', changes: [{ decided: inSeconds(45) }] },
  'a yes that ended (A22)': {
    verdict: 'too-late',
    changes: [{ decided: inSeconds(-60), notAfter: inSeconds(-1) }],
  },
  'the earliest end of a quorum (A22)': {
    verdict: 'too-late',
    changes: [bob, { ...carol, decided: inSeconds(-60), notAfter: inSeconds(-1) }],
  },
  'a yes until 2099 (A61)': {
    verdict: 'too-long',
    changes: [{ notAfter: Date.parse('2099-12-31T23:59:59Z') }],
  },
  'a yes for work (A61)': { verdict: 'too-long', changes: [{ duration: 1 }] },
  'a yes for as much work as is allowed': {
    verdict: 'open',
    changes: [{ duration: 60 }],
    requirements: { longestDuration: 60 },
  },
  'the requester (A8)': { verdict: 'no-quorum', changes: [alice] },
  'the requester beside a yes (A8)': { verdict: 'no-quorum', changes: [alice, bob] },
  'one of two people (A14)': { verdict: 'no-quorum', requirements: { people: 2 } },
  'one person with two keys (A14, A63)': {
    verdict: 'no-quorum',
    changes: [bob, { ...bob, key: keys.bobToo }],
    requirements: { people: 2 },
  },
  'two people (A14)': { verdict: 'open', changes: [bob, carol], requirements: { people: 2 } },
  'one person for two groups (A13)': {
    verdict: 'no-quorum',
    changes: [dave],
    requirements: {
      groups: [
        { group: 'oncall', count: 1 },
        { group: 'db', count: 1 },
      ],
    },
  },
  'nobody of the group (A61)': {
    verdict: 'no-quorum',
    changes: [carol],
    requirements: { groups: [{ group: 'oncall', count: 1 }] },
  },
  'a shared account and one yes (A56)': { verdict: 'no-quorum', requester: 'deploy' },
  'a shared account and two (A56)': { verdict: 'open', changes: [bob, carol], requester: 'deploy' },
  'a shared account that is refused (A56)': {
    verdict: 'no-quorum',
    changes: [bob, carol],
    requester: 'deploy',
    requirements: { sharedRequester: 'refuse' },
  },
  'a shared account that is accepted (A56)': {
    verdict: 'open',
    requester: 'deploy',
    requirements: { sharedRequester: 'accept' },
  },
  'no number where the door shows one': {
    verdict: 'no-number',
    requirements: numbered,
    number: '012345',
  },
  'the number that was shown': {
    verdict: 'open',
    changes: [{ code: '012345' }],
    requirements: numbered,
    number: '012345',
  },
  'another number': {
    verdict: 'wrong-number',
    changes: [{ code: '012346' }],
    requirements: numbered,
    number: '012345',
  },
  'a number that is equal without its leading zero': {
    verdict: 'bad-reply',
    changes: [line('code', '12345')],
    requirements: numbered,
    number: '012345',
  },
  'a number that is equal as octal': {
    verdict: 'wrong-number',
    changes: [{ code: '000010' }],
    requirements: numbered,
    number: '000008',
  },
  'a number in digits of another script': {
    verdict: 'bad-reply',
    changes: [line('code', '٠١٢٣٤٥')],
    requirements: numbered,
    number: '012345',
  },
  'a number in wide digits': {
    verdict: 'bad-reply',
    changes: [line('code', '０１２３４５')],
    requirements: numbered,
    number: '012345',
  },
  'a pattern as number': {
    verdict: 'bad-reply',
    changes: [line('code', '??????')],
    requirements: numbered,
    number: '012345',
  },
  'the number from both of two people': {
    verdict: 'open',
    changes: [
      { ...bob, code: '012345' },
      { ...carol, code: '012345' },
    ],
    requirements: { ...numbered, people: 2 },
    number: '012345',
  },
  'the number from one of two people': {
    verdict: 'no-number',
    changes: [{ ...bob, code: '012345' }, carol],
    requirements: { ...numbered, people: 2 },
    number: '012345',
  },
  'another number from the second of two people': {
    verdict: 'wrong-number',
    changes: [
      { ...bob, code: '012345' },
      { ...carol, code: '543210' },
    ],
    requirements: { ...numbered, people: 2 },
    number: '012345',
  },
  'another number from one more person than is needed': {
    verdict: 'wrong-number',
    changes: [
      { ...bob, code: '012345' },
      { ...carol, code: '543210' },
    ],
    requirements: numbered,
    number: '012345',
  },
  'a number where the ask has none': {
    verdict: 'no-number',
    changes: [{ code: '012345' }],
    requirements: numbered,
  },
  'no number where neither the ask nor the receipt has one': {
    verdict: 'no-number',
    requirements: numbered,
  },
  'a number where the door shows none': { verdict: 'open', changes: [{ code: '012345' }] },
  'no security key (A58)': { verdict: 'no-touch', requirements: { touch: true } },
  'a security key that nobody touched (A58)': {
    verdict: 'no-touch',
    changes: [{ key: token, forgery: { flags: 0 } }],
    requirements: { touch: true },
  },
  'a touched security key (A58)': {
    verdict: 'open',
    changes: [{ key: token, forgery: { flags: 1 } }],
    requirements: { touch: true },
  },
  'a revoked key (A57)': { verdict: 'revoked-key', revoked: [keys.bob.line] },
  'a key that is revoked by its fingerprint (A57)': {
    verdict: 'revoked-key',
    revoked: ['# stolen in May', fingerprintOf(keys.bob)],
  },
  'a yes beside one by a revoked key (A57)': {
    verdict: 'revoked-key',
    changes: [bob, carol],
    revoked: [keys.carol.line],
  },
  'another key of somebody with a revoked one': {
    verdict: 'open',
    changes: [{ key: keys.bobToo }],
    revoked: [`${keys.bob.line} bob@laptop`, fingerprintOf(keys.carol)],
  },
  'another namespace (A23)': { verdict: 'bad-signature', changes: [{ forgery: { namespace: 'git' } }] },
  'two armors (A59)': {
    verdict: 'bad-reply',
    rewrite: ([text = '']) => [text + text.slice(text.indexOf('-----BEGIN'))],
  },
  'trailing text (A59)': { verdict: 'bad-reply', rewrite: ([text = '']) => [`${text}x\n`] },
  '17 lines (A59)': {
    verdict: 'bad-reply',
    changes: [{ rewrite: (text) => `${text}comment: ""\n` }],
  },
  'CRLF (A59)': { verdict: 'bad-reply', rewrite: ([text = '']) => [text.replaceAll('\n', '\r\n')] },
};

const names = Object.keys(CASES);

function receiptsOf({ changes = [], requester, rewrite = (all) => all }: Case): string[] {
  return rewrite(receiptsFor({ bound: boundFor(requester) }, ...changes));
}

function verdictOf(one: Case): string {
  const { requirements, requester, past = [] } = one;
  const number = (one.number ?? null) as MatchedNumber | null;
  const expected = {
    ...expectation(requirements, requester, PEOPLE, parseRevokedKeys(revokedFile(one))),
    number,
  };
  const uses: PastUses = {
    count: past.length,
    first: past[0] === undefined ? null : inSeconds(past[0]),
  };
  try {
    const approval = verifyReceipts(receiptsOf(one), expected, Date.now());
    return admitUse(approval, uses, Date.now()) ? 'open' : 'spent';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.code.startsWith('malformed-') ? 'bad-reply' : error.code;
  }
}

describe('receipts at a door', () => {
  test.each(names)('%s', (name) => {
    const one = CASES[name] as Case;
    expect(verdictOf(one)).toBe(one.verdict);
  });

  test('are worth their earliest end, shortest work and fewest uses', () => {
    const expected = expectation({ ...grants, longest: 900 });
    const approval = verifyReceipts(
      receiptsFor(
        expected,
        { ...bob, covers: 'scope', uses: 0, duration: 600, notAfter: inSeconds(500), decided: inSeconds(-9) },
        {
          ...carol,
          covers: 'scope',
          uses: 5,
          duration: 300,
          notAfter: inSeconds(600),
          decided: inSeconds(-3),
        },
        {
          ...dave,
          covers: 'scope',
          uses: 3,
          duration: 900,
          notAfter: inSeconds(700),
          decided: inSeconds(-6),
        },
      ),
      expected,
      Date.now(),
    );
    expect(approval).toEqual({
      request: expected.bound.digest,
      covers: 'scope',
      alone: false,
      approvers: ['bob', 'carol', 'dave'],
      decided: inSeconds(-3),
      notAfter: inSeconds(500),
      duration: 300,
      uses: 3,
    });
  });

  test('by a key that has expired or is not valid yet do not hold', () => {
    const expected = expectation();
    const at = (validAfter: Date | null, validBefore: Date | null) => ({
      ...expected,
      signers: expected.signers.map((signer) => ({
        ...signer,
        keys: signer.keys.map(({ key }) => ({ key, validAfter, validBefore })),
      })),
    });
    const past = new Date('2020-01-01T00:00:00Z');
    const future = new Date('2999-01-01T00:00:00Z');
    const verify = (range: ReturnType<typeof at>) => () =>
      verifyReceipts(receiptsFor(expected), range, Date.now());
    expect(verify(at(past, future))).not.toThrow();
    expect(verify(at(null, past))).toThrow('was valid before');
    expect(verify(at(future, null))).toThrow('is valid after');
  });

  describe('and the doors in shell', () => {
    let directory: string;
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'door-'));
      writeFileSync(join(directory, 'signers'), signersFile(PEOPLE));
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    test('give every case the same verdict', () => {
      const script = `run=$1/run answer=approved today=$((EPOCHSECONDS / 86400))
parse_signers "$1/signers" || exit 1
one() {
  trap 'echo "$end_code"' EXIT
  trap '' PIPE
  config[state]=$root/case-$case
  mapfile -t lines <"\${config[state]}/receipts"
  load_revoked_keys "\${config[state]}/revoked"
  [[ $groups == - ]] || parse_required_groups "$groups"
  parse_receipts "\${lines[@]}" || shut bad-reply x
  verify_receipts
  quorum_holds "$requester" "\${approvers[@]}" || shut no-quorum "$quorum_missing"
  if spend; then end 0 open x; else end 1 "$over_code" x; fi
}
root=$1
parse_fingerprints "$2" || exit 1
while read -r case people groups touch longest duration grants number ask_number shared requester request scope; do
  config[people]=$people config[touch]=$touch config[longest]=$longest config[longest-duration]=$duration
  config[grants]=$grants config[number]=$number config[shared-requester]=$shared config[door]=run:web-1
  document_requester=\\"$requester\\"
  (one) 2>/dev/null
done`;
      const word = (is: boolean): string => (is ? 'yes' : 'no');
      const input = Object.values(CASES).map((one, number) => {
        const { requirements, bound } = expectation(one.requirements, one.requester);
        const state = join(directory, `case-${number}`);
        const spent = join(state, 'spent', String(Math.floor(Date.now() / 86_400_000)));
        mkdirSync(spent, { recursive: true });
        const receipts = receiptsOf(one);
        writeFileSync(join(state, 'receipts'), receipts.join(''));
        writeFileSync(join(state, 'revoked'), revokedFile(one));
        const digest = /^request: sha256:(.*)$/m.exec(receipts[0] ?? '')?.[1] ?? 'none';
        const past = (one.past ?? []).map((second) => `${inSeconds(second) / 1000}\n`);
        if (past.length > 0) writeFileSync(join(spent, digest.trim()), past.join(''));
        const { people, groups, touch, longest, longestDuration, sharedRequester } = requirements;
        const numbers = [word(requirements.number), one.number ?? '-'];
        const required = groups.map(({ group, count }) => `${group}:${count}`).join(',') || '-';
        const limits = [longest, longestDuration, word(requirements.grants), ...numbers, sharedRequester];
        const { document, digest: request, scope } = bound;
        return `${[number, people, required, word(touch), ...limits, document.requester, request, scope].join(' ')}\n`;
      });
      const found = lines(
        inDoor(script, {
          input: input.join(''),
          args: [directory, expectation().brokers.join()],
          modules: ['state', 'spent'],
        }),
      );
      expect(Object.fromEntries(names.map((name, index) => [name, found[index]]))).toEqual(
        Object.fromEntries(names.map((name) => [name, CASES[name]?.verdict])),
      );
    });
  });
});
