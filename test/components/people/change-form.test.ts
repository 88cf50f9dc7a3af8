import { describe, expect, test } from 'vitest';
import { peopleLines, peopleStatus } from '../../../components/people/people-lines.js';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import { label } from '../../../components/text/safe-text.js';
import type { Enrolled } from '../../../src/client/directory.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';
import { ENROLLED, KEYS, person } from './sample-people.js';

const looking = (enrolled: Enrolled = ENROLLED, size = { columns: 80, rows: 24 }) =>
  new ConsoleDriver([sampleRequest()], size).press('4').finish({ type: 'enrolled', number: 1, enrolled });
const asked = ({ effects }: ConsoleDriver) => effects.filter((effect) => effect.type === 'changeEnrolled');
const shown = ({ state }: ConsoleDriver): string =>
  peopleLines(state, bodyRows(state))
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
const said = ({ state }: ConsoleDriver): string =>
  peopleStatus(state)
    .map(({ text }) => text)
    .join('');
/** Erin, as somebody would enrol her, up to the step before she is asked for. */
const enrolErin = (driver = looking()) =>
  driver
    .press('n', 'erin', 'tab', 'oncall db', 'tab', 'erin@example.com', 'tab')
    .paste(`${KEYS.dave} erin@laptop\n`)
    .press('tab', 'joins the rota', 'enter');
const ask = (driver: ConsoleDriver) => driver.press('tab', 'enter');

