import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MAX_OUTPUT, runCommand } from '../../../broker/notify/command.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-command-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function program(body: string): string {
  const file = join(directory, 'program');
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}
const run = (body: string, { input = '{"a":1}\n', limit = 5_000 } = {}) =>
  runCommand(
    program(body),
    { input, variables: { COUNTERSIGN_ID: '01X' } },
    new AbortController().signal,
    limit,
  );
/** Whether the process whose number stands in the file is there; a dead one may wait for its parent. */
function isAlive(file: string): boolean {
  const pid = readFileSync(join(directory, file), 'utf8').trim();
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
  return !/\) [ZX]/.test(stat);
}

/** A process that was killed closes its pipes a moment before it counts as dead. */
const expectDead = (file: string): Promise<void> =>
  expect.poll(() => isAlive(file), { timeout: 10_000 }).toBe(false);

test('gets the document on its input, the id in a variable, and no arguments', async () => {
  expect(await run('cat; echo "$COUNTERSIGN_ID $# $PWD"')).toEqual({
    ok: true,
    how: 'exit status 0',
    output: '{"a":1}\n01X 0 /',
  });
});

test('has failed with any other status, or when it cannot be started', async () => {
  expect(await run('echo no >&2; exit 3')).toEqual({ ok: false, how: 'exit status 3', output: 'no' });
  expect(await run('kill -TERM $$')).toMatchObject({ ok: false, how: 'SIGTERM' });
  const { signal } = new AbortController();
  const missing = await runCommand(join(directory, 'none'), { input: '', variables: {} }, signal);
  expect(missing).toEqual({ ok: false, how: 'cannot be started (ENOENT)', output: '' });
});

test('has failed, and ends nobody else, where no descriptor is free (A32)', () => {
  const module = new URL('../../../broker/notify/command.ts', import.meta.url).href;
  const script = `
    import { openSync } from 'node:fs';
    const { runCommand } = await import('${module}');
    try { for (;;) openSync('/dev/null', 'r'); } catch {}
    const ended = await runCommand('/bin/true', { input: '', variables: {} }, new AbortController().signal);
    setImmediate(() => console.log(JSON.stringify(ended)));`;
  const node = `ulimit -n 64; exec "$0" --input-type=module -e "$1"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', node, process.execPath, script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ ok: false, how: 'cannot be started (EMFILE)', output: '' });
});

test('is killed after its time, with all that it has started', async () => {
  const ended = await run(`sleep 60 & echo $! > ${directory}/child; echo begun; wait`, { limit: 300 });
  expect(ended).toEqual({ ok: false, how: 'killed after 0.3 s', output: 'begun' });
  await expectDead('child');
});

test('leaves nothing running when it ends, and is not waited for through a pipe that stays open', async () => {
  expect(await run(`sleep 60 & echo $! > ${directory}/child`)).toMatchObject({ ok: true });
  await expectDead('child');
});

test('is killed when the broker stops', async () => {
  const stop = new AbortController();
  const ended = runCommand(program('sleep 60'), { input: '', variables: {} }, stop.signal);
  stop.abort();
  expect(await ended).toMatchObject({ ok: false, how: 'killed because the broker stops' });
});

test('may say much, or what is no text, and need not listen', async () => {
  const { output } = await run("printf '\\033]0;x\\007\\351'; head -c 1000000 /dev/zero | tr '\\0' x");
  expect(output).toBe(`?]0;x??${'x'.repeat(MAX_OUTPUT - 7)}`);
  expect(await run('exec <&-; exit 0', { input: 'y'.repeat(1_000_000) })).toMatchObject({ ok: true });
});

test('is not waited for where it has left the group with the pipes open', async () => {
  const away = `setsid sh -c 'echo $$ > ${directory}/child; exec sleep 60'`;
  const ended = await run(`${away} & until [ -s ${directory}/child ]; do sleep 0.01; done; echo told`);
  expect(ended).toEqual({ ok: true, how: 'exit status 0', output: 'told' });
  process.kill(Number(readFileSync(join(directory, 'child'), 'utf8')), 'SIGKILL');
});
