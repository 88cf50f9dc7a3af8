import { describe, expect, test } from 'vitest';
import type { ExplanationReply } from '../../../src/protocol/explanation.js';
import type { Name } from '../../../src/protocol/names.js';
import type { PolicyReply } from '../../../src/protocol/policy-messages.js';
import { GOLDEN_SIZES, hostileName, openTerminal } from '../golden-terminal.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest } from '../sample-requests.js';
import type { TerminalScreen } from '../terminal-screen.js';
import { explanation, POLICY, rule } from './sample-policy.js';

const HOSTILE = hostileName('approved');

describe.each(GOLDEN_SIZES)('on a terminal of $columns x $rows', (size) => {
  const show = async (reply: PolicyReply = POLICY, told: ExplanationReply = explanation()) => {
    const connection = new InMemoryQueue([sampleRequest()]);
    connection.ruleWith(
      async () => reply,
      async () => told,
    );
    const screen = openTerminal(connection, size);
    await screen.waitForContent('● live');
    return screen.letItSettle();
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`../golden/${name}-${size.columns}x${size.rows}.txt`);

  test('the policy: what is in force, and why the file is not', async () => {
    const screen = await show();
    screen.press('5');
    await screen.waitForContent('Policy in force');
    await expectGolden(screen, 'policy');
    screen.press('G');
    await screen.waitForContent('its command fails');
    await expectGolden(screen, 'policy-end');
  });

  test('no policy file: the one rule that is for everything', async () => {
    const screen = await show({ policy: null, order: [{ line: 0, rule: rule() }], groups: [] });
    screen.press('5');
    await screen.waitForContent('No policy file');
    await expectGolden(screen, 'policy-none');
  });

  test('why a request came under its rule, and who could sign', async () => {
    const screen = await show();
    screen.press('w');
    await screen.waitForContent('Explained');
    await expectGolden(screen, 'policy-explained');
  });

  test('hostile text in rules, groups and what they looked at (A1, A37)', async () => {
    const name = HOSTILE as Name;
    const text = rule({ name: HOSTILE, when: HOSTILE, ticket: HOSTILE });
    const screen = await show(
      {
        ...POLICY,
        order: [{ line: 1, rule: text }],
        groups: [{ name: HOSTILE, source: HOSTILE, members: [name] }],
      },
      explanation({
        rule: text,
        tried: [
          {
            name: HOSTILE,
            line: 1,
            outcome: 'no-answer',
            parts: [{ text: HOSTILE, holds: null, failure: HOSTILE, looked: [HOSTILE] }],
          },
        ],
        people: [{ name, groups: [HOSTILE], signed: null, why: HOSTILE }],
        missing: [HOSTILE],
      }),
    );
    screen.press('5');
    await screen.waitForContent('Policy in force');
    await screen.pressAndWaitForChange('w');
    await screen.waitForContent('Explained');
    await expectGolden(screen, 'policy-hostile');
    expect(screen.written).not.toMatch(/\u202e|\u200b|\u001b\]0;/);
  });
});
