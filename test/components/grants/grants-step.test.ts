import { describe, expect, test } from 'vitest';
import { grantsLines } from '../../../components/grants/grants-lines.js';
import { lastUse } from '../../../components/grants/grants-state.js';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import { SCREENS } from '../../../components/screen/screens.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import { label } from '../../../components/text/safe-text.js';
import type { GrantsReply } from '../../../src/protocol/grant-messages.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';
import { grants, sampleGrant, sampleWatched, told } from './sample-grants.js';

const NOTHING: GrantsReply = { uses: [], watched: [], more: 0 };
const gone = { state: 'stale', since: NOW, retryAt: null, reason: 'gone' } as const;
const asked = ({ effects }: ConsoleDriver) => effects.filter(({ type }) => type === 'askOfGrants');
const revoked = ({ effects }: ConsoleDriver) => effects.filter((effect) => effect.type === 'revoke');
const linesOf = ({ state }: ConsoleDriver): string[] =>
  grantsLines(state, bodyRows(state)).map((line) => line.map(({ text }) => text).join(''));

/** A console that looks at the grants, of which the broker has told this. */
const looking = (reply: GrantsReply = told, size = {}) =>
  new ConsoleDriver([sampleRequest(), ...grants], size)
    .press('3')
    .finish({ type: 'toldOfGrants', number: 1, reply });

