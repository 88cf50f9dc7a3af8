import { randomBytes, randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ONE_OTHER_PERSON } from '../../broker/policy/one-other-person.js';
import { openSqliteStore } from '../../broker/store/sqlite/open.js';
import { type BoundDocument, parseDocument } from '../../src/protocol/document.js';
import { verifyChain } from '../../src/protocol/event-log.js';
import type { Fingerprint, Name, RequestId } from '../../src/protocol/names.js';
import { formatDecision } from '../../src/protocol/statements.js';
import { makeSoftwareKey, signInSoftware } from '../ssh/software-keys.js';
import { BrokerProcess } from './programs.js';
import { wholeLog } from './whole-log.js';

const CYCLES = 100;
/** Askers that work at once. */
const ASKERS = 8;
const ENDS = ['denied', 'cancelled', 'expired', 'lapsed', 'revoked', 'redeemed', 'spent'];

/** What the broker acknowledged about one request; the last word is the furthest. */
type Acknowledged = 'submitted' | 'approved' | 'denied' | 'redeemed' | 'reported';

let broker: BrokerProcess;
const bob = makeSoftwareKey('ssh-ed25519');
let token: string;
let fingerprint: Fingerprint | undefined;

beforeEach(async () => {
  broker = new BrokerProcess();
  const key = join(broker.directory, 'bob.pub');
  writeFileSync(key, `${bob.line}\n`);
  await broker.must('roster', 'add', 'bob', '--key', key);
  const limits = ['--action', 'load.*', '--resource', '*', '--door', 'load', '--requester', '*'];
  token = (await broker.must('submitter', 'add', 'load', '--token', ...limits)).trim();
});
afterEach(() => broker.remove());

test(`after ${CYCLES} kill -9 under load all that was acknowledged is there, and nothing has two outcomes`, async () => {
  const acknowledged = new Map<RequestId, Acknowledged>();
  const unfinished: BoundDocument[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    await broker.start();
    fingerprint ??= broker.fingerprint as Fingerprint;
    const agent = new Agent({ keepAlive: true });
    const killAfter = randomInt(1, 120);
    let answered = 0;
    let alive = true;
    let killed: Promise<unknown> = Promise.resolve();
    const count = (): void => {
      answered += 1;
      if (answered === killAfter) killed = broker.signal('SIGKILL');
    };
    const asker = async (): Promise<void> => {
      while (alive) {
        const bound = unfinished.pop() ?? newDocument();
        await liveOnce(agent, bound, acknowledged, count).catch((error: unknown) => {
          if (!(error instanceof Gone)) throw error;
          unfinished.push(bound);
          alive = false;
        });
      }
    };
    await Promise.all(Array.from({ length: ASKERS }, asker));
    await killed;
    agent.destroy();
  }

  const store = await openSqliteStore({ directory: broker.data, clock: Date.now, random: randomBytes });
  const log = await wholeLog(store);
  expect(verifyChain(log)).toBeNull();
  const ends = new Map<string, string[]>();
  for (const { kind, request } of log) {
    const end = kind.replace('request.', '');
    if (request !== null && ENDS.includes(end)) ends.set(request, [...(ends.get(request) ?? []), end]);
  }
  expect([...ends.values()].filter((all) => all.length > 1)).toEqual([]);
  for (const [id, word] of acknowledged) {
    const request = await store.find({ id });
    expect(request, `${id} was acknowledged as ${word}`).not.toBeNull();
    expect(STATES[word], `${id} was acknowledged as ${word}`).toContain(request?.state);
    if (word === 'reported') expect(request?.report?.outcome).toBe('opened');
    if (ENDS.includes(request?.state ?? '')) expect(ends.get(id)).toEqual([request?.state]);
  }
  expect(acknowledged.size).toBeGreaterThan(CYCLES);
  await store.close();
}, 600_000);

/** Where a request can stand after its last acknowledged word: there or further, never behind. */
const STATES: Record<Acknowledged, readonly string[]> = {
  submitted: ['pending', 'approved', 'denied', 'redeemed'],
  approved: ['approved', 'redeemed'],
  denied: ['denied'],
  redeemed: ['redeemed'],
  reported: ['redeemed'],
};

/** The broker went away under the call. */
class Gone extends Error {}

/**
 * One life of one request: submit, decide, redeem, report; each word is kept as soon as it is acknowledged. A request that a
 * killed broker left pending is taken up again, else the submitter's budget of pending requests would be used up in the end.
 */
async function liveOnce(
  agent: Agent,
  bound: BoundDocument,
  acknowledged: Map<RequestId, Acknowledged>,
  count: () => void,
): Promise<void> {
  const post = async (path: string, body: object, bearer?: string) => {
    const answer = await call(agent, path, body, bearer);
    count();
    return answer;
  };
  const claim = randomBytes(16).toString('hex');
  const submitted = await post('/v1/requests', { document: bound.document }, token);
  const { id, watch, status } = submitted as { id: RequestId; watch: string; status: { state?: string } };
  if (status.state !== 'pending') return;
  acknowledged.set(id, 'submitted');
  const verdict = randomInt(4) === 0 ? 'deny' : 'approve';
  await post(`/v1/requests/${id}/decisions`, { receipt: receiptFor(bound, verdict) });
  acknowledged.set(id, verdict === 'deny' ? 'denied' : 'approved');
  if (verdict === 'deny') return;
  await post(`/v1/requests/${id}/redeem`, { claim }, watch);
  acknowledged.set(id, 'redeemed');
  await post(`/v1/requests/${id}/reports`, { claim, outcome: 'opened' }, watch);
  acknowledged.set(id, 'reported');
}

function newDocument(): BoundDocument {
  return parseDocument({
    action: 'load.test',
    context: {},
    details: {},
    door: 'load',
    duration: 0,
    nonce: randomBytes(16).toString('hex'),
    // Whoever is denied twice for one resource is muted.
    requester: `user-${randomBytes(8).toString('hex')}`,
    resource: `resource ${randomInt(1000)}`,
    version: 1,
  });
}

function receiptFor(bound: BoundDocument, verdict: 'approve' | 'deny'): string {
  const now = Date.now();
  const statement = formatDecision({
    broker: fingerprint as Fingerprint,
    door: bound.document.door,
    request: bound.digest,
    scope: bound.scope,
    covers: 'request',
    policy: ONE_OTHER_PERSON.digest,
    verdict,
    requester: bound.document.requester,
    approver: 'bob' as Name,
    decided: now,
    notAfter: now + 900_000,
    duration: 0,
    uses: 1,
    code: null,
    comment: '',
  });
  return statement + signInSoftware(bob, statement);
}

/** Posts JSON. Too many calls are tried again: the load is meant to be as much as the broker takes. An end is an answer too. */
async function call(agent: Agent, path: string, body: object, bearer?: string): Promise<unknown> {
  for (;;) {
    const { status, text } = await post(agent, path, body, bearer);
    const answer = JSON.parse(text);
    if (status < 300 || ENDS.includes(answer.code)) return answer;
    if (answer.code !== 'rate-limited') throw new Error(`${path}: ${status} ${text}`);
  }
}

function post(
  agent: Agent,
  path: string,
  body: object,
  bearer?: string,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(broker.address);
  const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  const headers = { 'content-type': 'application/json', ...authorization };
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Gone());
    const request = httpRequest({ agent, hostname, port, path, method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', gone).on('aborted', gone);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', gone);
    request.end(JSON.stringify(body));
  });
}
