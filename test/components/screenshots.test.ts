import { expect, onTestFinished, test, vi } from 'vitest';
import type { Background } from '../../src/protocol/background.js';
import type { Name } from '../../src/protocol/names.js';
import { grants, told } from './grants/sample-grants.js';
import { InMemoryQueue } from './in-memory-queue.js';
import { earlier, flood, pending } from './sample-queue.js';
import { NOW, sampleId, sampleRequest } from './sample-requests.js';
import { DARK_PAPER, LIGHT_PAPER, type Paper, screenshotSvg } from './screenshot-svg.js';
import { figures } from './statistics/sample-statistics.js';
import { type ScreenOptions, TerminalScreen } from './terminal-screen.js';

vi.hoisted(() => {
  // Ink asks for it once, when it is imported. The light theme has colours of 256.
  process.env.FORCE_COLOR = '2';
});

/** A login as the hook asks for it, by the host that it is about. */
const drill = {
  ...sampleRequest({
    n: 4,
    age: 220,
    document: {
      action: 'ssh.login',
      context: { reason: 'failover drill, step 3' },
      details: { service: 'sshd', source: '203.0.113.9', tty: 'ssh', user: 'erin' },
      door: 'host:db-2.example.com',
      requester: 'erin',
      resource: 'db-2.example.com',
    },
  }),
  submitter: 'db-2' as Name,
};

const WIDE = { columns: 120, rows: 40 } as const;
const USUAL = { columns: 80, rows: 24 } as const;

/** Who asks at an unusual hour, from where that person never was. */
const background: Background = {
  isPerson: true,
  since: NOW - 30 * 86_400_000,
  reach: 'days',
  asks: 57,
  approved: 42,
  earlier: [
    {
      request: sampleId(80),
      approver: 'bob' as Name,
      verdict: 'approve',
      decided: NOW - 3 * 86_400_000,
      report: { outcome: 'opened', code: null, at: NOW - 3 * 86_400_000 },
    },
  ],
  unusual: [
    { code: 'new-address', address: '203.0.113.9', submitter: 'db-2' as Name, signed: false },
    { code: 'new-hour', at: '23:58', zone: 'UTC' },
  ],
};

function show(connection: InMemoryQueue, options: ScreenOptions): TerminalScreen {
  const screen = new TerminalScreen(connection, options);
  onTestFinished(() => screen.leave());
  return screen;
}

/** The pictures of the README: `vitest run --project unit test/components/screenshots.test.ts -u` draws them anew. */
const expectPicture = (screen: TerminalScreen, name: string, title: string, paper: Paper = DARK_PAPER) =>
  expect(screenshotSvg(screen.drawnRuns(), screen.columns, title, paper)).toMatchFileSnapshot(
    `../../docs/${name}.svg`,
  );

test('the queue beside a request, and the step before it is signed', async () => {
  const screen = show(new InMemoryQueue([drill, ...pending.slice(1), ...earlier]), WIDE);
  await screen.waitForContent('Preview: ');
  await screen.openFirstRow();
  await screen.letItSettle().waitForContent(/more lines? to read|a approves/);
  await expectPicture(
    screen,
    'console',
    'The queue at the left, and the request that is being read at the right',
  );
  screen.letItSettle().press('a');
  await screen.waitForContent('[ Sign approval ]');
  await screen.letItSettle().waitForContent('Enter cancels');
  await expectPicture(screen, 'confirm', 'The step before an approval is signed, with the focus on Cancel');
});

test('a request on a usual terminal, of which something is unusual', async () => {
  const connection = new InMemoryQueue([drill, ...earlier]);
  connection.tellWith(async () => background);
  const screen = show(connection, USUAL);
  await screen.openFirstRow();
  await screen.letItSettle().waitForContent(/unusual.*a approves/s);
  await expectPicture(screen, 'detail', 'A request in full, with what is unusual about it above');
});

test('the queue on a white ground', async () => {
  const screen = show(new InMemoryQueue([...pending, ...earlier]), { ...USUAL, looks: { theme: 'light' } });
  await screen.waitForContent('✓ opened');
  await expectPicture(screen, 'light', 'The queue in the theme for a white ground', LIGHT_PAPER);
});

test('the grants, and what the selected one covers', async () => {
  const connection = new InMemoryQueue([...pending, ...grants]);
  connection.tellOfGrants(told);
  const screen = show(connection, { columns: 100, rows: 24 });
  await screen.waitForContent('● live');
  screen.press('3');
  await screen.waitForContent('watched as of');
  await screen.pressAndWaitForChange('j');
  await expectPicture(
    screen,
    'grants',
    'Grants in force with their clocks, and what the selected one covers',
  );
});

test('many denials at once', async () => {
  const screen = show(new InMemoryQueue(flood.slice(0, 30)), USUAL);
  await screen.waitForContent('● live');
  screen.letItSettle().press('D');
  await screen.waitForContent('Deny 30 requests');
  await screen.waitForContent(/[1-9][0-9]? seen/);
  await screen.letItSettle().waitForContent('Enter cancels');
  await expectPicture(screen, 'bulk-denial', 'A flood of asks, to be denied with one typed number');
});

test('the statistics', async () => {
  const connection = new InMemoryQueue([...pending, ...earlier]);
  connection.countWith(async () => figures);
  const screen = show(connection, { columns: 100, rows: 40 });
  await screen.waitForContent('● live');
  screen.press('7');
  await screen.waitForContent('By rule');
  await expectPicture(screen, 'statistics', 'How long people wait, who decides, and what becomes of asks');
});
