import { describe, expect, onTestFinished, test } from 'vitest';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest } from '../sample-requests.js';
import { TerminalScreen } from '../terminal-screen.js';

const SIZES = [
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
] as const;

describe.each(SIZES)('the palette on a terminal of $columns x $rows', (size) => {
  const typing = async (typed: string) => {
    const screen = new TerminalScreen(new InMemoryQueue([sampleRequest()]), size);
    onTestFinished(() => screen.leave());
    await screen.waitForContent('1 pending');
    await screen.pressAndWaitForChange(':');
    screen.send(typed);
    await screen.waitForContent(`${typed}▏`);
    return screen;
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`../golden/${name}-${size.columns}x${size.rows}.txt`);

  test('what fits, what it would act on, and the one that Enter runs', async () => {
    await expectGolden(await typing('deny'), 'palette');
  });

  test('a name that there is not, and the nearest one', async () => {
    await expectGolden(await typing('hisotry'), 'palette-nothing');
  });
});
