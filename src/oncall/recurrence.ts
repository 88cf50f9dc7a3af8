import type { EpochMs } from '../protocol/time.js';
import type { WallMs } from '../protocol/zoned-time.js';
import { type Property, refused } from './content-lines.js';
import { parseDate, parseDateTime } from './date-times.js';
import { DAY_MS, FAR } from './zones.js';

/** Days as in BYDAY, in the order of `Date.getUTCDay`. */
const DAYS: readonly string[] = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const MONDAY = 1;

/** A recurrence rule by days or weeks (RFC 5545, 3.3.10). */
export interface Recurrence {
  readonly unit: 'day' | 'week';
  readonly interval: number;
  /** Indices of {@link DAYS}; null for the day of the start, or every day. */
  readonly days: ReadonlySet<number> | null;
  /** The first day of a week. */
  readonly weekStart: number;
  readonly count: number | null;
  /** When the last occurrence may begin: an instant, for whole days what the calendar shows. */
  readonly until: EpochMs | WallMs | null;
}

/**
 * Reads a rule. Whatever would change when somebody is on duty and is not understood is refused.
 *
 * @throws Problem `schedule-refused`
 */
export function parseRecurrence({ value, line }: Property, allDay: boolean): Recurrence {
  const parts = new Map<string, string>();
  for (const part of value.split(';')) {
    const [, name = '', text = ''] = /^([A-Z]+)=([A-Z0-9,+-]+)$/.exec(part) ?? [];
    if (name === '' || parts.has(name)) throw refused(line, `RRULE has ${JSON.stringify(part)}`);
    parts.set(name, text);
  }
  const take = (name: string): string | null => {
    const text = parts.get(name) ?? null;
    parts.delete(name);
    return text;
  };
  const frequency = take('FREQ');
  if (frequency !== 'DAILY' && frequency !== 'WEEKLY') {
    throw refused(line, `RRULE with FREQ=${frequency}: only DAILY and WEEKLY are understood`);
  }
  const [interval, count, until] = [take('INTERVAL'), take('COUNT'), take('UNTIL')];
  const [days, weekStart] = [take('BYDAY'), take('WKST')];
  const [rest] = parts.keys();
  if (rest !== undefined) throw refused(line, `RRULE with ${rest} is not understood`);
  if (count !== null && until !== null) throw refused(line, 'RRULE has both COUNT and UNTIL');
  return {
    unit: frequency === 'DAILY' ? 'day' : 'week',
    interval: interval === null ? 1 : positive(interval, line),
    days: days === null ? null : new Set(days.split(',').map((day) => dayOf(day, line))),
    weekStart: weekStart === null ? MONDAY : dayOf(weekStart, line),
    count: count === null ? null : positive(count, line),
    until: until === null ? null : lastStart(until, allDay, line),
  };
}

/**
 * When the occurrences of a rule begin, in order, as the clocks of its zone show it; without end where the rule has none.
 *
 * @param comparable turns the beginning of an occurrence into what `until` is compared with
 * @throws Problem `schedule-refused` where the start is no occurrence of its own rule, which RFC 5545 leaves undefined
 */
export function* occurrences(
  rule: Recurrence,
  start: WallMs,
  comparable: (wall: WallMs) => EpochMs | WallMs,
  line: number,
): Generator<WallMs> {
  const weekday = (wall: WallMs): number => new Date(wall).getUTCDay();
  const days = rule.days ?? (rule.unit === 'week' ? new Set([weekday(start)]) : null);
  if (days !== null && !days.has(weekday(start))) {
    throw refused(line, 'DTSTART is not on a day of its own RRULE');
  }
  const intoWeek = (weekday(start) - rule.weekStart + 7) % 7;
  let found = 0;
  for (let day = 0; rule.count === null || found < rule.count; day += 1) {
    const period = rule.unit === 'day' ? day : Math.floor((day + intoWeek) / 7);
    const wall = start + day * DAY_MS;
    if (period % rule.interval !== 0 || (days !== null && !days.has(weekday(wall)))) continue;
    if (rule.until !== null && wall > rule.until - FAR && comparable(wall) > rule.until) return;
    found += 1;
    yield wall;
  }
}

function positive(text: string, line: number): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw refused(line, `RRULE has ${JSON.stringify(text)} where a number belongs`);
}

function dayOf(text: string, line: number): number {
  const day = DAYS.indexOf(text);
  if (day >= 0) return day;
  throw refused(line, `RRULE has the day ${JSON.stringify(text)}`);
}

/** Of the same kind as DTSTART: a date for whole days, else a time in UTC. */
function lastStart(text: string, allDay: boolean, line: number): EpochMs | WallMs {
  if (allDay) return parseDate(text, line);
  if (text.endsWith('Z')) return parseDateTime(text.slice(0, -1), line);
  throw refused(line, 'UNTIL of an RRULE must be a time in UTC, as 20260131T230000Z');
}
