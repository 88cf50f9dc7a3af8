import { BlockList, isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { type brokerReply, parseBody, rotateKeyBody } from '../../src/protocol/messages.js';
import { policyStandingSchema } from '../../src/protocol/policy-messages.js';
import { Problem } from '../../src/protocol/problems.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { webhooksStandingSchema } from '../../src/protocol/webhook-messages.js';
import { formatPublicKey } from '../../src/ssh/public-key.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { isGrantInForce } from '../requests/grants.js';
import { restraintsOnWire } from '../requests/restraints.js';
import { restorationOnWire, reviewsOnWire } from '../requests/view.js';

/** Health, metrics, who the broker is and how it fares. */
export function serviceRoutes(app: FastifyInstance, context: BrokerContext): void {
  const { store } = context;

  app.get('/healthz', async (http) => {
    checkLocal(http);
    return { status: 'ok' };
  });

  app.get('/readyz', async (http) => {
    checkLocal(http);
    if (context.principals().approvers === 0) throw new Problem('no-approver', 'nobody is enrolled');
    return { status: 'ready' };
  });

  app.get('/metrics', async (http, reply) => {
    checkLocal(http);
    reply.type(context.metrics.contentType);
    return context.metrics.expose();
  });

  app.get('/v1/broker', async (http) => {
    authorise(http.principal, 'broker.read');
    return brokerOnWire(context);
  });

  app.post('/v1/broker/key', async (http: FastifyRequest<{ Body: JsonValue }>) => {
    authorise(http.principal, 'key.rotate');
    const { overlap } = parseBody(rotateKeyBody, http.body);
    const former = context.keys.current.fingerprint;
    await context.keys.rotate(overlap * 1000, context.clock());
    // Where that cannot be written, the new key is in force all the same, and the next head tries again.
    await context.heads
      .nameKey()
      .catch((err) => context.log.error({ err }, 'cannot name the new key in the log'));
    context.log.warn({
      event: 'key-rotated',
      former,
      fingerprint: context.keys.current.fingerprint,
      overlap,
    });
    // They come back at once, look who the broker is now, and go on where they were.
    context.hub.closeAll('the broker has a new key');
    return brokerOnWire(context);
  });

  app.get('/v1/status', async (http) => {
    authorise(http.principal, 'status.read');
    const now = context.clock();
    const pending = store.live().filter(({ state }) => state === 'pending');
    const oldest = pending.reduce((time, { submittedAt }) => Math.min(time, submittedAt), now);
    return {
      name: context.name,
      fingerprint: context.keys.current.fingerprint,
      version: context.version,
      clock: formatTime(now),
      uptimeSeconds: Math.floor((now - context.startedAt) / 1000),
      approvers: context.principals().approvers,
      pending: pending.length,
      grants: store.live().filter(isGrantInForce).length,
      oldestPending: pending.length === 0 ? null : formatTime(oldest),
      consoles: context.hub.consoles,
      waiters: context.requests.waiters.count,
      epoch: store.epoch,
      seq: store.seq,
      doors: context.doors().map((standing) => ({ ...standing, since: formatTime(standing.since) })),
      reviews: reviewsOnWire(store.reviews()),
      notification: context.notifier.state,
      retention: { ...context.retention.state, holds: [...store.holds().keys()].sort() },
      head: store.newestHead(),
      headFailing: context.heads.isFailing,
      outbox: context.outbox.standings(),
      policy: z.encode(z.nullable(policyStandingSchema), context.policy.standing()),
      webhooks: z.encode(z.nullable(webhooksStandingSchema), context.webhooks.standing()),
      unapproved: unapprovedOnWire(store.unapproved(), now),
      restoration: restorationOnWire(store.restoration()),
      ...restraintsOnWire(store.restraints(), now),
    };
  });

  app.post('/v1/restoration/acknowledgements', async (http) => {
    authorise(http.principal, 'restoration.acknowledge');
    if (http.principal.kind !== 'approver') throw new Problem('forbidden', 'only an approver acknowledges');
    const { name } = http.principal;
    await store.acknowledgeRestoration({
      kind: 'restore.acknowledged',
      at: context.clock(),
      body: { approver: name, epoch: store.epoch },
    });
    return {};
  });
}

function brokerOnWire({ name, keys, version, clock }: BrokerContext): z.input<typeof brokerReply> {
  const now = clock();
  return {
    name,
    fingerprint: keys.current.fingerprint,
    key: formatPublicKey(keys.current),
    version,
    clock: formatTime(now),
    handovers: keys.formerAt(now).map(({ handover }) => handover),
  };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** True for 127.0.0.0/8 and ::1, also written as an IPv4-mapped address. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && LOOPBACK.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whoever is on this machine may look; from elsewhere nobody. */
function checkLocal(http: FastifyRequest): void {
  if (!isLoopback(http.raw.socket.remoteAddress ?? '')) authorise(http.principal, 'health.read');
}

/** How long it is told that something was changed without approval, in ms. */
const TOLD = 7 * 24 * 3600 * 1000;

const unapprovedOnWire = (at: EpochMs | null, now: EpochMs): string | null =>
  at === null || at + TOLD < now ? null : formatTime(at);
