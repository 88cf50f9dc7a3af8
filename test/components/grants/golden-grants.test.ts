import { describe, expect, test } from 'vitest';
import { GOLDEN_SIZES, hostileName, openTerminal } from '../golden-terminal.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest } from '../sample-requests.js';
import type { TerminalScreen } from '../terminal-screen.js';
import { grants, sampleGrant, told } from './sample-grants.js';

const HOSTILE = hostileName('granted');

describe.each(GOLDEN_SIZES)('on a terminal of $columns x $rows', (size) => {
  const look = async (requests = [sampleRequest(), ...grants], reply = told) => {
    const connection = new InMemoryQueue(requests);
    connection.tellOfGrants(reply);
    const screen = openTerminal(connection, size);
    await screen.waitForContent('● live');
    screen.press('3');
    await screen.waitForContent('3 Grants');
    return screen;
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`golden/${name}-${size.columns}x${size.rows}.txt`);

  test('the grants: how long they live, how much they were used, and what the selected one covers', async () => {
    const screen = await look();
    await screen.waitForContent('watched as of');
    await screen.pressAndWaitForChange('j');
    await expectGolden(screen, 'grants');
  });

  test('what a door watches, and what revoking it would end', async () => {
    const screen = await look();
    await screen.waitForContent('watched as of');
    await screen.pressAndWaitForChange('G');
    await expectGolden(screen, 'grants-watched');
  });

  test('the step before a grant is taken back', async () => {
    const screen = await look();
    await screen.waitForContent('watched as of');
    screen.letItSettle().press('R');
    await screen.waitForContent('[ Cancel ]');
    await screen.letItSettle().waitForContent('Enter cancels');
    await expectGolden(screen, 'grants-revoke');
  });

  test('no grants at all', async () => {
    const screen = await look([sampleRequest()], { uses: [], watched: [], more: 0 });
    await screen.waitForContent('No grant is in force');
    await expectGolden(screen, 'grants-none');
  });

  test('hostile text in what a grant covers (A1, A37)', async () => {
    const screen = await look(
      [
        sampleGrant({
          document: { resource: 'w\u0435b-1', details: { [HOSTILE]: HOSTILE }, context: { reason: HOSTILE } },
        }),
      ],
      { uses: [], watched: [], more: 0 },
    );
    await screen.waitForContent('2/10');
    await screen.waitForContentToGo('asking the broker');
    await expectGolden(screen, 'grants-hostile');
    expect(screen.written).not.toMatch(/\u202e|\u200b|\u001b\]0;/);
  });
});
