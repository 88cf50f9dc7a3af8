import { describe, expect, test } from 'vitest';
import type { HistoryPage } from '../../src/client/history.js';
import type { Background } from '../../src/protocol/background.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { GOLDEN_SIZES, hostileName, openTerminal } from './golden-terminal.js';
import { InMemoryQueue } from './in-memory-queue.js';
import { letters, sampleLetter, sinks } from './outbox/sample-outbox.js';
import { answering, pastRequests } from './past-requests.js';
import { NOW, sampleId, sampleRequest } from './sample-requests.js';
import type { TerminalScreen } from './terminal-screen.js';

const background: Background = {
  isPerson: true,
  since: NOW - 30 * 86_400_000,
  reach: 'days',
  asks: 57,
  approved: 42,
  earlier: [
    {
      request: sampleId(90),
      approver: 'carol' as Name,
      verdict: 'deny',
      decided: NOW - 2 * 3_600_000,
      report: null,
    },
    {
      request: sampleId(80),
      approver: 'bob' as Name,
      verdict: 'approve',
      decided: NOW - 3 * 86_400_000,
      report: { outcome: 'opened', code: null, at: NOW - 3 * 86_400_000 },
    },
    {
      request: sampleId(70),
      approver: 'bob' as Name,
      verdict: 'approve',
      decided: NOW - 9 * 86_400_000,
      report: { outcome: 'refused', code: 'user-unknown', at: NOW - 9 * 86_400_000 },
    },
  ],
  unusual: [
    { code: 'denied', asks: 2 },
    { code: 'new-address', address: '203.0.113.9', submitter: 'web-1' as Name, signed: false },
    { code: 'new-hour', at: '23:58', zone: 'UTC' },
  ],
};
const HOSTILE = hostileName('approved');

