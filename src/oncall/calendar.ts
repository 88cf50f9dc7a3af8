import { isName, type Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { EpochMs } from '../protocol/time.js';
import type { WallMs } from '../protocol/zoned-time.js';
import {
  type Component,
  type Property,
  parseCalendars,
  refused,
  single,
  unescapeText,
} from './content-lines.js';
import { instantOf, type Moment, parseDuration, parseMoment, type Span, type Zones } from './date-times.js';
import { occurrences, parseRecurrence, type Recurrence } from './recurrence.js';
import { DAY_MS, FAR } from './zones.js';

/** How a calendar is read. */
export interface Reading {
  /** Where the names stand: e-mail addresses of attendees, or names in the title. */
  readonly who: 'attendee' | 'summary';
  readonly zones: Zones;
}

interface Shift {
  readonly event: Component;
  readonly start: Moment;
  readonly span: Span;
  readonly rule: Recurrence | null;
  readonly ruleLine: number;
  /** Occurrences that do not take place, or are told of by an event of their own. */
  readonly without: Set<EpochMs>;
}

/** Would change when somebody is on duty, and is not understood. */
const NOT_UNDERSTOOD = ['RDATE', 'EXRULE'];

/**
 * Who is on duty now by an iCalendar file (RFC 5545): whoever the events name that cover this instant. Nobody is an answer
 * too; but whatever cannot be read with certainty is refused, also in events of other times.
 *
 * An event with DTEND ends at the same time of day each time it recurs, also where clocks were changed in between: that is
 * what calendars show, so that one shift ends when the next begins.
 *
 * @throws Problem `schedule-refused` with the line
 */
export function onDuty(text: string, now: EpochMs, reading: Reading): readonly Name[] {
  const names = parseCalendars(text).flatMap((calendar) => {
    const zones = zonesOf(calendar, reading.zones);
    const shifts = shiftsOf(calendar, zones);
    return shifts.filter((shift) => covers(shift, now)).flatMap(({ event }) => namesOf(event, reading.who));
  });
  return [...new Set(names)].sort();
}

/** Zones that the calendar itself explains; what the caller says comes first. */
function zonesOf(calendar: Component, { named, floating }: Zones): Zones {
  const explained = calendar.components
    .filter(({ name }) => name === 'VTIMEZONE')
    .flatMap((zone): [string, string][] => {
      const [tzid, location] = [single(zone, 'TZID'), single(zone, 'X-LIC-LOCATION')];
      return tzid === null || location === null ? [] : [[tzid.value, location.value]];
    });
  return {
    named: new Map([...explained, ...named]),
    floating: floating ?? single(calendar, 'X-WR-TIMEZONE')?.value ?? null,
  };
}

function shiftsOf(calendar: Component, zones: Zones): readonly Shift[] {
  const scale = single(calendar, 'CALSCALE');
  if (scale !== null && scale.value.toUpperCase() !== 'GREGORIAN') {
    throw refused(scale.line, 'only the Gregorian calendar is understood');
  }
  const recurring = new Map<string, Shift>();
  const shifts: Shift[] = [];
  const events = calendar.components.filter(({ name }) => name === 'VEVENT');
  for (const event of events) {
    if (single(event, 'RECURRENCE-ID') !== null) continue;
    const shift = parseShift(event, zones);
    const uid = uidOf(event);
    if (recurring.has(uid)) throw refused(event.line, 'another event has the same UID');
    recurring.set(uid, shift);
    shifts.push(shift);
  }
  for (const event of events) {
    const id = single(event, 'RECURRENCE-ID');
    if (id === null) continue;
    if (id.parameters.has('RANGE')) throw refused(id.line, 'RECURRENCE-ID with RANGE is not understood');
    recurring.get(uidOf(event))?.without.add(instantOf(parseMoment(id, zones)));
    shifts.push(parseShift(event, zones));
  }
  return shifts.filter(({ event }) => single(event, 'STATUS')?.value.toUpperCase() !== 'CANCELLED');
}

function uidOf(event: Component): string {
  const uid = single(event, 'UID');
  if (uid !== null) return uid.value;
  throw refused(event.line, 'the event has no UID');
}

function parseShift(event: Component, zones: Zones): Shift {
  const begin = single(event, 'DTSTART');
  if (begin === null) throw refused(event.line, 'the event has no DTSTART');
  const strange = event.properties.find(({ name }) => NOT_UNDERSTOOD.includes(name));
  if (strange !== undefined) throw refused(strange.line, `${strange.name} is not understood`);
  const start = parseMoment(begin, zones);
  const rule = single(event, 'RRULE');
  return {
    event,
    start,
    span: spanOf(event, start, zones),
    rule: rule === null ? null : parseRecurrence(rule, start.isDate),
    ruleLine: rule?.line ?? begin.line,
    without: new Set(exceptionsOf(event, start, zones)),
  };
}

function exceptionsOf({ properties }: Component, start: Moment, zones: Zones): readonly EpochMs[] {
  return properties
    .filter(({ name }) => name === 'EXDATE')
    .flatMap((property) =>
      property.value.split(',').map((value) => {
        const moment = parseMoment(property, zones, value);
        if (moment.isDate === start.isDate) return instantOf(moment);
        throw refused(property.line, 'EXDATE is not of the kind of DTSTART');
      }),
    );
}

/** Without DTEND and DURATION a day for dates, no time at all otherwise (RFC 5545, 3.6.1). */
function spanOf(event: Component, start: Moment, zones: Zones): Span {
  const [end, duration] = [single(event, 'DTEND'), single(event, 'DURATION')];
  if (duration !== null) {
    if (end !== null) throw refused(duration.line, 'the event has both DTEND and DURATION');
    return parseDuration(duration);
  }
  if (end === null) return { nominal: start.isDate ? DAY_MS : 0, exact: 0 };
  return spanUntil(parseMoment(end, zones), start, end);
}

function spanUntil(end: Moment, start: Moment, { line }: Property): Span {
  if (end.isDate !== start.isDate) throw refused(line, 'DTEND is not of the kind of DTSTART');
  if (instantOf(end) < instantOf(start)) throw refused(line, 'the event ends before it begins');
  if (end.zone === start.zone) return { nominal: end.wall - start.wall, exact: 0 };
  return { nominal: 0, exact: instantOf(end) - instantOf(start) };
}

function covers({ start, span, rule, ruleLine, without }: Shift, now: EpochMs): boolean {
  const { zone, isDate } = start;
  const begins = (wall: WallMs): EpochMs => instantOf({ wall, zone });
  const ends = (wall: WallMs): EpochMs => begins(wall + span.nominal) + span.exact;
  const starts =
    rule === null ? [start.wall] : occurrences(rule, start.wall, isDate ? (wall) => wall : begins, ruleLine);
  for (const wall of starts) {
    // No zone is as far from UTC; what is far away is not worth a look at the rules of its zone.
    if (wall + span.nominal + span.exact < now - FAR) continue;
    const begin = begins(wall);
    if (begin > now) return false;
    if (now < ends(wall) && !without.has(begin)) return true;
  }
  return false;
}

function namesOf(event: Component, who: Reading['who']): readonly Name[] {
  if (who === 'summary') {
    const title = single(event, 'SUMMARY');
    if (title === null) throw refused(event.line, 'the event has no SUMMARY, and covers this moment');
    return unescapeText(title.value)
      .split(/[\s,]+/u)
      .filter((word) => word !== '')
      .map((word) => nameOf(word, title.line));
  }
  const attendees = event.properties.filter(({ name }) => name === 'ATTENDEE');
  if (attendees.length === 0) {
    throw refused(event.line, 'the event has no ATTENDEE, and covers this moment: see --who');
  }
  return attendees.filter(isOnDuty).map(({ value, line }) => nameOf(value.replace(/^mailto:/iu, ''), line));
}

/** Rooms and equipment are no people, and who declined is not there (RFC 5545, 3.2.3 and 3.2.12). */
function isOnDuty({ parameters }: Property): boolean {
  const kind = parameters.get('CUTYPE')?.toUpperCase() ?? 'INDIVIDUAL';
  return !['ROOM', 'RESOURCE'].includes(kind) && parameters.get('PARTSTAT')?.toUpperCase() !== 'DECLINED';
}

function nameOf(text: string, line: number): Name {
  const name = text.toLowerCase();
  if (isName(name)) return name;
  throw new Problem('schedule-refused', `line ${line}: ${JSON.stringify(text)} is no name or address`);
}
