import { describe, expect, test } from 'vitest';
import type { CanariesReply } from '../../../src/protocol/canary.js';
import type { Name } from '../../../src/protocol/names.js';
import { GOLDEN_SIZES, hostileName, openTerminal } from '../golden-terminal.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest } from '../sample-requests.js';
import type { TerminalScreen } from '../terminal-screen.js';
import { missedSome } from './sample-canaries.js';
import { figures } from './sample-statistics.js';

const HOSTILE = hostileName('granted');

describe.each(GOLDEN_SIZES)('on a terminal of $columns x $rows', (size) => {
  const look = async (told = figures, canaries: CanariesReply | null = null) => {
    const connection = new InMemoryQueue([sampleRequest()]);
    connection.countWith(async () => told);
    if (canaries !== null) connection.catchWith(async () => canaries);
    const screen = openTerminal(connection, size);
    await screen.waitForContent('● live');
    screen.press('7');
    await screen.waitForContent('7 Statistics');
    return screen;
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`golden/${name}-${size.columns}x${size.rows}.txt`);

  test('the statistics, from their beginning to their end', async () => {
    const screen = await look();
    await screen.waitForContent('since 2026-01-01');
    await expectGolden(screen, 'statistics');
    screen.press('G');
    await screen.waitForContent('deploys');
    await expectGolden(screen, 'statistics-end');
  });

  test('statistics of nothing', async () => {
    const screen = await look({ ...figures, asked: 0 });
    await screen.waitForContent('Nothing was asked');
    await expectGolden(screen, 'statistics-none');
  });

  test('how the reader did on canaries (A33)', async () => {
    const screen = await look(figures, missedSome);
    await screen.waitForContent('since 2026-01-01');
    if (size.rows < 24) screen.press(' ');
    await screen.waitForContent('you caught 9 of 12 in 90 days');
    await expectGolden(screen, 'statistics-canaries');
  });

  test('hostile names of approvers and rules (A1, A37)', async () => {
    const [first] = figures.approvers;
    const screen = await look({
      ...figures,
      approvers: first === undefined ? [] : [{ ...first, name: HOSTILE as Name }],
      rules: [{ rule: HOSTILE, asked: 3, approved: 2, denied: 1, expired: 0 }],
    });
    await screen.waitForContent('since 2026-01-01');
    screen.press('G');
    await screen.waitForContent('By rule');
    await expectGolden(screen, 'statistics-hostile');
    expect(screen.written).not.toMatch(/\u202e|\u200b|\u001b\]0;/);
  });
});
