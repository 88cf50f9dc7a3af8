import { describe, expect, test } from 'vitest';
import type { ConsoleState } from '../../../components/state/console-state.js';
import { fitLine, lineWidth } from '../../../components/text/line.js';
import { label } from '../../../components/text/safe-text.js';
import { AnsweringDriver, type Answers, fullBroker } from '../answering-driver.js';
import { sinks } from '../outbox/sample-outbox.js';
import { groupChange, KEYS } from '../people/sample-people.js';
import { flood } from '../sample-queue.js';
import { lineText, screenLines } from './whole-screen.js';

const SIZES = [
  { columns: 60, rows: 15 },
  { columns: 40, rows: 10 },
] as const;

const silent: Answers = () => null;
const refusing: Answers = (asked) =>
  asked.type === 'changeEnrolled'
    ? {
        type: 'changeNotMade',
        number: asked.number,
        message: label`the key belongs to bob`,
        hint: label`take another`,
      }
    : fullBroker(asked);

/** The position of a window at the end of its lines. */
const END = /–(\d+)(?:\/| of )\1$/m;

/** The screen in a frame, so that one sees where it ends. */
function framed(title: string, { state }: AnsweringDriver): string {
  const { columns, rows } = state.size;
  const lines = screenLines(state);
  expect(lines).toHaveLength(rows);
  for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(columns);
  const text = lines.map(
    (line) =>
      `│${fitLine(line, columns)
        .map((part) => part.text)
        .join('')}│`,
  );
  const edge = '─'.repeat(columns);
  return [title, `┌${edge}┐`, ...text, `└${edge}┘`, ''].join('\n');
}

const onScreen = (driver: AnsweringDriver): string => screenLines(driver.state).map(lineText).join('\n');

