import { describe, expect, test } from 'vitest';
import { onCall, type Rota } from '../../src/oncall/pagerduty.js';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const SCHEDULE: Rota = { kind: 'schedule', id: 'PSCHED1' };
const POLICY: Rota = { kind: 'escalation-policy', id: 'PPOLICY', level: 1 };

const turn = (email: string, change: object = {}): object => ({
  user: { id: `U${email}`, type: 'user', email, name: 'somebody' },
  schedule: { id: 'PSCHED1', type: 'schedule_reference', summary: 'Primary' },
  escalation_policy: { id: 'PPOLICY', type: 'escalation_policy_reference' },
  escalation_level: 1,
  start: '2026-06-01T08:00:00+02:00',
  end: '2026-06-02T08:00:00+02:00',
  ...change,
});
const page = (oncalls: readonly object[], more = false): object => ({
  oncalls,
  limit: 100,
  offset: 0,
  more,
  total: null,
});

/** Answers the paths in turn, and remembers them. */
function api(...replies: readonly unknown[]) {
  const asked: string[] = [];
  const ask = async (path: string): Promise<unknown> => {
    asked.push(decodeURIComponent(path));
    return replies[asked.length - 1];
  };
  return { ask, asked };
}

describe('who is on call in PagerDuty', () => {
  test('is who the schedule names, by address in lower case, each once', async () => {
    const { ask, asked } = api(
      page([turn('Carol@Example.com'), turn('bob@example.com'), turn('bob@example.com')]),
    );
    expect(await onCall(SCHEDULE, NOW, ask)).toEqual(['bob@example.com', 'carol@example.com']);
    expect(asked).toEqual(['/oncalls?schedule_ids[]=PSCHED1&include[]=users&limit=100&offset=0']);
  });

  test('is on all pages', async () => {
    const { ask, asked } = api(page([turn('bob@example.com')], true), page([turn('carol@example.com')]));
    expect(await onCall(SCHEDULE, NOW, ask)).toHaveLength(2);
    expect(asked[1]).toMatch(/&offset=100$/);
  });

  test('on one level of an escalation policy, never on all of them (A21)', async () => {
    const oncalls = [
      turn('bob@example.com', { schedule: null, start: null, end: null }),
      turn('carol@example.com', { escalation_level: 2 }),
    ];
    expect(await onCall(POLICY, NOW, api(page(oncalls)).ask)).toEqual(['bob@example.com']);
    expect(await onCall({ ...POLICY, level: 2 }, NOW, api(page(oncalls)).ask)).toEqual(['carol@example.com']);
  });

  test('is nobody where a schedule that exists has nobody now', async () => {
    const { ask, asked } = api(page([]), { schedule: { id: 'PSCHED1' } });
    expect(await onCall(SCHEDULE, NOW, ask)).toEqual([]);
    expect(asked[1]).toBe('/schedules/PSCHED1');
  });
});

describe('anything unexpected is no answer', () => {
  test.each([
    ['a schedule that does not exist', [page([]), null], /knows no schedule "PSCHED1"/],
    ['nothing at the address', [null], /cannot be read/],
    [
      'an error as an answer',
      [{ error: { message: 'Not Found', code: 2100 } }],
      /cannot be read at "oncalls"/,
    ],
    [
      'turns of the whole account, as of an API that does not know the filter (A21)',
      [page([turn('eve@example.com', { schedule: { id: 'POTHER1' } })])],
      /turns of another rota/,
    ],
    [
      'turns without a schedule',
      [page([turn('eve@example.com', { schedule: null })])],
      /turns of another rota/,
    ],
    [
      'a turn that is over',
      [page([turn('bob@example.com', { end: '2026-06-01T12:00:00Z' })])],
      /another time/,
    ],
    ['a turn to come', [page([turn('bob@example.com', { start: '2026-06-01T12:00:01Z' })])], /another time/],
    ['users without their address', [page([turn('x', { user: { id: 'U1' } })])], /"oncalls.0.user.email"/],
    [
      'an address that is no name',
      [page([turn('b\u00f6b@example.com')])],
      /no e-mail address that can be a name/,
    ],
    [
      'pages without end',
      Array.from({ length: 30 }, () => page([], true)),
      /more people .* than can be read/,
    ],
  ])('%s', async (_, replies, why) => {
    await expect(onCall(SCHEDULE, NOW, api(...replies).ask)).rejects.toThrow(why);
  });
});
