// Writes events about some requests and about none, and sends them to its standard output, one JSON line for each try, until it
// is killed; with `drain` it writes nothing, and ends once nothing waits: node kill-nine-sender.ts DIRECTORY [drain]
import { randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import type { RequestId } from '../../src/protocol/names.js';
import { built } from './kill-nine-program.ts';
import { newRequest, openStore } from './kill-nine-requests.ts';

/** A line of this program: one event as it reaches the receiver. */
export interface Arrival {
  readonly key: string;
  readonly seq: number;
  readonly request: RequestId | null;
}

const { Outbox } = await built<typeof import('../../broker/outbox/outbox.js')>('broker/outbox/outbox.js');

const [directory = '', mode = 'write'] = process.argv.slice(2);
const store = await openStore(directory);
const outbox = new Outbox({
  store,
  clock: Date.now,
  random: Math.random,
  log: pino({ enabled: false }),
  count: () => {},
  others: () => [],
});
await outbox.use([
  {
    sink: 'webhook:siem',
    wants: () => true,
    send: async ({ key, seq, request }) => {
      const line: Arrival = { key, seq, request };
      // What was written before the kill is there to be read: it has arrived.
      writeSync(1, `${JSON.stringify(line)}\n`);
      await pause(randomInt(4));
      return { outcome: 'taken' };
    },
  },
]);

if (mode === 'drain') {
  while (outbox.standings().some(({ waiting }) => waiting > 0)) await pause(5);
  await outbox.stop();
  await store.close();
} else {
  await Promise.all(Array.from({ length: 6 }, write));
}

async function write(): Promise<void> {
  for (;;) {
    const request = newRequest(Date.now());
    const { id, digest, submitter } = request;
    await store.change({ digest, submitter }, () => ({
      request,
      events: [{ kind: 'request.submitted', at: Date.now(), body: {} }],
      result: null,
    }));
    for (let more = randomInt(6); more > 0; more -= 1) {
      await store.change({ id }, () => ({
        events: [{ kind: 'request.reconsidered', at: Date.now(), body: {} }],
        result: null,
      }));
      await pause(randomInt(10));
    }
    if (randomInt(4) === 0) await store.record({ kind: 'policy.loaded', at: Date.now(), body: {} });
  }
}
