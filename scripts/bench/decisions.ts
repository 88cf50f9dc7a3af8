// From a decision to the reply of whoever waited for it, among thousands of waiters and many consoles, and what a
// waiter costs in memory, of the broker and of a bare server:
//   npm run build && node scripts/bench/decisions.ts [FOLDER OF THE COMPILED PROGRAM [ROUNDS]]
// The two take turns, and a ratio compares neighbours, so that a busy machine weighs on both sides.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fingerprint } from '../../src/protocol/names.ts';
import { enrol } from './enrolment.ts';
import { httpCall, jsonOf, withConnections } from './http-connection.ts';
import { saturate } from './load.ts';
import { startBare, startBroker } from './programs.ts';
import { approval, hex128, newDocument, policyOf, signIn, submitCall } from './signed-calls.ts';
import { compare, quantile } from './statistics.ts';
import { inKiB, inMs, printTable } from './table.ts';
import { CONSOLES, measureWaiting, type WaitingFigures } from './waiting.ts';

const ROUNDS = Number(process.argv[3] ?? 3);
/** So many are left when the last decision has been measured. */
const WAITERS = 5_000;
const DECISIONS = 600;
const PREFER = { Prefer: 'wait=300' };

const rounds: Record<'ours' | 'bare', WaitingFigures>[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  rounds.push({ bare: await inNewFolder(measureBare), ours: await inNewFolder(measureOurs) });
}
const figure = (of: (figures: WaitingFigures) => number) =>
  compare(rounds.map(({ ours, bare }) => ({ ours: of(ours), bare: of(bare) })));
const p99 = figure(({ latencies }) => quantile(latencies, 0.99));
const p50 = figure(({ latencies }) => quantile(latencies, 0.5));
const memory = figure((figures) => figures.memory);
printTable([
  {
    name: `decision to waiter's reply, ${WAITERS} waiters, ${CONSOLES} consoles, p99`,
    ours: inMs(p99.ours),
    bare: inMs(p99.bare),
    ratio: p99.ratio,
    ceiling: '≤ 1.5',
  },
  {
    name: 'the same, median',
    ours: inMs(p50.ours),
    bare: inMs(p50.bare),
    ratio: p50.ratio,
    ceiling: '-',
  },
  {
    name: 'memory of a waiter',
    ours: inKiB(memory.ours),
    bare: inKiB(memory.bare),
    ratio: memory.ratio,
    ceiling: '≤ 1.5',
  },
]);

async function inNewFolder(measure: (folder: string) => Promise<WaitingFigures>): Promise<WaitingFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureBare(folder: string): Promise<WaitingFigures> {
  const ids = Array.from({ length: WAITERS + DECISIONS }, hex128);
  const receipt = 'r'.repeat(950);
  const program = await startBare(folder);
  try {
    return await measureWaiting({
      program,
      redeems: ids.map((id) =>
        httpCall('POST', `/redeem/${id}`, { body: { claim: hex128() }, headers: PREFER }),
      ),
      decisions: () =>
        ids.slice(0, DECISIONS).map((id) => httpCall('POST', `/decisions/${id}`, { body: { receipt } })),
      status: httpCall('GET', '/status'),
      token: '',
    });
  } finally {
    await program.stop();
  }
}

async function measureOurs(folder: string): Promise<WaitingFigures> {
  const { approver, submitter } = await enrol(folder);
  const bounds = Array.from({ length: WAITERS + DECISIONS }, newDocument);
  const asked = await submitAll(folder, (broker) =>
    bounds.map((bound) => submitCall(submitter, broker, bound)),
  );
  // Started anew, so that what the submits left behind in memory does not make room for the waiters.
  const program = await startBroker(folder);
  const { address, fingerprint } = program.facts;
  try {
    const token = await signIn(address, approver, fingerprint);
    const policy = await policyOf(address, asked[0]?.id ?? '', token);
    return await measureWaiting({
      program,
      redeems: asked.map(({ id, watch }) =>
        httpCall('POST', `/v1/requests/${id}/redeem`, {
          body: { claim: hex128() },
          headers: { ...PREFER, Authorization: `Bearer ${watch}` },
        }),
      ),
      decisions: () =>
        bounds.slice(0, DECISIONS).map((bound, index) => {
          const receipt = approval(approver, fingerprint, bound, policy);
          return httpCall('POST', `/v1/requests/${asked[index]?.id}/decisions`, { body: { receipt } });
        }),
      status: httpCall('GET', '/v1/status', { headers: { Authorization: `Bearer ${token}` } }),
      token,
    });
  } finally {
    await program.stop();
  }
}

/** Submits to a broker of its own, which is stopped again. */
async function submitAll(
  folder: string,
  calls: (broker: Fingerprint) => Buffer[],
): Promise<{ readonly id: string; readonly watch: string }[]> {
  const program = await startBroker(folder);
  const { address, fingerprint } = program.facts;
  const { replies } = await withConnections(address, 64, (connections) =>
    saturate(connections, calls(fingerprint)),
  );
  await program.stop();
  return replies.map(jsonOf);
}
