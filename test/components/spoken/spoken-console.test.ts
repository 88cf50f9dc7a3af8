import { expect, onTestFinished, test, vi } from 'vitest';
import { withoutEscapes } from '../../../components/spoken/plain-output.js';
import type { Looks } from '../../../src/client/display.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { NOW, sampleRequest } from '../sample-requests.js';
import { TerminalScreen } from '../terminal-screen.js';

vi.hoisted(() => {
  delete process.env.NO_COLOR;
  process.env.FORCE_COLOR = '2';
});

const ask = sampleRequest({
  document: { context: { reason: 'für Müller' }, details: { argv: ['ls', 'p\u0430ypal'] } },
});

function listen(looks: Partial<Looks> = {}) {
  const connection = new InMemoryQueue([ask]);
  const screen = new TerminalScreen(connection, {
    columns: 200,
    rows: 120,
    looks: { isSpoken: true, ...looks },
  });
  onTestFinished(() => screen.leave());
  return { connection, screen };
}

/** Reads a request, denies it with a comment, and loses the broker. */
async function decide({ connection, screen }: ReturnType<typeof listen>): Promise<void> {
  await screen.waitForContent('Row 1 of 1');
  screen.letItSettle().press('Enter');
  await screen.waitForContent('Esc back');
  await screen.letItSettle().waitForContent('All read');
  screen.letItSettle().press('d');
  await screen.waitForContent('c comment, Esc back');
  await screen.letItSettle().waitForContent('button Sign denial, Enter cancels');
  screen.press('c');
  await screen.waitForContent('Enter ends the comment');
  await screen.pressAndWaitForChange('n');
  await screen.pressAndWaitForChange('o');
  screen.press('Enter');
  await screen.waitForContent('comment: no\n');
  await screen.pressAndWaitForChange('Tab');
  await screen.letItSettle().waitForContent('Enter signs the denial');
  screen.press('Enter');
  await screen.waitForContent('signed and recorded');
  connection.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'the broker is gone' });
  await screen.waitForContent('Link: not connected');
}

/** Without the keys, which are no matter of how they are read out. */
const heard = (screen: TerminalScreen): string =>
  `${screen
    .text()
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('Keys: '))
    .join('\n')}\n`;

test('a request is read out, decided on and its end told, one below the other', async () => {
  const { connection, screen } = listen();
  await decide({ connection, screen });
  await expect(heard(screen)).toMatchFileSnapshot('../golden/spoken-denial.txt');
  expect(connection.decisions).toMatchObject([{ verdict: 'deny', comment: 'no' }]);
  expect(screen.isAlternate).toBe(false);
  expect(screen.written).not.toMatch(/\u001b\[[\d;]*m/);
});

test('nothing is painted over but the field that is being written', async () => {
  const { connection, screen } = listen();
  await decide({ connection, screen });
  const erased = screen.written.split('\u001b[1A').length - 1;
  expect(erased).toBe(0);
  expect(screen.written).not.toMatch(/\u001b\[\d*;?\d*H|\u001b\[2?J/);
});

test('in ASCII where the terminal shows no more', async () => {
  const { connection, screen } = listen({ isAscii: true });
  await decide({ connection, screen });
  await expect(heard(screen)).toMatchFileSnapshot('../golden/spoken-denial-ascii.txt');
  expect(screen.written).not.toMatch(/[^\0-~]/);
});

test('on a terminal that knows no escape sequence none is written, and all is there', async () => {
  vi.stubEnv('TERM', 'dumb');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const { connection, screen } = listen({ isAscii: true });
  await decide({ connection, screen });
  expect(connection.decisions).toHaveLength(1);
  expect(screen.written).not.toContain('\u001b');
  expect(screen.text()).toContain('comment: n|\n');
});

test('a terminal that knows no escape sequence gets none: what would be written over a line comes below it', () => {
  let written = '';
  const stdout = {
    isTTY: true,
    columns: 80,
    write(chunk: string) {
      written += chunk;
      return true;
    },
  } as unknown as NodeJS.WriteStream;
  const plain = withoutEscapes(stdout);
  plain.write('\u001b[?2026h\u001b[2K\u001b[Gone\r\n\u001b[?2026l');
  plain.write('\u001b[?2004h');
  plain.write('comment: n');
  plain.write('\u001b[2K\u001b[Gcomment: no');
  plain.write('\u001b[2K\u001b[G');
  plain.write('said\r\n\u001b]2;title\u0007\u0007');
  expect(written).toBe('one\r\ncomment: n\r\ncomment: no\r\nsaid\r\n\u0007');
  expect(plain.columns).toBe(80);
});
