import { describe, expect, test } from 'vitest';
import { Problem } from '../../../src/protocol/problems.js';
import { GOLDEN_SIZES, openTerminal } from '../golden-terminal.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest, sampleRule } from '../sample-requests.js';
import type { TerminalScreen } from '../terminal-screen.js';

describe.each(GOLDEN_SIZES)('deciding on a terminal of $columns x $rows', (size) => {
  const show = (connection: InMemoryQueue) => {
    const screen = openTerminal(connection, size);
    return screen;
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`../golden/${name}-${size.columns}x${size.rows}.txt`);

  test('many denials: what is lacking, how far it is, and what stopped it', async () => {
    const flood = Array.from({ length: 30 }, (_, n) =>
      sampleRequest({
        n: n + 1,
        age: 250 - n,
        document: {
          resource: `web-${n}.example.com`,
          context: { reason: n === 3 ? 'looks\u202efine' : 'retry of the pipeline' },
        },
      }),
    );
    const connection = new InMemoryQueue(flood);
    const screen = show(connection);
    await screen.waitForContent('30 pending');
    screen.letItSettle().press('D');
    await screen.waitForContent('Deny 30 requests');
    await screen.waitForContent(/[1-9][0-9]? seen/);
    await screen.letItSettle().waitForContent('Enter cancels');
    await expectGolden(screen, 'bulk-denial');
    for (;;) {
      const [, seen] = /(\d+) seen/.exec(screen.text()) ?? [];
      if (seen === undefined) break;
      screen.press(' ');
      await screen.waitForContentToGo(`${seen} seen`);
    }
    for (const key of ['Tab', 'Tab', '3', '0', 'Enter', 'Tab']) await screen.pressAndWaitForChange(key);
    let fail: (error: Error) => void = () => {};
    connection.answerWith(() =>
      connection.decisions.length < 3
        ? Promise.resolve()
        : new Promise((_, reject) => {
            fail = reject;
          }),
    );
    await screen.letItSettle().waitForContent('Enter signs 30 denials');
    screen.press('Enter');
    await screen.waitForContent('Signing 3 of 30');
    await expectGolden(screen, 'bulk-denial-signing');
    fail(new Problem('signing-failed', 'the agent refused to sign'));
    await screen.waitForContent('Stopped with 2 signed');
    await screen.letItSettle().waitForContent('Enter cancels');
    await expectGolden(screen, 'bulk-denial-stopped');
  });

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
