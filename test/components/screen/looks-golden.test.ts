import { describe, expect, onTestFinished, test } from 'vitest';
import type { Looks } from '../../../src/client/display.js';
import type { Name } from '../../../src/protocol/names.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { NOW, opened, sampleRequest, sampleVote } from '../sample-requests.js';
import { TerminalScreen } from '../terminal-screen.js';

const waiting = sampleRequest({
  n: 4,
  age: 270,
  document: {
    action: 'sudo',
    context: { reason: 'für Müller: a < b' },
    details: {
      argv: ['sh', '-c', 'wc < in | tee\u202e "p\u0430ypal"'],
      cwd: '/srv/caf\u00e9',
      target: 'root',
    },
    door: 'host:db-2.example.com',
    requester: 'erin',
    resource: 'db-2.example.com',
  },
});
const nobody = sampleRequest({ n: 5, age: 90, waiting: 0, document: { requester: 'dave' } });
const approved = sampleRequest({
  n: 6,
  age: 200,
  ...opened,
  votes: [sampleVote()],
  document: { resource: 'web-2.example.com' },
});
const denied = sampleRequest({
  n: 7,
  age: 400,
  state: 'denied',
  votes: [sampleVote({ verdict: 'deny' })],
  missing: [],
  endedAt: NOW - 300_000,
  document: { resource: 'web-3.example.com' },
});

interface Size {
  readonly columns: number;
  readonly rows: number;
}

function show(looks: Partial<Looks>, size: Size) {
  const connection = new InMemoryQueue([waiting, nobody, approved, denied]);
  const screen = new TerminalScreen(connection, {
    ...size,
    looks,
    display: { zone: 'UTC', profile: { name: 'production', colour: 'red' } },
  });
  onTestFinished(() => screen.leave());
  return { connection, screen };
}

/** Without the names of the screens and the keys, which are no matter of looks and change with every new one. */
const withoutKeys = (screen: string): string =>
  `${screen
    .split('\n')
    .slice(0, -1)
    .filter((line) => !line.includes('1 Queue'))
    .join('\n')}\n`;

/** Each state, one after the other, on one console. */
async function* states({ connection, screen }: ReturnType<typeof show>): AsyncGenerator<string> {
  await screen.waitForContent('[production]');
  await screen.waitForContent('2 pending');
  yield 'queue';
  connection.setReading(new Map([[waiting.id, ['carol' as Name]]]));
  await screen.openFirstRow();
  screen.letItSettle();
  await screen.waitForContent(/more lines? to read|a approves/);
  yield 'detail';
  await screen.readToTheEnd();
  screen.letItSettle().press('a');
  await screen.waitForContent('[ Sign approval ]');
  await screen.letItSettle().waitForContent('Enter cancels');
  yield 'confirm';
  screen.press('Escape');
  await screen.waitForContent('Cancelled');
  screen.press('Escape');
  await screen.waitForContent('Enter read');
  connection.setLink({
    state: 'stale',
    since: NOW - 40_000,
    retryAt: NOW + 8000,
    reason: 'the broker closed the connection',
  });
  await screen.waitForContent('Not connected for 4');
  yield 'stale';
}

describe.each([
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
])('in ASCII alone, on a terminal of $columns x $rows', (size) => {
  test('everything stands where it stands in Unicode, and no other byte is written (A1, A37)', async () => {
    const shown = show({ isAscii: true }, size);
    for await (const state of states(shown)) {
      await expect(withoutKeys(shown.screen.text())).toMatchFileSnapshot(
        `../golden/ascii-${state}-${size.columns}x${size.rows}.txt`,
      );
    }
    expect(shown.screen.written).not.toMatch(/[^\0-~]/);
  });
});
