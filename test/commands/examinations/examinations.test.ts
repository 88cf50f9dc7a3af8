import { describe, expect, test } from 'vitest';
import { examineStream } from '../../../src/commands/examinations/broker.js';
import { type CertificateFacts, examineCertificate } from '../../../src/commands/examinations/certificate.js';
import { examineClock } from '../../../src/commands/examinations/clock.js';
import { examineFiles, type FileFacts } from '../../../src/commands/examinations/files.js';
import type { Finding } from '../../../src/commands/examinations/finding.js';
import { examineKeys, type KeyFacts } from '../../../src/commands/examinations/keys.js';
import { examineTmux, type TmuxFacts } from '../../../src/commands/examinations/tmux.js';
import { examineWork } from '../../../src/commands/examinations/work.js';
import type { StatusReply } from '../../../src/commands/status.js';
import type { Name } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';

const lines = (findings: readonly Finding[]): string[] =>
  findings.map(({ state, what, fix }) => `${state}: ${what} | ${fix}`);

describe('files', () => {
  const file = (change: Partial<FileFacts>): FileFacts => ({
    path: '/d/broker.key',
    what: 'the key',
    need: 'secret',
    mode: 0o600,
    isOwn: true,
    ...change,
  });
  const data = file({ path: '/d', what: 'the data directory', mode: 0o700 });
  const examine = (one: FileFacts): string =>
    lines(examineFiles([data, one], { data: '/d', mustExist: true }))[1] ?? '';

  test.each([
    [{}, /^good: .* is closed to others/],
    [{ mode: 0o640 }, /^wrong: .* is open to others \| chmod go= \/d\/broker\.key$/],
    [{ need: 'trusted', mode: 0o644 }, /^good: /],
    [{ need: 'trusted', mode: 0o664 }, /^wrong: .* written by others \| chmod go-w /],
    [{ isOwn: false }, /^wrong: .* belongs to another user \| chown /],
    [{ mode: 0o644, path: '/d/my key' }, /chmod go= '\/d\/my key'$/],
  ] as const)('%j', (change, expected) => {
    expect(examine(file(change))).toMatch(expected);
  });

  test('that are not there are nothing wrong, but a data directory must be where a broker runs', () => {
    expect(examine(file({ mode: null }))).toBe('');
    const none = [file({ path: '/d', mode: null })];
    expect(lines(examineFiles(none, { data: '/d', mustExist: true }))[0]).toMatch(
      /^wrong: .*countersign up$/,
    );
    expect(lines(examineFiles(none, { data: '/d', mustExist: false }))[0]).toMatch(/^note: .*only a client/);
  });
});

describe('tmux', () => {
  const options = {
    'bell-action': 'any',
    'monitor-bell': '1',
    'visual-bell': 'off',
    'escape-time': '20',
    'allow-passthrough': '0',
    'focus-events': '0',
  };
  const examine = (change: Partial<TmuxFacts['options']>): string[] =>
    lines(examineTmux({ version: '3.3a', options: { ...options, ...change } }));

  test('is not looked at from outside', () => {
    expect(examineTmux(null)).toEqual([]);
  });

  test('with good options is good', () => {
    expect(examine({})).toEqual([expect.stringMatching(/^good: inside tmux 3\.3a: bell-action any/)]);
    expect(examine({ 'allow-passthrough': '' }).join()).not.toContain('allow-passthrough');
  });

  test('that keeps a notification to itself is named where one is wanted', () => {
    const facts = { version: '3.3a', options };
    expect(lines(examineTmux(facts, 'bell'))).toHaveLength(1);
    expect(lines(examineTmux(facts, 'osc777'))[1]).toMatch(
      /^warning: tmux drops the notifications of osc777.* \| tmux set -g allow-passthrough on$/,
    );
    const passing = { ...facts, options: { ...options, 'allow-passthrough': '1' } };
    expect(lines(examineTmux(passing, 'osc777'))).toHaveLength(1);
  });

  test.each([
    [{ 'bell-action': 'none' }, 'tmux set -g bell-action any'],
    [{ 'bell-action': 'other' }, 'tmux set -g bell-action any'],
    [{ 'monitor-bell': '0' }, 'tmux set -gw monitor-bell on'],
    [{ 'visual-bell': 'on' }, 'tmux set -g visual-bell off'],
    [{ 'escape-time': '500' }, 'tmux set -s escape-time 20'],
  ])('%j comes with the line that mends it', (change, fix) => {
    expect(examine(change)).toEqual([
      expect.any(String),
      expect.stringMatching(new RegExp(`^warning: .* \\| ${fix}$`)),
    ]);
  });
});

