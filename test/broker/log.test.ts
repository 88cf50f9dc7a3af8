import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PatientPipe } from '../../broker/log.js';

let directory: string;
let pipe: string;
let reader: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-log-'));
  pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
});
afterEach(() => {
  closeSync(reader);
  rmSync(directory, { recursive: true });
});

const writer = (): PatientPipe => new PatientPipe(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
/** What stands in the pipe now. */
function read(): string {
  const buffer = Buffer.alloc(1024 * 1024);
  try {
    return buffer.toString('utf8', 0, readSync(reader, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
    throw error;
  }
}
const line = `${'x'.repeat(1023)}\n`;

test('a log that nobody reads holds nobody up: lines are dropped, counted, and told once there is room', async () => {
  const log = writer();
  for (let lines = 0; lines < 3000; lines += 1) log.write(line);
  expect(log.dropped).toBeGreaterThan(1500);
  const { dropped } = log;
  let text = '';
  const closed = (async () => {
    // What waits is drained; then the next line says what is missing.
    while (text.length < 1024 * (3000 - dropped)) {
      text += read();
      await new Promise((resolve) => setImmediate(resolve));
    }
    log.write('{"event":"next"}\n');
    await log.close();
    text += read();
  })();
  await closed;
  expect(text.replaceAll(line, '')).toMatch(
    new RegExp(
      `^\\{"level":40,"time":\\d+,"event":"log-dropped","lines":${dropped}\\}\n\\{"event":"next"\\}\n$`,
    ),
  );
});

test('an end waits for what is written, but not for ever', async () => {
  const log = writer();
  for (let lines = 0; lines < 500; lines += 1) log.write(line);
  await log.close();
  expect(read().length).toBeGreaterThan(0);
});

test('a reader that has gone is no reason to stop', async () => {
  const log = writer();
  closeSync(reader);
  log.write(line);
  await new Promise((resolve) => setImmediate(resolve));
  for (let lines = 0; lines < 10; lines += 1) log.write(line);
  await log.close();
  expect(log.dropped).toBeGreaterThan(0);
  reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
});
