import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bell,
  type HeardPicture,
  type Hearing,
  listen,
  SILENT_BELL,
} from '../../../components/attention/bell.js';
import { groupRequests, type RequestGroups } from '../../../components/queue/request-groups.js';
import { requestRows } from '../../../components/queue/request-rows.js';
import type { Name } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { pinRule, type Rule } from '../../../src/protocol/rule.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, RULE, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const MINUTE = 60_000;
const [BOB, CAROL] = ['bob' as Name, 'carol' as Name];
const STALE = { state: 'stale', since: NOW, retryAt: null, reason: 'the network is down' } as const;

/** Asked now, under a rule that calls somebody at once, after five and after ten minutes. */
const ESCALATED = pinRule({
  ...(JSON.parse(RULE) as Rule),
  escalation: [0, 300, 600].map((after) => ({ after, groups: ['oncall'] })),
}).text;
const onHost = (n: number, given: Parameters<typeof sampleRequest>[0] = {}): RequestView =>
  sampleRequest({ n, age: 0, document: { resource: `web-${n}.example.com` }, ...given });
const escalated = (n: number, given: Parameters<typeof sampleRequest>[0] = {}): RequestView =>
  onHost(n, { rule: ESCALATED, ring: [BOB], ...given });

const picture = (requests: readonly RequestView[], before?: RequestGroups | null): HeardPicture => {
  const groups = groupRequests(new Map(requests.map((one) => [one.id, one])), before ?? undefined);
  return { groups, allRows: requestRows(groups) };
};

/** What somebody hears who looks at these pictures, one after the other, each after so many ms. */
class Ear {
  rings = 0;
  bell: Bell = listen(SILENT_BELL, picture([]), hearing(0)).bell;
  at = 0;

  hear(after: number, requests: readonly RequestView[], given: Partial<Hearing> = {}): this {
    this.at += after;
    const heard = listen(this.bell, picture(requests, this.bell.heard), { ...hearing(this.at), ...given });
    this.bell = heard.bell;
    if (heard.rings) this.rings += 1;
    return this;
  }
}
const hearing = (after: number): Hearing => ({
  approver: 'bob',
  at: NOW + after,
  now: NOW + after,
  isQuiet: false,
});

