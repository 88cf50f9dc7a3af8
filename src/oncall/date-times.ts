import type { EpochMs } from '../protocol/time.js';
import { isTimeZone, type WallMs } from '../protocol/zoned-time.js';
import { type Property, refused } from './content-lines.js';
import { instantAt } from './zones.js';

/** When something begins or ends (RFC 5545, 3.3.4 and 3.3.5). */
export interface Moment {
  /** What the clocks of the zone show; midnight for a date. */
  readonly wall: WallMs;
  /** IANA zone. */
  readonly zone: string;
  readonly isDate: boolean;
}

/** Nominal days, which keep the time of day, and an exact rest, in ms. */
export interface Span {
  readonly nominal: number;
  readonly exact: number;
}

/** How names of zones are read. */
export interface Zones {
  /** IANA zones for names that only this calendar knows. */
  readonly named: ReadonlyMap<string, string>;
  /** For dates, and for times without a zone; null where none is known. */
  readonly floating: string | null;
}

export const instantOf = ({ wall, zone }: Pick<Moment, 'wall' | 'zone'>): EpochMs => instantAt(wall, zone);

/**
 * Reads DTSTART, DTEND, RECURRENCE-ID, or one value of EXDATE.
 *
 * @throws Problem `schedule-refused` for a zone that is not known, and times and dates that no calendar has
 */
export function parseMoment(property: Property, zones: Zones, value = property.value): Moment {
  const { line, name, parameters } = property;
  const kind = parameters.get('VALUE') ?? 'DATE-TIME';
  if (kind === 'DATE') {
    return { wall: parseDate(value, line), zone: floatingZone(property, zones), isDate: true };
  }
  if (kind !== 'DATE-TIME') throw refused(line, `${name} with VALUE=${kind} is not understood`);
  const tzid = parameters.get('TZID');
  if (value.endsWith('Z')) {
    if (tzid !== undefined) throw refused(line, `${name} has both TZID and a time in UTC`);
    return { wall: parseDateTime(value.slice(0, -1), line), zone: 'UTC', isDate: false };
  }
  const zone = tzid === undefined ? floatingZone(property, zones) : zoneOf(tzid, zones, line);
  return { wall: parseDateTime(value, line), zone, isDate: false };
}

/** Reads `PnW`, or days, hours, minutes and seconds as in `P1DT12H` (RFC 5545, 3.3.6). */
export function parseDuration({ value, line }: Property): Span {
  const [whole, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = (
    /^\+?P(?=\d|T\d)(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?$/.exec(
      value,
    ) ?? [null]
  ).map((part) => (part === undefined ? 0 : part));
  if (whole === null) throw refused(line, `DURATION is not a time like PT12H or P1D`);
  return {
    nominal: (Number(weeks) * 7 + Number(days)) * 86_400_000,
    exact: (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000,
  };
}

/** @throws Problem `schedule-refused` */
export function parseDate(text: string, line: number): WallMs {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(text) ?? [];
  return existing(`${year}-${month}-${day}T00:00:00`, text, line);
}

/** Without a zone, as `20260131T230000`. */
export function parseDateTime(text: string, line: number): WallMs {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})$/.exec(text) ?? [];
  return existing(`${year}-${month}-${day}T${hour}:${minute}:${second}`, text, line);
}

function existing(written: string, text: string, line: number): WallMs {
  const wall = Date.parse(`${written}Z`);
  if (!Number.isNaN(wall) && new Date(wall).toISOString().startsWith(written)) return wall;
  throw refused(line, `${JSON.stringify(text)} is not a date or time of the calendar`);
}

function zoneOf(tzid: string, { named }: Zones, line: number): string {
  const zone = named.get(tzid) ?? tzid;
  if (isTimeZone(zone)) return zone;
  throw refused(
    line,
    `the time zone ${JSON.stringify(tzid)} is not known: say which it is, as --zone ${JSON.stringify(tzid)}=Europe/Berlin`,
  );
}

function floatingZone({ line, name }: Property, { floating }: Zones): string {
  if (floating !== null) return floating;
  throw refused(line, `${name} says no time zone: say which it is, as --zone Europe/Berlin`);
}
