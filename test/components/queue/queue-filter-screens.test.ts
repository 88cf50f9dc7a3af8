import { describe, expect, onTestFinished, test } from 'vitest';
import type { Name } from '../../../src/protocol/names.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest } from '../sample-requests.js';
import { TerminalScreen } from '../terminal-screen.js';

const SIZES = [
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
] as const;

const ask = (n: number, requester: string, resource: string) =>
  sampleRequest({ n, age: 200 - n, document: { requester: requester as Name, resource } });
const asks = [
  ask(1, 'alice', 'web-1.example.com'),
  ask(2, 'mallory', 'db-1.example.com'),
  ask(3, 'alice', 'web-2.example.com'),
  ask(4, 'carol', 'orders'),
];

describe.each(SIZES)('the filter of the queue on a terminal of $columns x $rows', (size) => {
  const show = async () => {
    const screen = new TerminalScreen(new InMemoryQueue(asks), size);
    onTestFinished(() => screen.leave());
    await screen.waitForContent('4 pending');
    await screen.pressAndWaitForChange('/');
    return screen;
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`../golden/${name}-${size.columns}x${size.rows}.txt`);
  const type = async (screen: TerminalScreen, filter: string) => {
    screen.send(filter);
    await screen.waitForContent(`${filter}▏`);
  };

  test('while it is written', async () => {
    const screen = await show();
    await type(screen, 'requester:al');
    await expectGolden(screen, 'queue-filter-written');
  });

  test('in force: what it hides is counted', async () => {
    const screen = await show();
    await type(screen, 'requester:alice');
    screen.press('Enter');
    await screen.waitForContent('2 of 4 pending hidden');
    await expectGolden(screen, 'queue-filter');
  });

  test('that fits nobody', async () => {
    const screen = await show();
    await type(screen, 'requester:dave');
    screen.press('Enter');
    await screen.waitForContent('Nobody who fits');
    await expectGolden(screen, 'queue-filter-nobody');
  });

  test('that is refused', async () => {
    const screen = await show();
    await type(screen, 'requestor:alice');
    screen.press('Enter');
    await screen.waitForContent('did you mean');
    await expectGolden(screen, 'queue-filter-refused');
  });
});