describe('the bell of one person', () => {
  test('rings once for an ask, however often it is heard of', () => {
    const ear = new Ear()
      .hear(0, [onHost(1)])
      .hear(MINUTE, [onHost(1)])
      .hear(MINUTE, [onHost(1, { waiting: 3 })]);
    expect(ear.rings).toBe(1);
  });

  test('rings once somebody waits, where nobody did at first', () => {
    const ear = new Ear().hear(0, [onHost(1, { waiting: 0 })]);
    expect(ear.rings).toBe(0);
    expect(ear.hear(MINUTE, [onHost(1)]).hear(MINUTE, [onHost(1)]).rings).toBe(1);
  });

  test('is silent for what one asked, or has signed, at every step', () => {
    const own = escalated(1, { document: { requester: 'bob' } });
    const signed = escalated(2, { votes: [sampleVote({ approver: BOB })] });
    const ear = new Ear();
    for (let minute = 0; minute < 12; minute += 1) ear.hear(MINUTE, [own, signed]);
    expect(ear.rings).toBe(0);
  });

  test('reminds at each later step of the rule, and never between or after them (A31)', () => {
    const ear = new Ear();
    const rangAt: number[] = [];
    for (let half = 0; half < 60; half += 1) {
      const before = ear.rings;
      ear.hear(half === 0 ? 0 : 30_000, [escalated(1)]);
      if (ear.rings > before) rangAt.push(ear.at / MINUTE);
    }
    expect(rangAt).toEqual([0, 5, 10]);
  });

  test('rings again each time that somebody else has all rung, and no step reminds after that (A31)', () => {
    const by = (who: Name, minute: number) => ({ escalated: { by: who, at: NOW + minute * MINUTE } });
    for (const ask of [onHost, escalated]) {
      const ear = new Ear().hear(0, [ask(1)]).hear(MINUTE, [ask(1, by(CAROL, 1))]);
      expect(ear.rings).toBe(2);
      for (let minute = 2; minute < 12; minute += 1) ear.hear(MINUTE, [ask(1, by(CAROL, 1))]);
      expect(ear.rings).toBe(2);
      expect(ear.hear(MINUTE, [ask(1, by(CAROL, 12))]).rings).toBe(3);
      expect(ear.hear(MINUTE, [ask(1, by(BOB, 13))]).rings, 'one’s own').toBe(3);
    }
  });

  test('rings whom an escalation calls first, once it is heard that it does', () => {
    const jumped = { escalated: { by: CAROL, at: NOW + MINUTE } };
    const ear = new Ear().hear(0, [escalated(1, { ring: [CAROL] })]);
    ear.hear(MINUTE, [escalated(1, { ring: [CAROL], ...jumped })]);
    expect(ear.rings).toBe(0);
    expect(ear.hear(100, [escalated(1, { ring: [BOB, CAROL], ...jumped })]).rings).toBe(1);
  });

  test('first rings a person at the step that calls him', () => {
    const ear = new Ear()
      .hear(0, [escalated(1, { ring: [CAROL] })])
      .hear(5 * MINUTE, [escalated(1, { ring: [CAROL] })]);
    expect(ear.rings).toBe(0);
    ear
      .hear(1000, [escalated(1, { ring: [BOB, CAROL] })])
      .hear(MINUTE, [escalated(1, { ring: [BOB, CAROL] })]);
    expect(ear.rings).toBe(1);
    expect(ear.hear(5 * MINUTE, [escalated(1, { ring: [BOB, CAROL] })]).rings).toBe(2);
  });

  test('does not remind once nobody waits, it is answered, or one has signed', () => {
    for (const change of [
      { waiting: 0 },
      { state: 'denied', endedAt: NOW } as const,
      { votes: [sampleVote({ approver: BOB })] },
    ]) {
      const ear = new Ear().hear(0, [escalated(1)]).hear(6 * MINUTE, [escalated(1, change)]);
      expect(ear.rings).toBe(1);
    }
  });

  test('counts a step as called for all asks of equal scope (A31)', () => {
    const [first, second] = [escalated(1), escalated(2, { age: -60, scope: escalated(1).scope })];
    const ear = new Ear().hear(0, [first]).hear(MINUTE, [first, second]);
    expect(ear.rings).toBe(1);
    expect(ear.hear(4 * MINUTE, [first, second]).hear(MINUTE, [first, second]).rings).toBe(2);
  });

  test('rings once for a rule of another version, and does not fail', () => {
    const foreign = onHost(1, { rule: '{"name":"from the future"}', ring: [BOB] });
    expect(new Ear().hear(0, [foreign]).hear(10 * MINUTE, [foreign]).rings).toBe(1);
  });

  test('goes by the clock of the broker for steps, and by ours for its pause, also where that was set back', () => {
    const ear = new Ear()
      .hear(0, [escalated(1)], { now: NOW + 5 * MINUTE })
      .hear(MINUTE, [escalated(1)], { now: NOW + 9 * MINUTE });
    expect(ear.rings).toBe(1);
    expect(ear.hear(-60 * MINUTE, [escalated(1)], { now: NOW + 10 * MINUTE }).rings).toBe(2);
  });

  test('says when there is something to listen for that no message tells', () => {
    expect(new Ear().hear(0, [onHost(1)]).bell.nextStepAt).toBe(Number.POSITIVE_INFINITY);
    expect(new Ear().hear(0, [escalated(1), onHost(2)]).bell.nextStepAt).toBe(NOW + 5 * MINUTE);
    expect(new Ear().hear(10 * MINUTE, [escalated(1)]).bell.nextStepAt).toBe(Number.POSITIVE_INFINITY);
  });

  describe('in quiet hours', () => {
    const night = { isQuiet: true };

    test('is silent, and rings once when they are over for all that still waits', () => {
      const both = [escalated(1), onHost(2)];
      const ear = new Ear()
        .hear(0, both, night)
        .hear(6 * MINUTE, both, night)
        .hear(5 * MINUTE, both, night);
      expect(ear.rings).toBe(0);
      expect(ear.hear(MINUTE, both).hear(MINUTE, both).rings).toBe(1);
    });

    test('has nothing to say afterwards of what is over by then', () => {
      const ear = new Ear()
        .hear(0, [onHost(1)], night)
        .hear(MINUTE, [onHost(1, { state: 'expired', endedAt: NOW })]);
      expect(ear.rings).toBe(0);
      expect(ear.hear(MINUTE, [onHost(1, { state: 'expired', endedAt: NOW }), onHost(2)]).rings).toBe(1);
    });

    test('does not ring afterwards for what rang before them', () => {
      expect(
        new Ear()
          .hear(0, [onHost(1)])
          .hear(MINUTE, [onHost(1)], night)
          .hear(MINUTE, [onHost(1)]).rings,
      ).toBe(1);
    });
  });
});

