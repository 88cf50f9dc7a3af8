import { expect, onTestFinished, test, vi } from 'vitest';
import { InMemoryQueue } from './in-memory-queue.js';
import { earlier, pending } from './sample-queue.js';
import { screenshotSvg } from './screenshot-svg.js';
import { TerminalScreen } from './terminal-screen.js';

vi.hoisted(() => {
  // Ink asks for it once, when it is imported.
  process.env.FORCE_COLOR = '1';
});

const SIZE = { columns: 120, rows: 40 } as const;

/** The pictures of the README: `vitest run --project unit test/components/screenshots.test.ts -u` draws them anew. */
test('the pictures of the README show the console as it is', async () => {
  const screen = new TerminalScreen(new InMemoryQueue([...pending, ...earlier]), SIZE);
  onTestFinished(() => screen.leave());
  const expectPicture = (name: string, title: string) =>
    expect(screenshotSvg(screen.drawnRuns(), SIZE.columns, title)).toMatchFileSnapshot(
      `../../docs/${name}.svg`,
    );
  await screen.waitForContent('Preview: ');
  await screen.openFirstRow();
  await screen.letItSettle().waitForContent('read to the end');
  await expectPicture('console', 'The queue at the left, and the request that is being read at the right');
  await screen.readToTheEnd();
  screen.letItSettle().press('a');
  await screen.waitForContent('[ Sign approval ]');
  await screen.letItSettle().waitForContent('Enter cancels');
  await expectPicture('confirm', 'The step before an approval is signed, with the focus on Cancel');
});