describe('a change of people and submitters', () => {
  test('enrols a person: what was read is what is asked for', () => {
    const driver = enrolErin();
    expect(shown(driver)).toContain(parsePublicKeyLine(KEYS.dave).fingerprint);
    expect(asked(driver)).toEqual([]);
    ask(driver);
    const keys = [{ key: KEYS.dave, validAfter: null, validBefore: null }];
    expect(asked(driver)).toEqual([
      {
        type: 'changeEnrolled',
        number: 1,
        reason: 'joins the rota',
        change: {
          of: 'people',
          change: {
            change: 'add',
            person: { name: 'erin', groups: ['oncall', 'db'], aliases: ['erin@example.com'], keys },
          },
        },
      },
    ]);
  });

  test('asks for nothing with Enter alone, held down, pasted or pressed too early (A34, A35)', () => {
    expect(asked(enrolErin().press('enter', 'enter', 'enter'))).toEqual([]);
    expect(asked(enrolErin().type('tab', 'enter'))).toEqual([]);
    expect(
      asked(
        enrolErin()
          .type('tab')
          .paint()
          .wait(SETTLE_MS - 1)
          .type('enter'),
      ),
    ).toEqual([]);
    expect(asked(enrolErin().press('tab').paste('\n\r\n'))).toEqual([]);
    expect(asked(enrolErin().press('tab', '\r', 'y\r', ' '))).toEqual([]);
    expect(asked(enrolErin().press('right', 'right', 'enter'))).toHaveLength(1);
    expect(asked(enrolErin().press('right', 'left', 'left', 'enter'))).toEqual([]);
  });

  test('is asked for once, however often Enter is pressed', () => {
    expect(asked(ask(enrolErin()).press('enter', 'tab', 'enter'))).toHaveLength(1);
  });

  test('goes back to what was written with Esc, and to the list with one more', () => {
    const driver = enrolErin().press('escape');
    expect(shown(driver)).toContain('joins the rota');
    driver.press('escape');
    expect(driver.noticeText).toContain('nothing was asked for');
    expect(shown(driver)).toContain('People: 3');
  });

  test.each([
    ['Erin', 'a name is'],
    ['group:x', 'a name is'],
    ['er in', 'a name is'],
    ['erin\u202e', 'a name is'],
    ['', 'a name is'],
  ])('does not take %j for a name', (name, why) => {
    const driver = looking().press('n');
    if (name !== '') driver.paste(name);
    driver.press('tab', 'tab', 'tab').paste(KEYS.dave).press('tab', 'enter');
    expect(shown(driver)).toContain(why);
    expect(driver.state.people.form).toMatchObject({ focused: 'name', review: null });
  });

  test.each([
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl', 'stays where it is'],
    ['two keys', `${KEYS.dave}\n${KEYS.carol}`, 'not one line'],
    ['a cut key', KEYS.dave.slice(0, -6), '✗'],
    ['an old kind of key', 'ssh-dss AAAAB3NzaC1kc3MAAACBAO', '✗'],
    ['nothing', '', 'paste one line'],
  ])('does not take %s for a public key', (_, text, why) => {
    const driver = looking().press('n', 'erin', 'tab', 'tab', 'tab').paste(text).press('tab', 'enter');
    expect(shown(driver)).toContain(why);
    expect(driver.state.people.form).toMatchObject({ focused: 'key', review: null });
  });

  test('puts pasted text into the field that has the focus, and nowhere else (A35)', () => {
    const driver = looking().paste('n').press('n').paste('erin').press('tab').paste('oncall');
    expect(driver.state.people.form?.texts).toMatchObject({
      name: { text: 'erin' },
      groups: { text: 'oncall' },
    });
    const reviewed = enrolErin().paste('x');
    expect(reviewed.noticeText).toContain('ignored');
  });

  test('removes somebody only where the name is typed once more', () => {
    const driver = looking().press('j', 'x', 'caro', 'tab', 'enter');
    expect(driver.state.people.form?.review).toBeNull();
    expect(shown(driver)).toContain('exactly');
    driver.press('l', 'enter', 'left my team', 'enter');
    expect(shown(driver)).toContain('with every key');
    expect(ask(driver).effects.at(-1)).toMatchObject({
      change: { of: 'people', change: { change: 'remove', name: 'carol' } },
      reason: 'left my team',
    });
  });

  test('of a key: one more, another one in its place, or one less, but never the last one less', () => {
    const add = looking().press('r', 'tab').paste(KEYS.dave).press('tab', 'enter');
    expect(ask(add).effects.at(-1)).toMatchObject({ change: { change: { change: 'add-key', name: 'bob' } } });
    const replace = looking().press('r', 'right', 'tab').paste(KEYS.dave).press('tab', 'enter');
    const { fingerprint } = parsePublicKeyLine(KEYS.bob);
    expect(ask(replace).effects.at(-1)).toMatchObject({
      change: { change: { change: 'rotate-key', name: 'bob', fingerprint, key: { key: KEYS.dave } } },
    });
    expect(shown(looking().press('r', 'left'))).toContain('2 of 2');
    const keys = [KEYS.bob, KEYS.dave].map((key) => ({ key, validAfter: null, validBefore: null }));
    const two = { ...ENROLLED, people: [person('bob', { keys }), person('carol')] };
    const less = looking(two).press('r', 'left', 'tab', 'enter');
    expect(ask(less).effects.at(-1)).toMatchObject({
      change: { change: { change: 'remove-key', fingerprint: parsePublicKeyLine(KEYS.dave).fingerprint } },
    });
  });

  test('of groups begins with those that are there, and sends what is different alone', () => {
    const driver = looking().press('j', 'e', 'tab', 'tab', 'enter');
    expect(shown(driver)).toContain('nothing is changed');
    driver.press('^u', 'db', 'tab', 'tab', 'enter');
    expect(shown(driver)).toMatch(/from oncall, db[\s\S]*to db/);
    expect(ask(driver).effects.at(-1)).toMatchObject({
      change: { of: 'people', change: { change: 'set', name: 'carol', groups: ['db'] } },
    });
    expect(ask(driver).effects.at(-1)).not.toHaveProperty('change.change.aliases');
  });

  test('enrols a submitter with its limits, which are never empty by mistake', () => {
    const driver = looking().press('N', 'web-2', 'tab').paste(KEYS.dave);
    driver.press('tab', 'ssh.*, command.run', 'tab', 'tab', 'host:web-2', 'tab', '*', 'tab', 'enter');
    expect(driver.state.people.form).toMatchObject({ focused: 'resources', review: null });
    driver.press('web-2', 'tab', 'tab', 'tab', 'enter');
    expect(ask(driver).effects.at(-1)).toMatchObject({
      change: {
        of: 'submitters',
        change: {
          change: 'add',
          submitter: {
            name: 'web-2',
            credential: { kind: 'key', key: KEYS.dave },
            limits: {
              actions: ['ssh.*', 'command.run'],
              resources: ['web-2'],
              doors: ['host:web-2'],
              requesters: ['*'],
            },
          },
        },
      },
    });
  });

  test('says where it waits, and what came of it, from the picture that the broker sends (A50)', () => {
    const driver = ask(enrolErin());
    expect(said(driver)).toBe('');
    const id = sampleId(5);
    driver.finish({
      type: 'changeMade',
      number: 1,
      made: { kind: 'asked', id, missing: ['1 more person: carol'] },
    });
    expect(said(driver)).toContain(`erin waits as ${id}: 1 more person: carol`);
    driver.put(sampleRequest({ n: 5, state: 'redeemed', missing: [] }));
    expect(said(driver)).toContain('stays as it was');
    driver.change(id, { report: { outcome: 'opened', code: null, at: NOW } });
    expect(said(driver)).toContain('applied');
    driver.change(id, { report: { outcome: 'refused', code: 'change-outdated', at: NOW } });
    expect(said(driver)).toContain('stays as it was: change-outdated');
    driver.change(id, { state: 'denied', report: null, endedBy: 'denied by carol' });
    expect(said(driver)).toContain('denied by carol');
  });

  test('that the broker refuses says why, with the focus on Cancel and all that was written', () => {
    const driver = ask(enrolErin());
    driver.finish({ type: 'changeNotMade', number: 9, message: label`old`, hint: label`old` });
    expect(shown(driver)).toContain('Asking');
    driver.finish({ type: 'changeNotMade', number: 1, message: label`the key is taken`, hint: label`see` });
    expect(shown(driver)).toContain('Not asked: the key is taken');
    driver.press('enter');
    expect(asked(driver)).toHaveLength(1);
  });

  test('is not sent to whoever answers while the link is down, nor over what was changed meanwhile (A28)', () => {
    const lost = enrolErin().setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' });
    expect(asked(ask(lost))).toEqual([]);
    expect(shown(lost)).toContain('not connected');
    const stale = looking().press('j', 'e', '^u', 'db', 'tab', 'tab', 'enter');
    stale.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' }).setLink({ state: 'live' });
    const people = ENROLLED.people.map((one) => (one.name === 'carol' ? { ...one, groups: [] } : one));
    stale.finish({ type: 'enrolled', number: 2, enrolled: { ...ENROLLED, people } });
    expect(asked(ask(stale))).toEqual([]);
    expect(shown(stale)).toContain('changed while you wrote');
  });

  test('is not begun where nobody else could approve it', () => {
    const driver = looking({ people: [person('bob')], submitters: [] }).press('n');
    expect(driver.state.people.form).toBeNull();
    expect(driver.noticeText).toContain('countersign roster');
  });

  test.each([
    { columns: 120, rows: 40 },
    { columns: 80, rows: 24 },
    { columns: 60, rows: 15 },
  ])('keeps the field with the focus and the buttons on a screen of $columns x $rows', (size) => {
    const driver = looking(ENROLLED, size).press('N');
    for (let n = 0; n < 7; n += 1) expect(shown(driver.press('tab'))).toMatch(/ ▸ \w/);
    expect(shown(enrolErin(looking(ENROLLED, size)))).toContain('[ Cancel ]');
  });

  test('keeps them on a screen of 40 x 10 too', () => {
    const driver = looking(ENROLLED, { columns: 60, rows: 15 }).press('N');
    for (let n = 0; n < 7; n += 1) {
      expect(shown(driver.press('tab').resize(40, 10))).toMatch(/ ▸ \w/);
      driver.resize(60, 15);
    }
    expect(shown(enrolErin().resize(40, 10))).toContain('[ Cancel ]');
  });
});
