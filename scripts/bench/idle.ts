// What a broker costs while nothing happens and ten consoles watch, beside a bare server that sends the same heartbeat:
//   npm run build && node scripts/bench/idle.ts [FOLDER OF THE COMPILED PROGRAM]
// Both are measured in the same seconds.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { enrol } from './enrolment.ts';
import type { MeasuredProcess } from './measured-process.ts';
import { attachConsoles, startBare, startBroker } from './programs.ts';
import { signIn } from './signed-calls.ts';
import { printTable } from './table.ts';

const CONSOLES = 10;
const SECONDS = 20;

const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const directory = join(folder, 'broker');
const { approver } = await enrol(directory);
const broker = await startBroker(directory);
const bare = await startBare(folder);
try {
  const token = await signIn(broker.facts.address, approver, broker.facts.fingerprint);
  const consoles = [
    await attachConsoles(broker.facts.address, CONSOLES, token),
    await attachConsoles(bare.facts.address, CONSOLES, ''),
  ];
  // What starting and attaching left behind.
  await pause(2_000);
  const [ours, theirs] = await Promise.all([processorShare(broker), processorShare(bare)]);
  printTable([
    {
      name: `processor of an idle server with ${CONSOLES} consoles, over ${SECONDS} s`,
      ours: inPercent(ours),
      bare: inPercent(theirs),
      ratio: ours / theirs,
      ceiling: '-',
    },
  ]);
  await Promise.all(consoles.map((process) => process.stop()));
} finally {
  await Promise.all([broker.stop(), bare.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

/** Of one core. */
async function processorShare(program: Pick<MeasuredProcess<unknown>, 'processorTime'>): Promise<number> {
  const before = await program.processorTime();
  await pause(SECONDS * 1000);
  return ((await program.processorTime()) - before) / (SECONDS * 1000);
}

function inPercent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
