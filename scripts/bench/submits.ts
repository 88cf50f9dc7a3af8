// Durable submits, signatures verified, of the broker and of a bare server:
//   npm run build && node scripts/bench/submits.ts [FOLDER OF THE COMPILED PROGRAM [ROUNDS]]
// The two take turns, and a ratio compares neighbours, so that a busy machine weighs on both sides.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrol } from './enrolment.ts';
import { withConnections } from './http-connection.ts';
import { saturate, steady } from './load.ts';
import { startBare, startBroker } from './programs.ts';
import { bareSubmitCall, newDocument, submitCall } from './signed-calls.ts';
import { compare, quantile } from './statistics.ts';
import { inMs, printTable } from './table.ts';

const ROUNDS = Number(process.argv[3] ?? 5);
const CONNECTIONS = 64;
/** Calls in one round at full load, and in one at the steady rate. */
const SATURATING = 6_000;
const STEADY = 3_000;
const STEADY_RATE = 500;

interface Side {
  readonly program: Pick<Awaited<ReturnType<typeof startBare>>, 'facts' | 'processorTime'>;
  readonly call: (bound: ReturnType<typeof newDocument>) => Buffer;
}

const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const directory = join(folder, 'broker');
const { submitter } = await enrol(directory);
const broker = await startBroker(directory);
const bare = await startBare(folder, submitter);
const { fingerprint } = broker.facts;
const sides = {
  bare: { program: bare, call: (bound) => bareSubmitCall(submitter, fingerprint, bound) },
  ours: { program: broker, call: (bound) => submitCall(submitter, fingerprint, bound) },
} satisfies Record<string, Side>;
try {
  const full: Record<keyof typeof sides, Full>[] = [];
  const p99s: Record<keyof typeof sides, number>[] = [];
  // The first round warms both programs up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const atFull = { bare: await fullLoad(sides.bare), ours: await fullLoad(sides.ours) };
    const p99 = { bare: await steadyP99(sides.bare), ours: await steadyP99(sides.ours) };
    if (round === 0) continue;
    full.push(atFull);
    p99s.push(p99);
  }
  const rate = compare(full.map(({ ours, bare }) => ({ ours: ours.perSecond, bare: bare.perSecond })));
  const cost = compare(full.map(({ ours, bare }) => ({ ours: ours.processor, bare: bare.processor })));
  const p99 = compare(p99s);
  printTable([
    {
      name: `durable submits a second, ${CONNECTIONS} connections`,
      ours: rate.ours.toFixed(0),
      bare: rate.bare.toFixed(0),
      ratio: rate.ratio,
      ceiling: '≥ 0.6',
    },
    {
      name: 'processor time of one of them',
      ours: inMs(cost.ours),
      bare: inMs(cost.bare),
      ratio: cost.ratio,
      ceiling: '-',
    },
    {
      name: `p99 of a submit at ${STEADY_RATE} a second`,
      ours: inMs(p99.ours),
      bare: inMs(p99.bare),
      ratio: p99.ratio,
      ceiling: '-',
    },
  ]);
} finally {
  await Promise.all([broker.stop(), bare.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

interface Full {
  readonly perSecond: number;
  /** Of one call, in ms. */
  readonly processor: number;
}

async function fullLoad({ program, call }: Side): Promise<Full> {
  const calls = makeCalls(call, SATURATING);
  return withConnections(program.facts.address, CONNECTIONS, async (connections) => {
    const before = await program.processorTime();
    const { perSecond } = await saturate(connections, calls);
    return { perSecond, processor: ((await program.processorTime()) - before) / SATURATING };
  });
}

async function steadyP99({ program, call }: Side): Promise<number> {
  const calls = makeCalls(call, STEADY);
  const { latencies } = await withConnections(program.facts.address, CONNECTIONS, (connections) =>
    steady(connections, calls, STEADY_RATE),
  );
  return quantile(latencies, 0.99);
}

/** Made just before they are sent: a signed submit is good for a minute. */
function makeCalls(call: Side['call'], count: number): Buffer[] {
  return Array.from({ length: count }, () => call(newDocument()));
}