describe('the grants', () => {
  test('are shown the newest first: time left, uses, who granted, and below them what doors watch', () => {
    const lines = linesOf(looking());
    const at = (words: string): number => lines.findIndex((line) => line.includes(words));
    expect(lines[at('9/10')]).toMatch(/39s +9\/10 +ssh\.login/);
    expect(lines[at('7h 29m')]).toMatch(/7h 29m +31 +command\.run .* bob, dave/);
    expect(lines[at('0/10')]).toMatch(/3m 00s +0\/10/);
    expect(lines[at('open 12m')]).toMatch(/open 12m .*erin/);
    expect([at('9/10'), at('7h 29m'), at('0/10'), at('Open, and watched'), at('open 12m')]).toEqual([
      1, 3, 5, 8, 9,
    ]);
  });

  test('go by their clocks', () => {
    const driver = looking().wait(30_000);
    expect(linesOf(driver).join('\n')).toMatch(/▸ 9s +9\/10/);
    const clocks = [...(SCREENS.grants.clocks?.(driver.state) ?? [])];
    expect(clocks).toContainEqual({ since: NOW - 3_558_000, until: NOW + 42_000 });
    expect(clocks).toHaveLength(4);
  });

  test('know their last use by the newest word: the broker, their own ask, or one that passed under them', () => {
    const [, grant = sampleGrant()] = grants;
    const picture = (...others: Parameters<typeof sampleGrant>[0][]) =>
      new Map([grant, ...others.map((other) => sampleRequest(other))].map((view) => [view.id, view]));
    const under = { n: 9, grant: grant.id, redeemedAt: NOW - 4000 };
    expect(lastUse(grant, picture(), null)).toBe(grant.redeemedAt);
    expect(lastUse(grant, picture(), told)).toBe(NOW - 180_000);
    expect(lastUse(grant, picture(under, { ...under, n: 8, redeemedAt: NOW - 9000 }), told)).toBe(NOW - 4000);
    expect(lastUse(sampleGrant({ redeemedAt: null }), picture(), NOTHING)).toBeNull();
  });

  test('are asked about when one comes, and where doors watch others: never by a clock', () => {
    const driver = new ConsoleDriver([sampleRequest(), ...grants]).wait(60_000);
    expect(asked(driver)).toEqual([]);
    driver
      .press('3')
      .wait(60_000)
      .put(sampleRequest({ n: 2 }));
    expect(asked(driver)).toHaveLength(1);
    driver.put(sampleWatched({ n: 30 }));
    expect(asked(driver)).toHaveLength(2);
    driver.change(sampleId(30), { state: 'revoked' });
    expect(asked(driver)).toHaveLength(3);
    driver.press('1').put(sampleWatched({ n: 31 }));
    expect(asked(driver)).toHaveLength(3);
  });

  test('are asked about again with g at the top: no event tells that a door has stopped to watch', () => {
    const driver = looking().press('j', 'g');
    expect(asked(driver)).toHaveLength(1);
    expect(asked(driver.press('g'))).toHaveLength(2);
    driver.finish({ type: 'toldOfGrants', number: 1, reply: NOTHING });
    expect(driver.state.grants.told).toMatchObject(told);
    driver.finish({ type: 'toldOfGrants', number: 2, reply: NOTHING });
    expect(driver.state.grants.told).toMatchObject(NOTHING);
  });

  test('keep the cursor on its request, and let it fall to what stands in its place', () => {
    const driver = looking().press('j');
    expect(driver.state.grants.selected).toBe(sampleId(52));
    driver.put(sampleGrant({ n: 60 })).remove(sampleId(53));
    expect(driver.state.grants.selected).toBe(sampleId(52));
    driver.change(sampleId(52), { state: 'redeemed' });
    expect(driver.state.grants.selected).toBe(sampleId(51));
    driver.change(sampleId(51), { state: 'lapsed' });
    expect(driver.state.grants.selected).toBe(sampleId(20));
    expect(driver.press('k').state.grants.selected).toBe(sampleId(60));
    driver.press('j').resize(60, 15).resize(120, 40);
    expect(driver.state.grants.selected).toBe(sampleId(20));
  });

  test('are opened with Enter and taken back with R, through the confirm step with the focus on Cancel (A34)', () => {
    const opening = looking().press('enter');
    expect(opening.state.opened?.request.id).toBe(sampleId(53));
    expect(opening.press('escape').state).toMatchObject({ opened: null, screen: 'grants' });
    const driver = looking().press('j', 'R');
    expect(driver.state.confirm).toMatchObject({ verdict: 'revoke', focused: 'cancel' });
    expect(revoked(driver.press('enter'))).toEqual([]);
    driver.press('escape', 'R', 'right', 'enter');
    expect(revoked(driver)).toMatchObject([{ request: { id: sampleId(52) } }]);
    driver.finish({ type: 'decided' });
    expect(driver.state).toMatchObject({ screen: 'grants', opened: null, selected: sampleId(1) });
  });

  test('hear R only once what it acts on has stood on the screen for 300 ms (A4)', () => {
    const driver = looking();
    driver
      .type('j')
      .paint()
      .wait(SETTLE_MS - 1)
      .type('R');
    expect(driver.state.opened).toBeNull();
    expect(driver.wait(1).type('R').state.confirm).toMatchObject({ verdict: 'revoke' });
  });

  test('let a session be ended that no picture of the queue has any more (A27)', () => {
    const driver = looking().press('G', 'R', 'right', 'enter');
    expect(revoked(driver)).toMatchObject([{ request: { id: sampleId(20), state: 'redeemed' } }]);
  });

  test('are never taken back over a link that is not live (A28)', () => {
    const driver = looking().setLink(gone).press('R');
    expect([driver.state.confirm, driver.noticeText]).toEqual([null, 'not connected to the broker']);
    expect(asked(driver.press('escape', '1', '3'))).toHaveLength(1);
    expect(asked(driver.setLink({ state: 'live' }))).toHaveLength(2);
  });

  test('decide nothing with the keys that decide on asks', () => {
    const driver = looking().press('a', 'd', 'f', 'enter', 'a', 'd', 'f');
    expect([driver.decisions, driver.state.confirm]).toEqual([[], null]);
  });

  test('say why the broker did not tell, and forget it with its next word', () => {
    const driver = new ConsoleDriver([]).press('3');
    driver.finish({ type: 'notToldOfGrants', number: 1, message: label`no answer`, hint: label`wait` });
    expect(linesOf(driver).join('\n')).toContain('✗ no answer');
    driver.press('g').finish({ type: 'toldOfGrants', number: 2, reply: NOTHING });
    expect(linesOf(driver).join('\n')).toContain('No grant is in force');
  });
});
