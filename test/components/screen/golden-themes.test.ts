import { describe, expect, test, vi } from 'vitest';
import { unreadLines } from '../../../components/deciding/obstacles.js';
import { paintedTerminal } from '../../../components/screen/terminal-painter.js';
import { type Display, THEME_NAMES, type ThemeName } from '../../../src/client/display.js';
import type { Digest } from '../../../src/protocol/names.js';
import { AnsweringDriver } from '../answering-driver.js';
import { grants } from '../grants/sample-grants.js';
import { sinks } from '../outbox/sample-outbox.js';
import { earlier, failover, flood, hostile, migration, pending } from '../sample-queue.js';
import { NOW } from '../sample-requests.js';
import { styledText } from '../styled-text.js';
import { ENTER, MemoryTerminal } from './memory-terminal.js';
import { screenLines } from './whole-screen.js';

vi.hoisted(() => {
  // They are asked for once, by what is imported.
  delete process.env.NO_COLOR;
  process.env.FORCE_COLOR = '2';
});

const SIZE = { columns: 80, rows: 24 } as const;
const display: Display = { zone: 'UTC', profile: { name: 'production', colour: 'red' } };

const at = (requests = [...pending, ...grants, ...earlier]) =>
  new AnsweringDriver(undefined, { ...SIZE, display }, requests);
function read(driver: AnsweringDriver): AnsweringDriver {
  driver.press('enter');
  while (unreadLines(driver.state) > 0) driver.press(' ');
  return driver;
}

/** The main states, each on a console of its own. */
const STATES: Readonly<Record<string, () => AnsweringDriver>> = {
  'the queue': () => at().press('j'),
  'nobody waits': () => at([]),
  'a request': () => at().press('enter'),
  'the step before it is signed': () => read(at([failover])).press('a'),
  'a grant is chosen, and Sign has the focus': () =>
    read(at([migration])).press('a', 'tab', 'tab', ' ', 'tab', 'tab', 'tab'),
  'the link is gone': () =>
    at().setLink({
      state: 'stale',
      since: NOW - 40_000,
      retryAt: NOW + 8000,
      reason: 'the broker closed the connection',
    }),
  'the broker refuses': () =>
    at().setLink({
      state: 'refused',
      reason: 'the key of bob is not enrolled any more',
      hint: 'ask another approver to enrol it: countersign roster add',
    }),
  'the document is not the one of its digest': () =>
    at([{ ...failover, digest: `sha256:${'ab'.repeat(32)}` as Digest }]).press('enter'),
  'hostile text': () => at([hostile]).press('enter', ' '),
  'a flood': () => at([...flood, ...pending]).press('j', 'j'),
  'many denials': () => at(flood.slice(0, 12)).press('D', 'tab', 'tab', '1', '2', 'enter', 'tab'),
  'the help': () => at().press('?'),
  'the palette': () => at().press(':', 'g', 'r'),
  'the history': () => at().press('2', 'j'),
  'a filter is refused': () => at().press('2', '/', ...'persn:bob', 'enter'),
  'the grants': () => at().press('3', 'j'),
  'the people': () => at().press('4', 'j'),
  'a change with a mistake': () =>
    at().press('4', 'n').paste('Erin').press('tab', 'tab', 'tab', 'tab', 'enter'),
  'the policy': () => at().press('5'),
  'a request explained': () => at().press('w'),
  'the outbox': () => at().setOutbox(sinks).press('6'),
  'a letter is dropped': () => at().setOutbox(sinks).press('6', 'x', 'tab'),
  'the statistics': () => at().press('7'),
};

/** What such a console shows, as a terminal draws it. */
async function drawn({ state }: AnsweringDriver, theme: ThemeName): Promise<string> {
  const screen = new MemoryTerminal(state.size.columns, state.size.rows);
  const { terminal, paint } = paintedTerminal(screen.stream, () => {});
  terminal.write(ENTER);
  paint(screenLines(state), theme);
  return styledText(await screen.drawn());
}

/** Without the names of the screens and the keys, which are no matter of looks and change with every new one. */
const withoutKeys = (screen: string): string =>
  screen
    .split('\n')
    .slice(0, -1)
    .filter((line) => !line.includes('1 Queue'))
    .join('\n')
    .trimEnd();

describe.each(THEME_NAMES)('the theme %s', (theme) => {
  test('draws every main state in its colours', async () => {
    const pages: string[] = [];
    for (const [title, state] of Object.entries(STATES)) {
      pages.push(`═══ ${title}`, withoutKeys(await drawn(state(), theme)));
    }
    await expect(`${pages.join('\n')}\n`).toMatchFileSnapshot(`../golden/themes/${theme}.txt`);
  });
});
