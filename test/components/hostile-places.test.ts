import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { footerLines } from '../../components/screen/footer.js';
import { headerLines } from '../../components/screen/header.js';
import { bodyRows } from '../../components/screen/screen-layout.js';
import { SCREENS } from '../../components/screen/screens.js';
import { lineWidth } from '../../components/text/line.js';
import { safeText } from '../../components/text/safe-text.js';
import type { Name } from '../../src/protocol/names.js';
import { ConsoleDriver } from './console-driver.js';
import { sampleGrant, sampleWatched } from './grants/sample-grants.js';
import { hostileText } from './hostile-text.js';
import { ENROLLED } from './people/sample-people.js';
import { NOW, sampleId, sampleRequest } from './sample-requests.js';
import { figures } from './statistics/sample-statistics.js';

const SIZES = [
  { columns: 60, rows: 15 },
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
];
/** Acts on a terminal, or is not seen on it. */
const ACTS = /[\p{C}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Variation_Selector}\p{Zl}\p{Zp}]/u;

/** Every line that is on the screen is safe, and no wider than it. */
function expectSafe({ state }: ConsoleDriver): void {
  const body = SCREENS[state.screen].lines(state, bodyRows(state));
  for (const line of [...headerLines(state), ...body, ...footerLines(state)]) {
    expect(line.map(({ text }) => text).join('')).not.toMatch(ACTS);
    expect(lineWidth(line)).toBeLessThanOrEqual(state.size.columns);
  }
}

const prose = (text: string) => safeText(text, { reading: 'prose' });
const problemOf = (text: string) => ({ message: prose(text), hint: prose(text) });
const size = fc.constantFrom(...SIZES);
const raw = fc.array(hostileText, { minLength: 1, maxLength: 8 }).map((texts) => texts.join(''));

