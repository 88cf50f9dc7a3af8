import { describe, expect, onTestFinished, test } from 'vitest';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest, sampleRule } from '../sample-requests.js';
import { TerminalScreen } from '../terminal-screen.js';

const SIZES = [
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
] as const;

describe.each(SIZES)('deciding on a terminal of $columns x $rows', (size) => {
  const show = (connection: InMemoryQueue) => {
    const screen = new TerminalScreen(connection, size);
    onTestFinished(() => screen.leave());
    return screen;
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`../golden/${name}-${size.columns}x${size.rows}.txt`);

  test('a rule that has the resource typed and wants a reason: what is still lacking, and then nothing', async () => {
    const rule = sampleRule({ confirm: { resource: true, reason: 12 } });
    const screen = show(new InMemoryQueue([sampleRequest({ rule })]));
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    screen.letItSettle().press('a');
    await screen.waitForContent('type the resource');
    for (const key of 'web-') await screen.pressAndWaitForChange(key);
    await expectGolden(screen, 'confirm-friction');
    for (const key of [...'1.example.com', 'Enter']) await screen.pressAndWaitForChange(key);
    await screen.waitForContent('say why in the comment');
    for (const key of [...'as in INC-4312', 'Enter', 'Tab']) await screen.pressAndWaitForChange(key);
    await screen.letItSettle().waitForContent('Enter signs the approval');
    await expectGolden(screen, 'confirm-friction-typed');
  });
});
