import { describe, expect, test } from 'vitest';
import {
  formatStatus,
  forTmux,
  type StatusReply,
  shortFailure,
  shortStatus,
} from '../../src/commands/status.js';
import type { Digest, Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';

const clock = Date.parse('2026-11-22T04:10:33Z');
const status: StatusReply = {
  name: 'approvals\u001b[31m',
  fingerprint: `SHA256:${'A'.repeat(43)}` as Fingerprint,
  version: '1',
  clock,
  uptimeSeconds: 3700,
  pending: 2,
  grants: 0,
  consoles: 3,
  waiters: 1,
  seq: 9,
  epoch: 'e',
  approvers: 4,
  doors: [],
  retention: { keep: null, behind: 0, holds: [] },
  reviews: [],
  policy: null,
  outbox: [],
  webhooks: null,
  unapproved: null,
  restoration: null,
  head: { seq: 8, text: '' },
  headFailing: false,
  locks: [],
  mutes: [],
  oldestPending: clock - 245_000,
};

describe('what status says of retention', () => {
  const display = { zone: 'UTC', profile: null };
  const rows = (retention: StatusReply['retention']): readonly string[] =>
    formatStatus({ ...status, retention }, 'a', display)
      .split('\n')
      .filter((line) => /^(?:kept|held)/.test(line));

  test('is how long things are kept, and what is held', () => {
    expect(rows({ keep: null, behind: 0, holds: [] })).toEqual(['kept         all requests, for ever']);
    expect(rows({ keep: 400 * 86_400, behind: 86_400_000, holds: ['case-7' as Name] })).toEqual([
      'kept         requests for 400d after their end',
      'held         case-7: countersign audit hold list',
    ]);
  });

  test('is how far it is behind a clock that leapt', () => {
    expect(rows({ keep: 30 * 86_400, behind: 365 * 86_400_000, holds: [] })).toEqual([
      'kept         requests for 30d after their end, and goes by a time that is 365d behind: it does not follow when the clock leaps',
    ]);
  });
});

describe('the short status', () => {
  test('says how many wait, and how long the oldest has', () => {
    expect(shortStatus(status)).toBe('2 pending, oldest 4m');
    expect(shortStatus({ ...status, pending: 0, oldestPending: null })).toBe('nothing pending');
  });

  test.each([
    [new Problem('broker-unreachable', 'x'), 'down'],
    [new Problem('draining', 'x'), 'down'],
    [new Problem('broker-changed', '#[fg=red]'), 'broker changed'],
    [new Problem('unknown-key', '#(rm -rf ~)'), 'unknown key'],
    [new Error('#(reboot)'), 'error'],
  ])('of a broker that cannot be asked has words of ours only: %s', (error, words) => {
    expect(shortFailure(error)).toBe(words);
  });
});

describe('the status for tmux', () => {
  test('is yellow while something is pending, red while that is not known, else plain', () => {
    expect(forTmux('2 pending, oldest 4m', 'pending')).toBe(
      '#[fg=black,bg=yellow] 2 pending, oldest 4m #[default]',
    );
    expect(forTmux('production: unknown key', 'unknown')).toBe(
      '#[fg=white,bg=red] production: unknown key #[default]',
    );
    expect(forTmux('nothing pending', 'calm')).toBe('nothing pending');
  });

  test.each([
    '#(reboot)',
    '##(reboot)',
    '#{pane_current_path}',
    '#[fg=red]',
    '%H:%M',
    'a\u001b[31m',
    'a\nb',
    '#,}',
    '\u202e#',
  ])('has nothing of %j that tmux would read as a format, once or twice', (text) => {
    expect(forTmux(text, 'calm')).not.toMatch(/[^A-Za-z0-9 ,.:?_-]/);
    expect(forTmux(text, 'pending')).toMatch(/^#\[fg=black,bg=yellow\] [A-Za-z0-9 ,.:?_-]* #\[default\]$/);
  });
});

describe('the status', () => {
  const text = (display: Parameters<typeof formatStatus>[2], change: Partial<StatusReply> = {}): string =>
    formatStatus({ ...status, ...change }, 'unix:/s', display);

  test('says of each receiver what waits, why it fails, and what to do', () => {
    const siem = { sink: 'webhook:siem', configured: true, waiting: 3, dead: 2, failing: 'HTTP 500' };
    const former = { sink: 'webhook:former', configured: false, waiting: 9, dead: 0, failing: null };
    const command = { sink: 'command', configured: true, waiting: 1, dead: 0, failing: null };
    const rows = text({ zone: 'UTC', profile: null }, { outbox: [command, former, siem] });
    expect(rows).toMatch(
      /^outbox +webhook:siem: 3 waiting, FAILING: HTTP 500; 2 DEAD: countersign outbox list$/m,
    );
    expect(rows).toMatch(
      /^outbox +webhook:former: 9 waiting, not configured any more: countersign outbox drop webhook:former --forget$/m,
    );
    expect(rows).not.toMatch(/^outbox +command/m);
  });

  test('says up to where the log is signed, that it is another one, and that this cannot be told', () => {
    const utc = { zone: 'UTC', profile: null };
    expect(text(utc)).toMatch(/^events +9, signed up to 8$/m);
    expect(text(utc, { head: null, headFailing: true })).toMatch(
      /^events +9, no head signed yet; SIGNING FAILS/m,
    );
    const forked = formatStatus(status, 'unix:/s', utc, {
      isDamage: false,
      words: 'entry 5 is not what it was',
    });
    expect(forked).toMatch(/^LOG FORKED +entry 5 is not what it was: countersign audit accept$/m);
    const damaged = formatStatus(status, 'unix:/s', utc, { isDamage: true, words: 'heads\u001b[2J, line 1' });
    expect(damaged).toMatch(/^kept heads +heads.*, line 1$/m);
    expect(damaged).not.toContain('\u001b');
  });

  test('names the profile, and has times in the zone of the reader', () => {
    const berlin = text({ zone: 'Europe/Berlin', profile: { name: 'production', colour: 'red' } });
    expect(berlin).toMatch(/^profile +production$/m);
    expect(berlin).toMatch(/^clock +2026-11-22 05:10:33 CET$/m);
    expect(berlin).toMatch(/^pending +2, the oldest asked 4m ago$/m);
    expect(berlin).toMatch(/^consoles +3 attached$/m);
    expect(text({ zone: 'UTC', profile: null })).toMatch(/^clock +2026-11-22T04:10:33Z$/m);
  });

  test('says how long a door has had an old signers file, and ago the restore was', () => {
    const told = text(
      { zone: 'UTC', profile: null },
      {
        doors: [{ door: 'host:web-1' as Name, since: clock - 7_200_000, outdated: true }],
        restoration: { backupAt: clock - 86_400_000, restoredAt: clock - 60_000, ended: 1 },
      },
    );
    expect(told).toMatch(/^old signers +host:web-1, since 2026-11-22T02:10:33Z \(2h ago\): countersign/m);
    expect(told).toMatch(/^restored +\S+ \(1m ago\) from a back-up of \S+ \(1d ago\); requests ended: 1$/m);
  });

  test('says which policy is in force, what is wrong with a newer one, and who is in its groups', () => {
    expect(text({ zone: 'UTC', profile: null })).toMatch(/^policy +no file: one other person is enough/m);
    const group = { name: 'pager', command: ['/bin/who'], unknown: [], answered: null, failing: null };
    const policy: StatusReply['policy'] = {
      file: '/etc/countersign/policy.yaml',
      digest: `sha256:${'0'.repeat(64)}` as Digest,
      loaded: clock - 7_200_000,
      rules: 2,
      groups: [
        { ...group, members: ['bob' as Name, 'zoe' as Name], unknown: ['zoe' as Name] },
        { ...group, name: 'leads', members: [], failing: 'exit status 1: \u001b[2Jno' },
      ],
      refused: {
        file: '/etc/countersign/policy.yaml',
        since: clock - 60_000,
        waiting: false,
        mistakes: ['policy.yaml:4:11: rule 1: no'],
      },
    };
    const told = text({ zone: 'UTC', profile: null }, { policy });
    expect(told).toMatch(/^policy +\/etc\/countersign\/policy.yaml: 2 rules, loaded \S+ \(2h ago\)$/m);
    expect(told).toMatch(/^ +REFUSED since \S+ \(1m ago\): what was loaded before stays in force$/m);
    expect(told).toMatch(/^ +policy.yaml:4:11: rule 1: no$/m);
    expect(told).toMatch(/^ +pager +bob, zoe; not in the roster: zoe$/m);
    expect(told).toMatch(/^ +leads +nobody; FAILING: exit status 1: ⟨ESC⟩\[2Jno$/m);
  });

  test('tells when nobody is looking', () => {
    expect(text({ zone: 'UTC', profile: null }, { consoles: 0 })).toMatch(/^consoles +0: nobody sees/m);
  });

  test('shows what the broker wrote with its tricks', () => {
    expect(text({ zone: 'UTC', profile: null })).toContain('approvals⟨ESC⟩[31m');
  });
});
