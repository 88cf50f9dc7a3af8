import { describe, expect, test } from 'vitest';
import { peopleLines } from '../../../components/people/people-lines.js';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import { label } from '../../../components/text/safe-text.js';
import type { Enrolled } from '../../../src/client/directory.js';
import { BROKER_SUBMITTER } from '../../../src/protocol/change-messages.js';
import type { Name } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';
import { ENROLLED, person, submitter } from './sample-people.js';

const asked = ({ effects }: ConsoleDriver) => effects.filter(({ type }) => type === 'listEnrolled');
const shown = ({ state }: ConsoleDriver): string =>
  peopleLines(state, bodyRows(state))
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
const change = (n: number, resource: string, given: Parameters<typeof sampleRequest>[0] = {}) =>
  sampleRequest({
    n,
    submitter: BROKER_SUBMITTER,
    document: { action: 'roster.change', resource, requester: 'alice', details: { summary: 'x' } },
    ...given,
  });

/** A console that looks at these people. */
const looking = (enrolled: Enrolled = ENROLLED, rows = 24) =>
  new ConsoleDriver([sampleRequest()], { rows, columns: 80 })
    .press('4')
    .finish({ type: 'enrolled', number: 1, enrolled });

describe('people and submitters', () => {
  test('are asked for when one goes there, and when a change of them has ended: never by a clock', () => {
    const driver = looking().wait(60_000);
    expect(asked(driver)).toHaveLength(1);
    driver.put(sampleRequest({ n: 2 }));
    expect(asked(driver)).toHaveLength(1);
    driver.put(change(3, 'person dave'));
    driver.finish({ type: 'enrolled', number: 2, enrolled: ENROLLED });
    driver.change(sampleId(3), { state: 'redeemed', endedAt: NOW });
    expect(asked(driver)).toHaveLength(3);
    driver.press('escape').change(sampleId(3), { state: 'denied' });
    expect(asked(driver)).toHaveLength(3);
  });

  test('are not asked of whoever answers at an address of which the link is down, and asked once it is back', () => {
    const driver = new ConsoleDriver([sampleRequest()]);
    driver.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' }).press('4');
    expect(asked(driver)).toEqual([]);
    driver.setLink({ state: 'live' });
    expect(asked(driver)).toHaveLength(1);
  });

  test('stand by name, people before submitters, and say which keys no longer sign', () => {
    const rows = shown(looking()).split('\n');
    const at = (text: string) => rows.findIndex((row) => row.includes(text));
    expect(at('bob (you)')).toBeLessThan(at('carol'));
    expect(at('carol')).toBeLessThan(at('dave'));
    expect(at('dave')).toBeLessThan(at('ci:shop'));
    expect(rows[at('dave')]).toContain('no valid key');
    expect(rows[at('carol')]).toContain('ends in 3d');
    expect(rows[at('bob (you)')]).not.toMatch(/valid|ends/);
  });

  test('drops the answer to a former question', () => {
    const driver = looking().press('escape', '4');
    driver.finish({ type: 'enrolled', number: 1, enrolled: { people: [], submitters: [] } });
    driver.finish({ type: 'notEnrolled', number: 1, message: label`old`, hint: label`old` });
    expect(driver.state.people).toMatchObject({ isWaiting: true, failure: null });
    expect(driver.state.people.entries).toHaveLength(7);
  });

  test('keeps the selection with its entry, and goes to what stands in its place where that is gone (A4)', () => {
    const driver = looking().press('j');
    expect(driver.state.people.selected).toEqual({ of: 'people', name: 'carol' });
    const people = [person('aaron'), ...ENROLLED.people];
    driver.press('escape', '4').finish({ type: 'enrolled', number: 2, enrolled: { ...ENROLLED, people } });
    expect(driver.state.people.selected).toEqual({ of: 'people', name: 'carol' });
    driver.press('enter', 'escape', 'escape', '4', 'enter');
    const without = people.filter(({ name }) => name !== 'carol');
    driver.finish({ type: 'enrolled', number: 3, enrolled: { ...ENROLLED, people: without } });
    expect(driver.state.people.selected).toEqual({ of: 'people', name: 'dave' });
    expect(driver.state.people.openedTop).toBeNull();
  });

  test('tells a person from a submitter of the same name', () => {
    const enrolled = { people: [person('bob')], submitters: [submitter('bob')] };
    const driver = looking(enrolled).press('j', 'enter');
    expect(shown(driver)).toContain('signs no approval');
    driver.press('escape', 'k', 'enter');
    expect(shown(driver)).toContain('that is you');
  });

  test('keeps the selected row on the screen, and the heading over the first one', () => {
    const people = Array.from({ length: 40 }, (_, n) => person(`p${String(n).padStart(2, '0')}`));
    const driver = looking({ people, submitters: [] }, 15).press('G');
    expect(shown(driver)).toContain('▸ p39');
    driver.press('g');
    expect(shown(driver)).toMatch(/People: 40.*\n.*▸ p00/);
  });

  test('says of an entry which change of it waits for others', () => {
    const driver = looking().put(change(3, 'person carol'), change(4, 'person bob', { state: 'denied' }));
    const rows = shown(driver).split('\n');
    expect(rows.filter((row) => row.includes('▲ change waits'))).toEqual([expect.stringContaining('carol')]);
    driver.press('j', 'enter', 'G');
    expect(shown(driver)).toContain(sampleId(3));
  });

  test('marks no change that a submitter only claims to be of the broker (A37)', () => {
    const driver = looking().put(change(3, 'person carol', { submitter: 'web-1' as Name }));
    expect(shown(driver)).not.toContain('change waits');
  });

  test('decides nothing, whatever is pressed', () => {
    const driver = looking().press('a', 'd', 'f', 'R', 'enter', 'a', 'd', 'R');
    expect(driver.decisions).toEqual([]);
    expect(driver.state.opened).toBeNull();
  });
});