describe('the clock', () => {
  test.each([
    [1000, /^good: the clocks agree within 2 s/],
    [-19_999, /^good/],
    [30_000, /^warning: this clock is 30 s behind the broker's/],
    [-60_000, /^wrong: this clock is 60 s ahead of the broker's/],
  ])('that is %i ms off', (off, expected) => {
    expect(lines(examineClock({ here: 0, broker: off, isSynchronised: null }))).toEqual([
      expect.stringMatching(expected),
    ]);
  });

  test('that nothing keeps right is warned of', () => {
    expect(lines(examineClock({ here: 0, broker: null, isSynchronised: false }))).toEqual([
      expect.stringMatching(/^warning: .* \| timedatectl set-ntp true$/),
    ]);
    expect(lines(examineClock({ here: 0, broker: null, isSynchronised: true }))).toEqual([
      expect.stringMatching(/^good/),
    ]);
  });
});

describe('the certificate', () => {
  const now = Date.parse('2026-11-22T00:00:00Z');
  const day = 86_400_000;
  const facts: CertificateFacts = {
    host: 'approvals.example.com',
    names: ['DNS:approvals.example.com'],
    issuer: 'Example CA',
    begins: now - day,
    ends: now + 90 * day,
    fault: null,
  };
  const examine = (change: Partial<CertificateFacts>, ca: string | null = null): string =>
    lines(examineCertificate({ ...facts, ...change }, { now, zone: 'UTC', ca })).join();

  test.each([
    [{}, /^good: .* good for 90 days/],
    [{ ends: now + 20 * day }, /^warning: .* ends in 20 days, at 2026-12-12T00:00:00Z/],
    [{ ends: now + 21 * day }, /^good/],
    [{ ends: now, fault: 'CERT_HAS_EXPIRED' }, /^wrong: .* ended at 2026-11-22T00:00:00Z/],
    [{ begins: now + day, fault: 'CERT_NOT_YET_VALID' }, /^wrong: .* begins at .* \| compare the clocks/],
    [
      { fault: 'ERR_TLS_CERT_ALTNAME_INVALID', names: ['DNS:a.example.com', 'IP Address:192.0.2.1'] },
      /^wrong: the certificate is for a\.example\.com, 192\.0\.2\.1, and not for approvals\.example\.com .*--url https:\/\/a\.example\.com/,
    ],
    [{ fault: 'ERR_TLS_CERT_ALTNAME_INVALID', names: [] }, /is for no name at all/],
    [
      { fault: 'SELF_SIGNED_CERT_IN_CHAIN' },
      /^wrong: .* by Example CA, whom this machine does not trust .*--ca FILE$/,
    ],
  ])('%j', (change, expected) => {
    expect(examine(change)).toMatch(expected);
  });

  test('that is not by the CA that was given names the file', () => {
    expect(examine({ fault: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, '/ca.pem')).toContain(
      'who is not in /ca.pem',
    );
  });

  test('is not looked at where there is none', () => {
    expect(examineCertificate(null, { now, zone: 'UTC', ca: null })).toEqual([]);
  });
});

describe('the stream', () => {
  test.each([
    [null, /^good: .* WebSocket passes/],
    [
      { code: 404, reason: 'the broker answered with HTTP status 404' },
      /^wrong: .* does not pass WebSocket: it answers with 404/,
    ],
    [{ code: 1006, reason: 'socket hang up' }, /^wrong: .* does not pass WebSocket/],
    [{ code: 503, reason: 'too many consoles are open' }, /^warning: .*too many consoles/],
  ])('that ends with %j', (ending, expected) => {
    expect(lines(examineStream(ending))).toEqual([expect.stringMatching(expected)]);
  });
});

describe('the keys', () => {
  const none: KeyFacts = {
    found: [],
    chosen: null,
    isEnrolled: false,
    signs: false,
    session: null,
    problem: null,
  };

  test('that are none are wrong', () => {
    expect(lines(examineKeys(none))).toEqual([
      expect.stringMatching(/^wrong: there is no key .* ssh-keygen/),
    ]);
  });

  test('that stop somewhere say where, with the hint of the problem', () => {
    const problem = new Problem('unknown-key', 'none of your keys is enrolled');
    expect(lines(examineKeys({ ...none, problem }))).toEqual([`wrong: ${problem.message} | ${problem.hint}`]);
  });
});

test('the work of the broker: who is looking, and doors with an old signers file', () => {
  const status = {
    clock: 7_200_000,
    consoles: 0,
    doors: [
      { door: 'host:web-1' as Name, since: 0, outdated: true },
      { door: 'host:web-2' as Name, since: 0, outdated: false },
    ],
    reviews: [],
    locks: [],
    mutes: [],
    outbox: [],
    webhooks: null,
    policy: null,
    unapproved: null,
    restoration: null,
  } as unknown as StatusReply;
  expect(lines(examineWork(status, 'UTC'))).toEqual([
    expect.stringMatching(/^note: no console is attached/),
    expect.stringMatching(/^note: no policy file: any other person may approve anything/),
    expect.stringMatching(
      /^warning: host:web-1 has an old signers file, since 1970-01-01T00:00:00Z \(2h ago\) \| countersign roster export --for host:web-1/,
    ),
    'good: host:web-2 has the signers file of the roster, since 1970-01-01T00:00:00Z (2h ago) | null',
  ]);
  expect(examineWork(null, 'UTC')).toEqual([]);
});

test('the work of the broker: a notification command that fails, and a restore that nobody has noted', () => {
  const status = {
    clock: 7_260_000,
    consoles: 1,
    doors: [],
    notification: { waiting: 2, failing: 'exit status 7' },
    reviews: [{ request: 'ID', requester: 'alice', resource: 'db-1' }],
    locks: [],
    mutes: [],
    outbox: [],
    webhooks: null,
    policy: null,
    unapproved: 0,
    restoration: { backupAt: 0, restoredAt: 60_000, ended: 3 },
  } as unknown as StatusReply;
  expect(lines(examineWork(status, 'UTC'))).toEqual(
    expect.arrayContaining([
      expect.stringMatching(
        /^warning: the notification command fails: exit status 7; 2 not told \| .*journalctl/,
      ),
      expect.stringMatching(
        /^warning: people, submitters or policy were changed without approval, 1970-01-01T00:00:00Z \(2h ago\) \| /,
      ),
      expect.stringMatching(/^warning: alice opened db-1 alone, .* \| countersign review ID/),
      expect.stringMatching(
        /^warning: the broker was restored at 1970-01-01T00:01:00Z \(2h ago\) .* \| .* press R/,
      ),
    ]),
  );
  const policy = {
    file: 'policy.yaml',
    groups: [],
    refused: { file: 'policy.yaml', since: 0, waiting: true, mistakes: ['it waits for approval ID'] },
  };
  expect(lines(examineWork({ ...status, policy } as unknown as StatusReply, 'UTC')).join()).toMatch(
    /warning: the policy file is not in force, since \S+ \(2h ago\): it waits for approval ID \| .*countersign list/,
  );
  const calm = { ...status, notification: null, restoration: null };
  expect(lines(examineWork(calm, 'UTC')).join()).toContain('note: nobody is told');
});

test('what leaves the broker: receivers that fail, dead letters, and one that is not configured any more', () => {
  const siem = { sink: 'webhook:siem', configured: true, waiting: 3, dead: 2, failing: 'HTTP 500' };
  const former = { sink: 'webhook:former', configured: false, waiting: 9, dead: 1, failing: null };
  const chat = { sink: 'webhook:chat', configured: true, waiting: 0, dead: 0, failing: null };
  const tickets = { sink: 'webhook:tickets', configured: true, waiting: 5, dead: 1, failing: null };
  const command = { sink: 'command', configured: true, waiting: 1, dead: 0, failing: 'exit status 7' };
  const status = {
    ...{ clock: 0, consoles: 1, doors: [], reviews: [], locks: [], mutes: [] },
    ...{
      policy: null,
      webhooks: null,
      unapproved: null,
      restoration: null,
      outbox: [chat, command, former, siem, tickets],
    },
  } as unknown as StatusReply;
  expect(lines(examineWork(status, 'UTC')).filter((line) => line.includes('webhook:'))).toEqual([
    'good: webhook:chat takes what it is sent, as far as it was tried | null',
    expect.stringMatching(
      /^warning: webhook:former is not configured any more, and what waits .*: 10 events .* --forget$/,
    ),
    expect.stringMatching(
      /^warning: webhook:siem fails: HTTP 500; 3 waiting \| .*webhook test siem.* outbox retry webhook:siem --all/,
    ),
    expect.stringMatching(/^warning: webhook:siem did not take 2 events, .* outbox retry webhook:siem --all/),
    expect.stringMatching(/^warning: webhook:tickets did not take 1 event, .* with 5 more waiting \| /),
  ]);
});
