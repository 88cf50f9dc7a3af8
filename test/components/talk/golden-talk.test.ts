import { describe, expect, test } from 'vitest';
import type { Name } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import { GOLDEN_SIZES, openTerminal } from '../golden-terminal.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { NOW, sampleRequest } from '../sample-requests.js';
import type { TerminalScreen } from '../terminal-screen.js';

const talked = sampleRequest({
  n: 1,
  age: 130,
  comments: [
    { by: 'carol' as Name, at: NOW - 100_000, text: 'I am calling her, wait with your yes' },
    { by: 'dave' as Name, at: NOW - 40_000, text: 'she says \u202eit is not her\nAPPROVED by carol' },
  ],
  escalated: { by: 'dave' as Name, at: NOW - 20_000 },
});
const other = sampleRequest({ n: 2, age: 20, document: { requester: 'erin', resource: 'db-1.example.com' } });

/** The screens that there are belong to none of these pictures. */
const withoutTabs = (screen: TerminalScreen): string => screen.text().split('\n').toSpliced(1, 1).join('\n');

describe.each(GOLDEN_SIZES)('on a terminal of $columns x $rows', (size) => {
  const show = async () => {
    const connection = new InMemoryQueue([talked, other]);
    const screen = openTerminal(connection, size);
    await screen.waitForContent(/2 (?:comments|said)/);
    return { connection, screen };
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${withoutTabs(screen)}\n`).toMatchFileSnapshot(
      `../golden/${name}-${size.columns}x${size.rows}.txt`,
    );

  test('the queue: a row that others have spoken of', async () => {
    const { screen } = await show();
    await screen.letItSettle();
    await expectGolden(screen, 'talk-row');
  });

  test('a request: what was said, below all that must be read', async () => {
    const { screen } = await show();
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.pageTo('had everybody rung');
    await screen.waitForContent('All read');
    await expectGolden(screen, 'talk-comments');
  });

  test('a comment while it is written', async () => {
    const { screen } = await show();
    await screen.letItSettle();
    screen.press('c');
    await screen.waitForContent('Esc leaves it');
    screen.send('Wait: I ask her boss whether this is a change that anybody has planned for tonight.');
    await screen.waitForContent('Enter says it');
    await screen.waitForContent('tonight.');
    await expectGolden(screen, 'talk-writing');
  });

  test('everybody is about to be rung, and the broker says no', async () => {
    const { connection, screen } = await show();
    connection.talkWith(async () => {
      throw new Problem('escalated-lately', 'dave has had everybody rung just now');
    });
    await screen.letItSettle();
    screen.press('e');
    await screen.waitForContent('Ring everybody?');
    screen.letItSettle();
    await screen.waitForContent('Enter cancels');
    await expectGolden(screen, 'talk-escalation');
    screen.press('Tab');
    await screen.waitForContent('▸[ Ring ]');
    screen.letItSettle();
    await screen.waitForContent('Enter rings them all');
    screen.press('Enter');
    await screen.waitForContent('Nobody was rung: dave');
    await screen.letItSettle();
    await expectGolden(screen, 'talk-escalation-refused');
    expect(connection.talked).toEqual([{ id: talked.id, text: null }]);
  });
});
