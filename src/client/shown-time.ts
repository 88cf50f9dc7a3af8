import { type EpochMs, formatTime } from '../protocol/time.js';

/** How a time is shown to a reader. */
export interface TimeStyle {
  /** An IANA zone such as `Europe/Berlin`, or `UTC`. */
  readonly zone: string;
  readonly now: EpochMs;
}

/** English writes the short names of American and of European zones; others have only their distance to UTC. */
const LOCALES = ['en-US', 'en-GB'];

/**
 * The zone of this machine (`TZ`, else the system's); UTC where it has none that is known.
 */
export function localZone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions() as { readonly timeZone?: string };
  return timeZone === undefined || timeZone === 'Etc/Unknown' ? 'UTC' : timeZone;
}

/** A time for a reader: `2026-11-22 05:10:33 CET (2m ago)`; milliseconds are cut off. */
export function shownTime(time: EpochMs, { zone, now }: TimeStyle): string {
  return `${zonedTime(time, zone)} (${relativeTime(time, now)})`;
}

/** The same without its age: `2026-11-22 05:10:33 CET`, `2026-11-22T04:10:33Z` in UTC. */
export function zonedTime(time: EpochMs, zone: string): string {
  if (zone === 'UTC') return formatTime(time);
  const part = partsOf(time, zone, 'en-GB');
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  return `${date} ${part('hour')}:${part('minute')}:${part('second')} ${zoneName(time, zone)}`;
}

/** `2m ago`, `in 4m`, `now` within a second. */
export function relativeTime(time: EpochMs, now: EpochMs): string {
  const age = now - time;
  if (Math.abs(age) < 1000) return 'now';
  return age > 0 ? `${formatSpan(age)} ago` : `in ${formatSpan(-age)}`;
}

/** Writes a span coarsely, rounded down: `45s`, `12m`, `3h`, `2d`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

function zoneName(time: EpochMs, zone: string): string {
  for (const locale of LOCALES) {
    const name = partsOf(time, zone, locale)('timeZoneName');
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  const [, sign = '+', hours = '0', minutes = '00'] =
    /^GMT([+-])(\d{1,2})(?::(\d{2}))?/.exec(partsOf(time, zone, 'en-US')('timeZoneName')) ?? [];
  return `${sign}${hours.padStart(2, '0')}:${minutes}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function partsOf(
  time: EpochMs,
  zone: string,
  locale: string,
): (type: Intl.DateTimeFormatPartTypes) => string {
  const name = `${locale} ${zone}`;
  // To make one takes longer than to use it a hundred times.
  const format = formats.get(name) ?? newFormat(zone, locale);
  formats.set(name, format);
  const parts = format.formatToParts(time);
  return (type) => parts.find((part) => part.type === type)?.value ?? '';
}

function newFormat(timeZone: string, locale: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
}
