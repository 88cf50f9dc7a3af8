import type { EpochMs } from './time.js';

/** What the clocks of some zone show: ms since 1970 as if that zone were UTC. */
export type WallMs = number;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether this machine knows a zone of this name: an IANA name or an offset such as +02:00. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of a zone show at an instant. */
export function wallAt(instant: EpochMs, zone: string): WallMs {
  const parts = new Map<string, number>();
  for (const { type, value } of formatOf(zone).formatToParts(instant)) parts.set(type, Number(value));
  const at = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? Number.NaN;
  const seconds = Math.floor(instant / 1000) * 1000;
  return (
    Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second')) +
    (instant - seconds)
  );
}

/** Zones are texts of a configuration or a calendar, so there are few. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, format);
  return format;
}
