import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { onDuty, type Reading } from '../../src/oncall/calendar.js';

const READING: Reading = { who: 'summary', zones: { named: new Map(), floating: null } };

const calendar = (...lines: readonly string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
const event = (...lines: readonly string[]): string => {
  const uid = lines.some((line) => line.startsWith('UID')) ? [] : [`UID:${randomUUID()}`];
  return ['BEGIN:VEVENT', ...uid, ...lines, 'END:VEVENT'].join('\r\n');
};
const at = (text: string, time: string, reading: Partial<Reading> = {}): readonly string[] =>
  onDuty(text, Date.parse(time), { ...READING, ...reading });
const refusal = (text: string, reading: Partial<Reading> = {}): string => {
  try {
    return `accepted: ${at(text, '2026-06-01T12:00:00Z', reading)}`;
  } catch (error) {
    return (error as Error).message;
  }
};
const berlin = (name: string, value: string): string => `${name};TZID=Europe/Berlin:${value}`;

describe('who is on duty', () => {
  const shift = calendar(event('DTSTART:20260601T080000Z', 'DTEND:20260601T200000Z', 'SUMMARY:bob'));

  test('is who the event names that covers this instant, from its first to before its last', () => {
    expect(at(shift, '2026-06-01T07:59:59Z')).toEqual([]);
    expect(at(shift, '2026-06-01T08:00:00Z')).toEqual(['bob']);
    expect(at(shift, '2026-06-01T19:59:59Z')).toEqual(['bob']);
    expect(at(shift, '2026-06-01T20:00:00Z')).toEqual([]);
  });

  test('is nobody by a calendar without events', () => {
    expect(at(calendar(), '2026-06-01T12:00:00Z')).toEqual([]);
  });

  test('is everybody whose events overlap, each once', () => {
    const both = calendar(
      event('DTSTART:20260601T080000Z', 'DURATION:PT12H', 'SUMMARY:Bob\\, carol'),
      event('DTSTART:20260601T100000Z', 'DURATION:PT1H', 'SUMMARY:carol'),
    );
    expect(at(both, '2026-06-01T10:30:00Z')).toEqual(['bob', 'carol']);
  });

  test('over midnight and in the zone of the event, not of this machine', () => {
    const night = calendar(
      event(berlin('DTSTART', '20260601T200000'), berlin('DTEND', '20260602T080000'), 'SUMMARY:bob'),
    );
    expect(at(night, '2026-06-01T17:59:59Z')).toEqual([]);
    expect(at(night, '2026-06-01T23:30:00Z')).toEqual(['bob']);
    expect(at(night, '2026-06-02T05:59:59Z')).toEqual(['bob']);
    expect(at(night, '2026-06-02T06:00:00Z')).toEqual([]);
  });

  test('all day from midnight to midnight of the zone', () => {
    const day = event('DTSTART;VALUE=DATE:20260601', 'SUMMARY:bob');
    const zones = { named: new Map(), floating: 'America/New_York' };
    expect(at(calendar(day), '2026-06-01T03:59:59Z', { zones })).toEqual([]);
    expect(at(calendar(day), '2026-06-02T03:59:59Z', { zones })).toEqual(['bob']);
    expect(at(calendar('X-WR-TIMEZONE:Asia/Tokyo', day), '2026-05-31T15:00:00Z')).toEqual(['bob']);
    expect(refusal(calendar(day))).toMatch(/^line 5: DTSTART says no time zone: .*--zone Europe\/Berlin$/);
  });

  test('by attendees: addresses in lower case, without rooms and who declined', () => {
    const invited = calendar(
      event(
        'DTSTART:20260601T080000Z',
        'DTEND:20260601T200000Z',
        'SUMMARY:On call',
        'ATTENDEE;CN="Bob; the: builder";ROLE=REQ-PARTICIPANT:mailto:Bob@Example.com',
        'ATTENDEE;PARTSTAT=DECLINED:mailto:carol@example.com',
        'ATTENDEE;CUTYPE=ROOM:mailto:war-room@example.com',
        'ATTENDEE;PARTSTAT=NEEDS-ACTION:MAILTO:dave@exam',
        ' ple.com',
        'BEGIN:VALARM',
        'TRIGGER:-PT15M',
        'ATTENDEE:mailto:eve@example.com',
        'END:VALARM',
      ),
    );
    expect(at(invited, '2026-06-01T12:00:00Z', { who: 'attendee' })).toEqual([
      'bob@example.com',
      'dave@example.com',
    ]);
  });
});

describe('recurring shifts', () => {
  test('keep their time of day when clocks change, and leave neither gap nor overlap', () => {
    const rota = calendar(
      event(
        berlin('DTSTART', '20261024T090000'),
        berlin('DTEND', '20261025T090000'),
        'RRULE:FREQ=DAILY;INTERVAL=2',
        'SUMMARY:bob',
      ),
      event(
        berlin('DTSTART', '20261025T090000'),
        berlin('DTEND', '20261026T090000'),
        'RRULE:FREQ=DAILY;INTERVAL=2',
        'SUMMARY:carol',
      ),
    );
    // Berlin goes back from UTC+2 to UTC+1 on 25 October 2026 at 01:00Z, and forward on 28 March 2027.
    expect(at(rota, '2026-10-24T06:59:59Z')).toEqual([]);
    expect(at(rota, '2026-10-24T07:00:00Z')).toEqual(['bob']);
    expect(at(rota, '2026-10-25T07:59:59Z')).toEqual(['bob']);
    expect(at(rota, '2026-10-25T08:00:00Z')).toEqual(['carol']);
    for (const from of ['2026-10-24T07:00:00Z', '2027-03-27T07:00:00Z']) {
      for (let hour = 0; hour < 72; hour += 1) {
        expect(onDuty(rota, Date.parse(from) + hour * 3_600_000, READING)).toHaveLength(1);
      }
    }
    expect(at(rota, '2027-03-28T06:59:59Z')).not.toEqual(at(rota, '2027-03-28T07:00:00Z'));
  });

  test('begin at the instant that clocks show first, and are counted on where they leave a time out', () => {
    const twice = calendar(event(berlin('DTSTART', '20261025T023000'), 'DURATION:PT30M', 'SUMMARY:bob'));
    expect(at(twice, '2026-10-25T00:30:00Z')).toEqual(['bob']);
    expect(at(twice, '2026-10-25T01:30:00Z')).toEqual([]);
    const never = calendar(event(berlin('DTSTART', '20270328T023000'), 'DURATION:PT30M', 'SUMMARY:bob'));
    expect(at(never, '2027-03-28T01:29:59Z')).toEqual([]);
    expect(at(never, '2027-03-28T01:30:00Z')).toEqual(['bob']);
  });

  test('weekly on some days, every other week, with weeks that begin on Monday', () => {
    const weekly = (...more: readonly string[]): string =>
      calendar(
        event(
          'DTSTART:20260602T000000Z',
          'DURATION:P1D',
          `RRULE:${['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU', ...more].join(';')}`,
          'SUMMARY:bob',
        ),
      );
    const days = (text: string): readonly string[] =>
      Array.from({ length: 40 }, (_, day) => new Date(Date.UTC(2026, 4, 31 + day, 12)))
        .filter((time) => onDuty(text, time.getTime(), READING).length > 0)
        .map((time) => time.toISOString().slice(5, 10));
    expect(days(weekly())).toEqual(['06-02', '06-07', '06-16', '06-21', '06-30', '07-05']);
    // RFC 5545, 3.3.10: the same rule with another first day of the week.
    expect(days(weekly('WKST=SU'))).toEqual(['06-02', '06-14', '06-16', '06-28', '06-30']);
    expect(days(weekly('COUNT=3'))).toEqual(['06-02', '06-07', '06-16']);
    expect(days(weekly('UNTIL=20260616T000000Z'))).toEqual(['06-02', '06-07', '06-16']);
    expect(days(weekly('UNTIL=20260615T235959Z'))).toEqual(['06-02', '06-07']);
  });

  test('of whole days last until the end of their last day, wherever that is', () => {
    const week = calendar(
      'X-WR-TIMEZONE:America/New_York',
      event('DTSTART;VALUE=DATE:20260601', 'RRULE:FREQ=DAILY;UNTIL=20260603', 'SUMMARY:bob'),
    );
    expect(at(week, '2026-06-04T03:59:59Z')).toEqual(['bob']);
    expect(at(week, '2026-06-04T04:00:00Z')).toEqual([]);
  });

  test('without the occurrences that are taken out, and with those that are told of anew', () => {
    const rota = calendar(
      event(
        'UID:rota',
        berlin('DTSTART', '20260601T090000'),
        berlin('DTEND', '20260601T170000'),
        'RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR',
        `${berlin('EXDATE', '20260602T090000')},20260603T090000`,
        'SUMMARY:bob',
      ),
      event(
        'UID:rota',
        'RECURRENCE-ID:20260604T070000Z',
        berlin('DTSTART', '20260604T120000'),
        berlin('DTEND', '20260604T230000'),
        'SUMMARY:carol',
      ),
      event('UID:rota', 'RECURRENCE-ID:20260605T070000Z', 'DTSTART:20260605T070000Z', 'STATUS:CANCELLED'),
    );
    expect(at(rota, '2026-06-01T10:00:00Z')).toEqual(['bob']);
    expect(at(rota, '2026-06-02T10:00:00Z')).toEqual([]);
    expect(at(rota, '2026-06-03T10:00:00Z')).toEqual([]);
    expect(at(rota, '2026-06-04T08:00:00Z')).toEqual([]);
    expect(at(rota, '2026-06-04T20:00:00Z')).toEqual(['carol']);
    expect(at(rota, '2026-06-05T10:00:00Z')).toEqual([]);
    expect(at(rota, '2026-06-06T10:00:00Z')).toEqual([]);
    expect(at(rota, '2026-06-08T10:00:00Z')).toEqual(['bob']);
  });

  test('an event that is cancelled is not there', () => {
    const off = event(
      'DTSTART:20260601T080000Z',
      'DURATION:PT9H',
      'RRULE:FREQ=DAILY',
      'STATUS:CANCELLED',
      'SUMMARY:bob',
    );
    expect(at(calendar(off), '2026-06-03T09:00:00Z')).toEqual([]);
  });
});

describe('what cannot be read with certainty is refused with its line', () => {
  const shift = (...lines: readonly string[]): string =>
    calendar(event('UID:1', 'DTSTART:20260601T080000Z', 'DTEND:20260601T200000Z', 'SUMMARY:bob', ...lines));

  test.each([
    ['nothing', '', /^line 1: no calendar begins here$/],
    ['a page of a portal', '<!DOCTYPE html>\n<p>Sign in</p>', /^line 1: is not a line of an iCalendar file/],
    ['a file that was cut off', shift().slice(0, -27), /cut off$/],
    ['a file that was cut off within an event', shift().split('SUMMARY')[0] ?? '', /cut off$/],
    ['monthly shifts', shift('RRULE:FREQ=MONTHLY;BYMONTHDAY=1'), /^line 8: .*FREQ=MONTHLY/],
    ['days of a month', shift('RRULE:FREQ=DAILY;BYMONTH=6'), /BYMONTH is not understood$/],
    ['the first Monday', shift('RRULE:FREQ=WEEKLY;BYDAY=1MO'), /the day "1MO"$/],
    ['an interval of none', shift('RRULE:FREQ=DAILY;INTERVAL=0'), /"0" where a number belongs$/],
    ['a rule twice', shift('RRULE:FREQ=DAILY', 'RRULE:FREQ=WEEKLY'), /^line 9: RRULE stands twice$/],
    ['extra dates', shift('RDATE:20260701T080000Z'), /RDATE is not understood$/],
    ['a start off its own days', shift('RRULE:FREQ=WEEKLY;BYDAY=TU'), /DTSTART is not on a day/],
    ['an end of another kind', shift('RRULE:FREQ=DAILY;UNTIL=20260701'), /must be a time in UTC/],
    [
      'an end before the start',
      calendar(event('DTSTART:20260601T080000Z', 'DTEND:20260601T070000Z')),
      /ends before/,
    ],
    ['a day that is not', calendar(event('DTSTART:20260230T080000Z')), /"20260230T080000" is not a date/],
    ['an event without a time', calendar(event('SUMMARY:bob')), /^line 3: the event has no DTSTART$/],
    ['two events with one UID', `${shift().trimEnd().slice(0, -13)}${shift().slice(30)}`, /same UID/],
    [
      'a zone that nobody knows',
      calendar(event('DTSTART;TZID=Middle-earth:20260601T080000')),
      /--zone "Middle-earth"=/,
    ],
    ['a name that is none', shift().replace('bob', 'Bob the bu\u0131lder!'), /is no name or address$/],
    ['nobody invited', shift(), /no ATTENDEE, and covers this moment: see --who$/, 'attendee'],
    ['a change from here on', shift('RECURRENCE-ID;RANGE=THISANDFUTURE:20260601T080000Z'), /RANGE is not/],
  ] as readonly [string, string, RegExp, Reading['who']?][])('%s', (_, text, why, who = 'summary') => {
    expect(refusal(text, { who })).toMatch(why);
  });

  test('but a zone that the calendar explains, or the caller, is one', () => {
    const start = event(
      'DTSTART;TZID=W. Europe Standard Time:20260601T100000',
      'DURATION:PT1H',
      'SUMMARY:bob',
    );
    const explained = ['BEGIN:VTIMEZONE', 'TZID:W. Europe Standard Time', 'X-LIC-LOCATION:Europe/Berlin'];
    expect(at(calendar(...explained, 'END:VTIMEZONE', start), '2026-06-01T08:00:00Z')).toEqual(['bob']);
    const named = new Map([['W. Europe Standard Time', 'Europe/Berlin']]);
    expect(at(calendar(start), '2026-06-01T08:00:00Z', { zones: { named, floating: null } })).toEqual([
      'bob',
    ]);
  });
});
