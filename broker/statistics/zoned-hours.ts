import type { EpochMs } from '../../src/protocol/time.js';

/** A day and an hour of it, as the clocks of a zone show them. */
export interface ZonedHour {
  readonly day: string;
  /** From 0 to 23. */
  readonly hour: number;
}

/** Clocks are set forward and back at whole quarters of an hour of UTC. */
const QUARTER = 900_000;

/**
 * Tells the day and hour of times in a zone. It asks the calendar once for each quarter of an hour: that takes a hundred times as long
 * as all else that is done with a time.
 */
export function zonedHours(timeZone: string): (time: EpochMs) => ZonedHour {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
  });
  const known = new Map<number, ZonedHour>();
  return (time) => {
    const quarter = Math.floor(time / QUARTER);
    const found = known.get(quarter);
    if (found !== undefined) return found;
    const parts = format.formatToParts(quarter * QUARTER);
    const part = (type: Intl.DateTimeFormatPartTypes): string =>
      parts.find((one) => one.type === type)?.value ?? '';
    const zoned = { day: `${part('year')}-${part('month')}-${part('day')}`, hour: Number(part('hour')) };
    known.set(quarter, zoned);
    return zoned;
  };
}
