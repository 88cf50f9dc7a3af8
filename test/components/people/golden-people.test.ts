import { describe, expect, test } from 'vitest';
import type { Enrolled } from '../../../src/client/directory.js';
import type { Name } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import { GOLDEN_SIZES, hostileName, openTerminal } from '../golden-terminal.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest } from '../sample-requests.js';
import type { TerminalScreen } from '../terminal-screen.js';
import { ENROLLED, groupChange, KEYS, person } from './sample-people.js';

const HOSTILE = hostileName('approved');

describe.each(GOLDEN_SIZES)('on a terminal of $columns x $rows', (size) => {
  const people = async (enrolled: () => Promise<Enrolled>) => {
    const connection = new InMemoryQueue([sampleRequest(), groupChange]);
    connection.enrolWith(enrolled);
    connection.makeWith(() => Promise.reject(new Problem('roster-conflict', 'the key belongs to bob')));
    const screen = openTerminal(connection, size);
    await screen.waitForContent('● live');
    screen.press('4');
    await screen.waitForContent('4 People');
    return screen;
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`../golden/${name}-${size.columns}x${size.rows}.txt`);

  test('people and submitters: groups, keys, and what waits for others', async () => {
    const screen = await people(async () => ENROLLED);
    await screen.waitForContent('Submitters: 4');
    await screen.pressAndWaitForChange('j');
    await expectGolden(screen, 'people');
  });

  test('a person in full', async () => {
    const screen = await people(async () => ENROLLED);
    await screen.waitForContent('Submitters: 4');
    await screen.pressAndWaitForChange('j');
    await screen.pressAndWaitForChange('Enter');
    await screen.waitForContent('aliases');
    await expectGolden(screen, 'people-person');
  });

  test('a submitter in full', async () => {
    const screen = await people(async () => ENROLLED);
    await screen.waitForContent('Submitters: 4');
    for (let n = 0; n < 3; n += 1) await screen.pressAndWaitForChange('j');
    await screen.pressAndWaitForChange('Enter');
    await screen.waitForContent('audience');
    await expectGolden(screen, 'people-submitter');
  });

  test('a broker that does not tell who is enrolled', async () => {
    const screen = await people(() =>
      Promise.reject(new Problem('broker-unreachable', 'the broker did not answer in 10 s')),
    );
    await screen.waitForContent('did not answer');
    await expectGolden(screen, 'people-unknown');
  });

  test('hostile names of people, groups, limits and issuers (A1, A37)', async () => {
    const name = HOSTILE as Name;
    const screen = await people(async () => ({
      people: [
        person(HOSTILE, {
          groups: [name],
          aliases: [name],
          keys: [{ key: HOSTILE, validAfter: null, validBefore: null }],
        }),
      ],
      submitters: ENROLLED.submitters.map(({ credential }) => ({
        name,
        credential: credential.kind === 'oidc' ? { ...credential, issuer: HOSTILE } : credential,
        limits: { actions: [HOSTILE], resources: [HOSTILE], doors: [HOSTILE], requesters: [HOSTILE] },
      })),
    }));
    await screen.waitForContent('Submitters: 4');
    await screen.pressAndWaitForChange('Enter');
    await screen.waitForContent('Person  may sign');
    await expectGolden(screen, 'people-hostile');
    expect(screen.written).not.toMatch(/\u202e|\u200b|\u001b\]0;/);
  });

  /** What is typed arrives as one text a field, as it does from a paste. */
  const write = async (screen: TerminalScreen, ...texts: readonly string[]) => {
    for (const text of texts) {
      if (text !== '') {
        screen.paste(text);
        await screen.waitForContent(text.slice(0, 11));
      }
      await screen.pressAndWaitForChange('Tab');
    }
  };

  test('a form while it is written, with the fingerprint of the key', async () => {
    const screen = await people(async () => ENROLLED);
    await screen.waitForContent('Submitters: 4');
    await screen.letItSettle().pressAndWaitForChange('n');
    await write(screen, 'erin', 'oncall db', '', `${KEYS.dave} erin@laptop`);
    screen.paste('joins the on-call rota');
    await screen.letItSettle().waitForContent('rota');
    await expectGolden(screen, 'people-form');
    await screen.letItSettle().pressAndWaitForChange('Enter');
    await screen.letItSettle().waitForContent('Enter cancels');
    await expectGolden(screen, 'people-ask');
  });

  test('a form with mistakes', async () => {
    const screen = await people(async () => ENROLLED);
    await screen.waitForContent('Submitters: 4');
    await screen.letItSettle().pressAndWaitForChange('n');
    await write(screen, 'Erin', '', '', '-----BEGIN OPENSSH PRIVATE KEY-----');
    await screen.pressAndWaitForChange('Enter');
    await screen.waitForContent('a name is');
    await expectGolden(screen, 'people-mistakes');
  });

  test('the step before a key is replaced, refused by the broker', async () => {
    const screen = await people(async () => ENROLLED);
    await screen.waitForContent('Submitters: 4');
    await screen.pressAndWaitForChange('j');
    await screen.letItSettle().pressAndWaitForChange('r');
    await screen.pressAndWaitForChange('Left');
    await screen.pressAndWaitForChange('Tab');
    await write(screen, KEYS.bob);
    await screen.letItSettle().pressAndWaitForChange('Enter');
    await screen.waitForContent('Ask for it?');
    await screen.pressAndWaitForChange('Tab');
    await screen.letItSettle().waitForContent('Enter asks for it');
    screen.press('Enter');
    await screen.waitForContent('Not asked');
    await screen.letItSettle().waitForContent('Enter cancels');
    await expectGolden(screen, 'people-refused');
  });
});
