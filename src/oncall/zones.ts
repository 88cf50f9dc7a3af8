import type { EpochMs } from '../protocol/time.js';

/** What the clocks of some zone show: ms since 1970 as if that zone were UTC. */
export type WallMs = number;

export const DAY_MS = 86_400_000;
/** More than any clock shows apart from UTC. */
export const FAR = 2 * DAY_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether this is a zone of the IANA data base that this machine knows. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of a zone show at an instant. */
export function wallAt(instant: EpochMs, zone: string): WallMs {
  const part = new Map(
    formatOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const at = (type: Intl.DateTimeFormatPartTypes): number => part.get(type) ?? 0;
  const seconds = Math.floor(instant / 1000) * 1000;
  return (
    Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second')) +
    (instant - seconds)
  );
}

/**
 * The instant at which the clocks of a zone show this. Of two such instants, when clocks are set back, it is the first; a
 * time that they leave out is counted from before they are set forward (RFC 5545, 3.3.5).
 */
export function instantAt(wall: WallMs, zone: string): EpochMs {
  const offset = (instant: EpochMs): number => wallAt(instant, zone) - instant;
  const [before, after] = [offset(wall - DAY_MS), offset(wall + DAY_MS)];
  const isRight = (assumed: number): boolean => offset(wall - assumed) === assumed;
  return wall - (isRight(before) || !isRight(after) ? before : after);
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
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
