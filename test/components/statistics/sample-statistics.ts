import type { Name } from '../../../src/protocol/names.js';
import type { OutcomeCounts, Statistics } from '../../../src/protocol/statistics.js';
import { NOW } from '../sample-requests.js';

const DAY = 86_400_000;

/** So many asks, of which about one in ten is denied and one in twenty expires. */
const some = (asked: number): OutcomeCounts => {
  const [denied, expired] = [Math.floor(asked / 10), Math.floor(asked / 20)];
  return { asked, approved: asked - denied - expired, denied, expired };
};

/** A month of a team: quiet nights and week-ends. */
export const figures: Statistics = {
  since: NOW - 30 * DAY,
  until: NOW,
  reach: 'days',
  zone: 'UTC',
  asked: 1234,
  approved: 980,
  denied: 61,
  expired: 44,
  passed: 131,
  waits: { decisions: 1041, p50: 41, p90: 192, p99: 291 },
  approvers: [
    { name: 'bob' as Name, approved: 560, denied: 31, p50: 38 },
    { name: 'carol' as Name, approved: 301, denied: 28, p50: 52 },
    { name: 'alexandra.konstantinopoulou@example.com' as Name, approved: 119, denied: 2, p50: 125 },
  ],
  rules: [
    { rule: 'logins', ...some(801) },
    { rule: 'production-database-migrations', ...some(402) },
    { rule: 'deploys', ...some(31) },
  ],
  hours: Array.from({ length: 24 }, (_, hour) =>
    some(hour < 7 ? 0 : Math.round(110 * Math.sin(((hour - 6) / 18) * Math.PI))),
  ),
  days: Array.from({ length: 31 }, (_, n) => ({
    day: new Date(NOW - (30 - n) * DAY).toISOString().slice(0, 10),
    ...some(n % 7 < 2 ? 3 : 30 + ((n * 37) % 50)),
  })),
};