describe.each(SIZES)('on a terminal of $columns x $rows', (size) => {
  const at = (screen: string, answers: Answers = fullBroker): AnsweringDriver =>
    new AnsweringDriver(answers, size).setOutbox(screen === '6' ? sinks : []).press(screen);
  /** One file a screen, its states one below the other. */
  const expectGolden = (name: string, ...states: readonly string[]) =>
    expect(states.join('\n')).toMatchFileSnapshot(`../golden/small/${name}-${size.columns}x${size.rows}.txt`);

  test('the history: what was asked, by whom and how it ended', async () => {
    const driver = at('2');
    await expectGolden(
      'history',
      framed('the newest', driver),
      framed('three further down', driver.press('j', 'j', 'j')),
      framed('one of them opened', driver.press('enter')),
      framed('the filter is written', driver.press('escape', '/', ...'state:den')),
      framed('nothing was answered yet', at('2', silent)),
    );
  });

  test('the grants: for whom they are, on what, and how long they live', async () => {
    const driver = at('3');
    await expectGolden(
      'grants',
      framed('the newest', driver),
      framed('the second', driver.press('j')),
      framed('what a door watches', driver.press('G')),
      framed('the step before it is ended', driver.press('R')),
      framed('a grant opened', driver.press('escape', 'escape', 'g', 'enter')),
      framed('nothing was answered yet', new AnsweringDriver(silent, size, []).press('3')),
    );
  });

  test('the people: names in full, and what is wrong with their keys', async () => {
    const driver = at('4').put(groupChange);
    await expectGolden(
      'people',
      framed('the first', driver),
      framed('the last submitter', driver.press('G')),
      framed('a submitter in full', driver.press('enter')),
      framed('its end', driver.press('G')),
      framed('a person in full', driver.press('escape', 'g', 'j', 'enter')),
      framed('its end', driver.press('G')),
      framed('nothing was answered yet', at('4', silent)),
    );
  });

  test('a change of the people: what is written, and what will be asked for', async () => {
    const driver = at('4', refusing);
    const forms = [framed('a new form', driver.press('n'))];
    driver.paste('Erin').press('tab').paste('oncall').press('tab', 'tab').paste(KEYS.dave);
    forms.push(framed('its key is written', driver));
    forms.push(framed('the last field', driver.press('tab')));
    forms.push(framed('a mistake', driver.press('enter')));
    driver.press('^u').paste('erin').press('tab', 'tab', 'tab', 'tab');
    forms.push(framed('what will be asked for', driver.press('enter')));
    forms.push(framed('its end', driver.press('G')));
    forms.push(framed('refused', driver.press('tab', 'enter')));
    forms.push(framed('a key of a person', driver.press('escape', 'escape', 'j', 'r', 'right')));
    forms.push(framed('a submitter is removed', driver.press('escape', 'G', 'x')));
    await expectGolden('people-change', ...forms);
  });

  test('many denials: what is listed, and buttons that are whole', async () => {
    const driver = new AnsweringDriver(silent, size, flood.slice(0, 12)).press('D');
    const pages = [framed('the oldest', driver)];
    driver.press(' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ');
    pages.push(framed('all were looked at, and the number is typed', driver.press('1', '2', 'enter', 'tab')));
    await expectGolden('bulk-denial', ...pages);
  });

  test('the policy, page by page', async () => {
    const driver = at('5');
    const pages = [framed('the file', driver)];
    for (let page = 2; page <= 3; page += 1) pages.push(framed(`page ${page}`, driver.press(' ')));
    pages.push(framed('its end', driver.press('G')));
    driver.press('1', 'w');
    pages.push(framed('a request explained', driver), framed('its end', driver.press('G')));
    await expectGolden('policy', ...pages);
  });

  test('the outbox: what was not delivered, to whom and why', async () => {
    const driver = at('6');
    await expectGolden(
      'outbox',
      framed('the first letter', driver),
      framed('the third', driver.press('j', 'j')),
      framed('the step before it is dropped', driver.press('x')),
      framed('the letters are not known yet', at('6', silent)),
    );
  });

  test('the statistics, page by page', async () => {
    const driver = at('7');
    const pages = [framed('the beginning', driver)];
    while (!END.test(onScreen(driver))) pages.push(framed('further', driver.press(' ')));
    await expectGolden('statistics', ...pages);
  });

  test.each(['2', '3', '4', '5', '6', '7'])('the way back from screen %s is always told', (screen) => {
    const driver = at(screen);
    expect(onScreen(driver)).toContain('Esc back');
    for (const key of ['enter', 'n', 'r', 'x']) {
      driver.press(key);
      expect(onScreen(driver)).toContain('Esc back');
      driver.press('escape');
      if (driver.state.screen === 'queue') driver.press(screen);
    }
  });

  test.each([
    ['history', '2', ({ history }: ConsoleState) => history.search?.selected],
    ['grants', '3', ({ grants }: ConsoleState) => grants.selected],
    ['people', '4', ({ people }: ConsoleState) => people.selected?.name],
    ['outbox', '6', ({ outbox }: ConsoleState) => outbox.selected?.event],
  ] as const)(
    'the selection of the %s stays, and on the screen, whatever the size becomes',
    (_, key, selected) => {
      const driver = new AnsweringDriver(fullBroker, { columns: 120, rows: 40 }).setOutbox(sinks);
      const before = selected(driver.press(key, 'j', 'j', 'j').state);
      expect(before).toBeDefined();
      for (const { columns, rows } of [
        size,
        { columns: 39, rows: 9 },
        size,
        { columns: 120, rows: 40 },
        size,
      ]) {
        driver.resize(columns, rows).paint();
        expect(selected(driver.state)).toBe(before);
        if (columns >= 40) expect(onScreen(driver)).toContain(' ▸ ');
      }
    },
  );

  test.each(['5', '7'])('on a larger terminal the end of screen %s fills it', (screen) => {
    const driver = at(screen).press('G').resize(80, 24).paint();
    expect(onScreen(driver)).toMatch(END);
  });
});