describe.each(GOLDEN_SIZES)('on a terminal of $columns x $rows', (size) => {
  const show = () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    const screen = openTerminal(connection, size);
    return { connection, screen };
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`golden/${name}-${size.columns}x${size.rows}.txt`);
  const history = async (answer: Parameters<InMemoryQueue['findWith']>[0]) => {
    const shown = show();
    shown.connection.findWith(answer);
    await shown.screen.waitForContent('● live');
    shown.screen.press('2');
    await shown.screen.waitForContent('Filter');
    return shown;
  };
  const outbox = async (given = { sinks: [...sinks], letters: [...letters] }) => {
    const shown = show();
    shown.connection.setOutbox(given);
    await shown.screen.waitForContent('● live');
    shown.screen.press('6');
    await shown.screen.waitForContent('Dead letters: ');
    return shown;
  };

  const reading = async (told: () => Promise<Background>) => {
    const shown = show();
    shown.connection.tellWith(told);
    await shown.screen.openFirstRow();
    return shown.screen.letItSettle();
  };

  test('a request: what is unusual about it in its head, and below it what came before (A31)', async () => {
    const screen = await reading(async () => background);
    await screen.waitForContent('3 unusual: denied 2 times');
    await expectGolden(screen, 'background');
    await screen.pageTo('user-unknown');
    await expectGolden(screen, 'background-end');
  });

  test('a request of which nothing is unusual: with what it was compared, and never that all is well', async () => {
    const screen = await reading(async () => ({
      ...background,
      isPerson: false,
      reach: 'asks',
      asks: 200,
      earlier: [],
      unusual: [],
    }));
    await screen.waitForContent('compared with the last 200');
    await screen.pageTo('no decision on an equal ask');
    await expectGolden(screen, 'background-usual');
  });

  test('a request of whose past the broker tells nothing', async () => {
    const screen = await reading(() =>
      Promise.reject(new Problem('broker-unreachable', 'the broker did not answer in 10 s')),
    );
    await screen.waitForContent('is not known');
    await expectGolden(screen, 'background-unknown');
  });

  test('the history: what was asked, the newest first, and how far back it was looked for', async () => {
    const { screen } = await history(answering(pastRequests(200)));
    await screen.waitForContent('more below');
    for (let n = 0; n < 3; n += 1) await screen.pressAndWaitForChange('j');
    await expectGolden(screen, 'history');
  });

  test('a filter while it is written, with what the term at the caret can be', async () => {
    const { screen } = await history(answering(pastRequests(3)));
    await screen.waitForContent('that is all');
    screen.press('/');
    await screen.waitForContent('person:');
    screen.send('action:ssh.* state:den');
    await screen.waitForContent('one of pending');
    await expectGolden(screen, 'history-filter');
  });

  test('a filter that is refused: why, and what was typed stays', async () => {
    const { screen } = await history(answering([]));
    await screen.waitForContent('Nothing found');
    await screen.pressAndWaitForChange('/');
    screen.send('persn:bob since:7d');
    await screen.waitForContent('persn:bob since:7d');
    screen.press('Enter');
    await screen.waitForContent('there is no key');
    await expectGolden(screen, 'history-refused');
  });

  test('a search that goes on with nothing found yet, then ends with nothing', async () => {
    let answer: (page: HistoryPage) => void = () => {};
    const { screen } = await history(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    await screen.waitForContent('Searching…');
    answer({ requests: [], next: '1', searchedTo: NOW - 86_400_000 });
    await screen.waitForContent('looked back to');
    await expectGolden(screen, 'history-searching');
    answer({ requests: [], next: null, searchedTo: null });
    await screen.waitForContent('Nothing found.');
    await expectGolden(screen, 'history-nothing');
  });

  test('a broker that is lost while it searches', async () => {
    const { screen } = await history(() =>
      Promise.reject(
        new Problem(
          'broker-unreachable',
          'cannot reach the broker at https://broker.example.com:7433: ECONNRESET',
        ),
      ),
    );
    await screen.waitForContent('j tries again');
    await expectGolden(screen, 'history-lost');
  });

  test('a request of the past: read, and nothing else', async () => {
    const { screen } = await history(answering(pastRequests(5)));
    await screen.waitForContent('that is all');
    screen.letItSettle().press('Enter');
    await screen.waitForContent('Asked:');
    await screen.letItSettle().waitForContent('to read only');
    await expectGolden(screen, 'history-record');
  });

  test('hostile text in what was found, and in the filter (A1, A37)', async () => {
    const { screen } = await history(
      answering([
        sampleRequest({ n: 9, age: 90, document: { resource: 'w\u0435b-1', context: { reason: HOSTILE } } }),
      ]),
    );
    await screen.waitForContent('that is all');
    screen.press('/');
    await screen.waitForContent('person:');
    screen.paste(HOSTILE);
    await screen.waitForContent('carol▏');
    await expectGolden(screen, 'history-hostile');
    expect(screen.written).not.toMatch(/\u202e|\u200b|\u001b\]0;/);
  });

  test('the outbox: how each receiver fares, what was given up, and why', async () => {
    const { screen } = await outbox();
    await screen.waitForContent('── Why');
    await expectGolden(screen, 'outbox');
  });

  test('the step before a letter is dropped, with the focus on Cancel', async () => {
    const { screen } = await outbox();
    await screen.waitForContent('── Why');
    screen.letItSettle().press('x');
    await screen.waitForContent('Drop it?');
    await screen.letItSettle().waitForContent('Enter cancels');
    await expectGolden(screen, 'outbox-drop');
  });

  test('hostile text of a receiver (A1, A37)', async () => {
    const hostileSink = { ...(sinks[1] as (typeof sinks)[number]), sink: HOSTILE, failing: HOSTILE };
    const about = { requester: 'alice' as Name, action: 'ssh.login', resource: HOSTILE };
    const { screen } = await outbox({
      sinks: [hostileSink],
      letters: [sampleLetter(1, { sink: HOSTILE, error: HOSTILE, kind: HOSTILE, about })],
    });
    await screen.waitForContent('── Why');
    await expectGolden(screen, 'outbox-hostile');
    expect(screen.written).not.toMatch(/\u202e|\u200b|\u001b\]0;/);
  });

  test('an outbox through which nothing leaves', async () => {
    const { screen } = show();
    await screen.waitForContent('● live');
    screen.press('6');
    await screen.waitForContent('Nothing leaves this broker');
    await expectGolden(screen, 'outbox-none');
  });
});