test('the history draws hostile requests, filters and failures as what they are, in the screen (A1, A37)', () => {
  fc.assert(
    fc.property(size, raw, raw, (given, one, other) => {
      const driver = new ConsoleDriver([sampleRequest()], given).press('2');
      const shown = sampleRequest({ n: 2 });
      const document = { ...shown.document, context: { reason: one }, resource: other };
      const report = { outcome: 'refused' as const, code: one, at: NOW };
      driver.finish({
        type: 'found',
        search: 1,
        page: {
          requests: [
            { ...shown, document },
            { ...shown, id: sampleId(3), report },
          ],
          next: '1',
          searchedTo: NOW,
        },
      });
      expectSafe(driver);
      driver.finish({ type: 'notFound', search: 1, ...problemOf(other) });
      expectSafe(driver);
      driver.press('/').paste(one);
      expectSafe(driver);
      driver.press(other, 'enter');
      expectSafe(driver);
      expect(driver.decisions).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('the outbox draws hostile receivers, letters and errors as what they are, in the screen (A1, A37)', () => {
  fc.assert(
    fc.property(size, raw, raw, fc.integer({ min: 1, max: 9 }), (given, one, other, count) => {
      const sinks = Array.from({ length: count }, (_, n) => ({
        sink: n % 2 === 0 ? one : `webhook:${n}`,
        configured: n % 3 > 0,
        waiting: 10 ** n,
        dead: n,
        failing: n % 2 === 0 ? other : null,
      }));
      const letters = sinks.map(({ sink }, n) => ({
        sink,
        event: n + 1,
        kind: other,
        at: NOW,
        request: sampleId(n),
        about: n % 2 === 0 ? null : { requester: one as Name, action: other, resource: one },
        attempts: n + 1,
        dead: NOW,
        error: other.repeat(3),
      }));
      const driver = new ConsoleDriver([sampleRequest()], given).setOutbox(sinks).paint();
      expectSafe(driver);
      driver.press('6').finish({ type: 'letters', number: 1, reply: { sinks, letters, next: '1' } });
      expectSafe(driver);
      driver.press('G', 'x');
      expectSafe(driver);
      driver.press('escape').finish({ type: 'failed', of: 'letter', ...problemOf(one) });
      expectSafe(driver);
    }),
    { numRuns: 60 },
  );
});

test('the grants draw hostile documents, names and failures as what they are, in the screen (A1, A37)', () => {
  fc.assert(
    fc.property(size, raw, raw, (given, one, other) => {
      const hostile = {
        ...sampleRequest().document,
        context: { reason: one },
        resource: other,
        action: one as Name,
      };
      const grant = { ...sampleGrant(), document: { ...hostile, details: { [one]: other } } };
      const watched = { ...sampleWatched(), document: hostile };
      const wellFormed = sampleGrant({ n: 51, document: { details: { reason: 'x' }, requester: 'erin' } });
      const votes = wellFormed.votes.map((vote) => ({ ...vote, approver: one as Name }));
      const driver = new ConsoleDriver([grant, { ...wellFormed, votes }], given).press('3');
      expectSafe(driver);
      const reply = { uses: [], watched: [watched, sampleWatched({ n: 21 })], more: 1_000_000 };
      driver.finish({ type: 'toldOfGrants', number: 1, reply });
      expectSafe(driver);
      for (const _ of [1, 2, 3, 4]) expectSafe(driver.press('j'));
      driver.press('g', 'g').finish({ type: 'notToldOfGrants', number: 2, ...problemOf(other) });
      expectSafe(driver);
    }),
    { numRuns: 60 },
  );
});

test('people and submitters are drawn as what they are, in the screen (A1, A37)', () => {
  fc.assert(
    fc.property(size, raw, raw, (given, one, other) => {
      const [names, texts] = [
        [one as Name, other as Name],
        [one, other],
      ];
      const people = ENROLLED.people.map(({ keys }, n) => ({
        name: (n === 0 ? one : `p${n}`) as Name,
        groups: names,
        aliases: names,
        keys: keys.map((key) => ({ ...key, key: n === 0 ? other : key.key })),
      }));
      const submitters = ENROLLED.submitters.map(({ name, credential }) => ({
        name: (one + name) as Name,
        credential: credential.kind === 'oidc' ? { ...credential, issuer: one, audience: other } : credential,
        limits: { actions: texts, resources: texts, doors: texts, requesters: texts },
      }));
      const driver = new ConsoleDriver([sampleRequest()], given).press('4');
      driver.finish({ type: 'enrolled', number: 1, enrolled: { people, submitters } });
      expectSafe(driver);
      for (let n = 0; n < people.length + submitters.length; n += 1) {
        driver.press('enter');
        expectSafe(driver);
        driver.press('G');
        expectSafe(driver);
        driver.press('escape', 'j');
        expectSafe(driver);
      }
      driver.press('escape', '4').finish({ type: 'notEnrolled', number: 2, ...problemOf(other) });
      expectSafe(driver);
    }),
    { numRuns: 12 },
  );
});

test('the statistics draw hostile names, and numbers of any size, in the screen (A1, A37)', () => {
  const count = fc.oneof(fc.nat(3), fc.nat(1_000_000_000));
  fc.assert(
    fc.property(size, raw, raw, count, count, (given, one, other, many, few) => {
      const counts = { asked: many, approved: few, denied: many, expired: few };
      const driver = new ConsoleDriver([sampleRequest()], given).press('7');
      const statistics = {
        ...figures,
        ...counts,
        zone: other,
        passed: many,
        waits: { decisions: many, p50: few, p90: many, p99: many },
        approvers: [one, other].map((name) => ({
          name: name as Name,
          approved: many,
          denied: few,
          p50: many,
        })),
        rules: [one, other].map((rule) => ({ rule, ...counts })),
        hours: figures.hours.map((hour, at) => (at % 5 === 0 ? counts : hour)),
        days: [{ day: one, ...counts }, ...figures.days],
      };
      driver.finish({ type: 'counted', number: 1, statistics });
      expectSafe(driver);
      expectSafe(driver.press('G'));
      driver.press('g', 'g').finish({ type: 'notCounted', number: 2, ...problemOf(other) });
      expectSafe(driver);
    }),
    { numRuns: 60 },
  );
});