const standing = fc.constantFrom<Partial<RequestView>>(
  {},
  { waiting: 0 },
  { ring: [CAROL] },
  { escalated: { by: CAROL, at: NOW + 3 * MINUTE } },
  { votes: [sampleVote()] },
  { votes: [sampleVote({ approver: BOB })] },
  { state: 'denied', endedAt: NOW },
);
const ask = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 2 }), fc.boolean(), standing)
  .map(([n, host, isEscalated, given]) =>
    sampleRequest({
      n,
      age: 0,
      document: { resource: `web-${host}.example.com` },
      ...(isEscalated ? { rule: ESCALATED, ring: [BOB] } : {}),
      ...given,
    }),
  );
const moment = fc.record({
  after: fc.integer({ min: 0, max: 4 * MINUTE }),
  put: fc.array(ask, { maxLength: 3 }),
  drop: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
  isQuiet: fc.boolean(),
});

test('what is heard of the changes alone is what is heard of all that stands there', () => {
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 20 }), (moments) => {
      const [quick, thorough] = [new Ear(), new Ear()];
      const requests = new Map<string, RequestView>();
      for (const { after, put, drop, isQuiet } of moments) {
        for (const n of drop) requests.delete(sampleId(n));
        for (const request of put) requests.set(request.id, request);
        const now = [...requests.values()];
        quick.hear(after, now, { isQuiet });
        thorough.bell = { ...thorough.bell, heard: null };
        thorough.hear(after, now, { isQuiet });
        expect(quick.rings).toBe(thorough.rings);
        expect(new Map(quick.bell.called)).toEqual(new Map(thorough.bell.called));
        expect([quick.bell.isHeld, quick.bell.rangAt]).toEqual([thorough.bell.isHeld, thorough.bell.rangAt]);
        expect(quick.bell.nextStepAt).toBeLessThanOrEqual(thorough.bell.nextStepAt);
      }
    }),
  );
});

describe('the console', () => {
  const rings = (driver: ConsoleDriver): number =>
    driver.effects.filter(({ type }) => type === 'ring').length;
  const empty = (options = {}) => new ConsoleDriver([], options);

  test('rings for a step that begins while nothing else happens', () => {
    const driver = empty().put(escalated(1));
    expect(rings(driver)).toBe(1);
    expect(rings(driver.wait(4 * MINUTE))).toBe(1);
    expect(rings(driver.wait(MINUTE))).toBe(2);
    for (let minute = 0; minute < 30; minute += 1) driver.wait(MINUTE);
    expect(rings(driver)).toBe(3);
  });

  test('does not ring again after a reconnect, whether it brings a snapshot or not', () => {
    const driver = empty()
      .put(escalated(1), onHost(2))
      .setLink(STALE)
      .wait(MINUTE)
      .setLink({ state: 'live' });
    driver
      .setLink(STALE)
      .remove(sampleId(2))
      .put({ ...onHost(2) }, { ...escalated(1) })
      .setLink({ state: 'live' });
    expect(rings(driver)).toBe(1);
  });

  test('is silent while it is not connected, and rings for a step that began meanwhile', () => {
    const driver = empty()
      .put(escalated(1))
      .setLink(STALE)
      .wait(6 * MINUTE);
    expect(rings(driver)).toBe(1);
    expect(rings(driver.setLink({ state: 'live' }))).toBe(2);
  });

  test('reminds of what was there when it was opened, and does not ring for it then', () => {
    const driver = new ConsoleDriver([escalated(1)]);
    expect(rings(driver)).toBe(0);
    expect(rings(driver.wait(5 * MINUTE))).toBe(1);
  });

  test('keeps its quiet hours by the clock that it shows', () => {
    const minute = Math.floor(NOW / MINUTE) % (24 * 60);
    const driver = empty({ quiet: { from: minute, to: (minute + 30) % (24 * 60) } }).put(onHost(1));
    expect(rings(driver.wait(25 * MINUTE))).toBe(0);
    expect(rings(driver.wait(10 * MINUTE))).toBe(1);
    expect(rings(driver.wait(10 * MINUTE))).toBe(1);
  });
});
