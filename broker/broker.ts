import { randomBytes } from 'node:crypto';
import type { Fingerprint } from '../src/protocol/names.js';
import { Problem } from '../src/protocol/problems.js';
import type { EpochMs } from '../src/protocol/time.js';
import { VERSION } from '../src/version.js';
import { RateLimiter } from './access/rate-limiter.js';
import { Sessions } from './access/sessions.js';
import { Heads } from './audit/heads.js';
import { BrokerKeys } from './broker-keys.js';
import { guardChanges } from './changes/change-rule.js';
import { Changes } from './changes/changes.js';
import { policyChangeOf } from './changes/policy-change.js';
import { PolicyProposals } from './changes/policy-proposals.js';
import type { BrokerContext } from './context.js';
import { watchDoors } from './doors/door-standings.js';
import { gaugesOf } from './gauges.js';
import { createHttpApplication } from './http/server.js';
import { openLog } from './log.js';
import { Metrics } from './metrics.js';
import { Attendance } from './notify/attendance.js';
import { checkCommand, Notifier } from './notify/notifier.js';
import { Rings } from './notify/rings.js';
import { OidcTokens } from './oidc/oidc-tokens.js';
import { type BrokerOptions, DEFAULT_LIMITS } from './options.js';
import { Outbox } from './outbox/outbox.js';
import type { Sender } from './outbox/sender.js';
import { RunningPolicy } from './policy-file/running-policy.js';
import { requestIds } from './requests/request-ids.js';
import { Requests } from './requests/requests.js';
import { Retention } from './retention/retention.js';
import { type DeclaredGroups, Principals } from './roster/principals.js';
import { keepSignersFiles } from './roster/signers-files.js';
import { checkPlainHttp, serve } from './serving.js';
import { openSqliteStore } from './store/sqlite/open.js';
import type { Committed, Store } from './store/store.js';
import { StreamHub } from './stream/hub.js';
import { createUpgradeHandler } from './stream/upgrade.js';
import { certificateNews } from './tls/certificate-news.js';
import type { Issued } from './tls/private-ca.js';
import { ServedCertificate } from './tls/served-certificate.js';
import { RunningWebhooks } from './webhooks/running-webhooks.js';

/** What a running broker needs from the machine; tests bring their own. */
export interface Surroundings {
  readonly clock: () => EpochMs;
  readonly random: (count: number) => Buffer;
  /** Calls `tick` once a second until the returned function is called. */
  readonly everySecond: (tick: () => void) => () => void;
  /** Receivers of events beside those of the options. */
  readonly senders?: readonly Sender[];
}

export interface RunningBroker {
  /** URL of the TCP listener, null without one. */
  readonly address: string | null;
  readonly socket: string | null;
  readonly fingerprint: Fingerprint;
  /** The CA that this broker made for itself, and the names that it vouches for; null without one. */
  readonly issued: Issued | null;
  /** Takes over what may change while it runs: certificate, policy and webhooks. A bad one leaves the old one, and the log says so. */
  reload(): Promise<void>;
  /** Answers who waits, closes consoles, finishes what is being written, and lets go of the data directory. */
  stop(): Promise<void>;
}

const MACHINE: Surroundings = {
  clock: Date.now,
  random: randomBytes,
  everySecond(tick) {
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  },
};

/**
 * Puts a broker together and starts it.
 *
 * @throws Problem `no-approver` with an empty roster, `broker-locked`, `newer-store`, `usage` for plain HTTP beyond
 * loopback.
 */
export async function startBroker(options: BrokerOptions, surroundings = MACHINE): Promise<RunningBroker> {
  checkPlainHttp(options);
  if (options.notifyCommand !== undefined) checkCommand(options.notifyCommand);
  const { clock, random, everySecond } = surroundings;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const output = openLog(options.log);
  const log = output.logger;
  const store = await openSqliteStore({
    directory: options.directory,
    clock,
    random,
    onMigrated: (copy) => log.info({ event: 'migrated', copy }),
  });
  try {
    // Under the lock of the store: a rotation that was interrupted is finished here.
    const keys = await BrokerKeys.open(options.directory, clock());
    const news = certificateNews(log, (result) => metrics.countCertificate(result));
    const certificate =
      options.tls === null ? null : await ServedCertificate.open(options.tls, news, clock());
    const policy = new RunningPolicy({
      file: options.policyFile ?? null,
      store,
      clock,
      log,
      count: (outcome) => metrics.countPolicy(outcome),
      onGroups: () => reconsider(),
      onStanding: () => hub.announcePolicy(policy.standing()),
    });
    const principals = indexed(store, policy.groups);
    if (principals().approvers === 0) throw new Problem('no-approver', 'the roster is empty');
    let draining = false;
    const rings = new Rings({
      store,
      principals,
      clock,
      onRinging: (request, names) => hub.announceRinging(request, names),
    });
    const hub = await StreamHub.open(store, limits, clock, (request) => rings.of(request));
    const attendance = new Attendance({
      principals,
      attached: () => hub.attached(),
      notifies: () => notifier.works,
    });
    const notifier = new Notifier({
      store,
      command: options.notifyCommand ?? null,
      principals,
      limits,
      clock,
      random: Math.random,
      log,
      count: (outcome) => metrics.countNotification(outcome),
    });
    const retention = await Retention.open({
      store,
      keep: options.retain ?? null,
      onErased: (ids) => hub.forget(ids),
    });
    const webhooks = await RunningWebhooks.open({
      file: options.webhooksFile ?? null,
      clock,
      random,
      log,
      count: (validator, outcome) => metrics.countValidation(validator, outcome),
      broker: () => keys.current.fingerprint,
      use: (senders) => outbox.use([...(surroundings.senders ?? []), ...senders]),
    });
    const outbox = new Outbox({
      store,
      clock,
      random: Math.random,
      log,
      count: (sink, outcome) => metrics.countTry(sink, outcome),
      others: () => {
        const { state } = notifier;
        return state === null ? [] : [{ sink: 'command', configured: true, dead: 0, ...state }];
      },
    });
    const requests = new Requests({
      store,
      policy: guardChanges(policy),
      validation: webhooks,
      brokers: (now) => keys.namesAt(now),
      limits,
      clock,
      random,
      newId: requestIds(clock, random),
      principals,
      onWaiting: hub.announceWaiting,
      notifyAt: (request, now) => notifier.dueFor(request, attendance, now),
      isDraining: () => draining,
    });
    const changes = new Changes({
      store,
      requests,
      principals,
      name: options.name,
      fingerprint: () => keys.current.fingerprint,
      clock,
      random,
      policy: () => policy.source,
      onError: (error) => log.error({ err: error }, 'cannot apply an approved change'),
    });
    const heads = new Heads({
      store,
      keys,
      clock,
      onSigned(head) {
        metrics.countHead('signed');
        hub.announceHead(head);
      },
      onFailed(err) {
        metrics.countHead('failed');
        log.error({ err }, 'cannot sign a head of the log; it is tried again in a minute');
      },
    });
    await heads.nameKey().catch((err) => log.error({ err }, 'cannot name the key of this broker in the log'));
    const doors = watchDoors(store);
    await keepSignersFiles(store, (err) => log.error({ err }, 'cannot keep the signers file of the roster'));
    hub.announceDoors(doors());
    const measured = { store, hub, attendance, notifier, requests, policy, webhooks, heads, doors, clock };
    const metrics = new Metrics(
      gaugesOf(measured, certificate, () => output.dropped),
      () => outbox.standings(),
    );
    const context: BrokerContext = {
      name: options.name,
      keys,
      version: VERSION,
      startedAt: clock(),
      limits,
      store,
      requests,
      heads,
      policy,
      webhooks,
      changes,
      sessions: new Sessions(store, (now) => keys.namesAt(now), random),
      oidc: new OidcTokens({ clock, timeout: limits.issuerMs }),
      hub,
      attendance,
      notifier,
      outbox,
      rings,
      retention,
      metrics,
      log,
      rates: new RateLimiter(limits.callsPerSecond, limits.callsBurst),
      addressRates: new RateLimiter(limits.addressCallsPerSecond, limits.addressCallsBurst),
      principals,
      doors,
      clock,
      isDraining: () => draining,
    };
    store.onCommitted(metrics.countCommitted);
    let announced = doors();
    store.onCommitted(() => {
      if (doors() === announced) return;
      announced = doors();
      hub.announceDoors(announced);
    });
    store.onCommitted((entries) => {
      logCommitted(entries);
      if (entries.some(({ request }) => request !== null && policyChangeOf(request) !== null)) {
        void policy.follow();
      }
      if (!entries.some(({ kind }) => kind === 'roster.changed' || kind === 'submitters.changed')) return;
      hub.dropEnded(({ hash }) => store.findSession(hash) !== null);
      requests.waiters.releaseAll();
      reconsider();
      // It is checked against the roster too.
      void policy.reload();
    });
    await policy.start(principals, new PolicyProposals({ store, requests, changes, startedAt: clock() }));
    await changes.resume();
    await policy.reload();
    hub.announcePolicy(policy.standing());
    await webhooks.start();
    hub.announceOutbox(outbox.standings());

    const application = await createHttpApplication(context);
    const upgrade = createUpgradeHandler(context);
    const serving = await serve(options, certificate, (transport, tls) => {
      const server = application.createServer(transport, tls);
      server.on('upgrade', upgrade(transport));
      return server;
    }).catch(async (error: unknown) => {
      await outbox.stop();
      throw error;
    });

    const stopTicking = everySecond(() => {
      const now = clock();
      hub.heartbeat();
      context.rates.prune(now);
      context.addressRates.prune(now);
      notifier.tick(now);
      outbox.tick();
      hub.announceOutbox(outbox.standings());
      rings.tick(now);
      certificate?.tick(now);
      policy.tick(now);
      retention.tick(now).catch((error: unknown) => log.error({ err: error }, 'cannot erase old requests'));
      void heads.tick(now);
      requests.tick().catch((error: unknown) => log.error({ err: error }, 'cannot end overdue requests'));
    });
    const { ca, names } = certificate?.issued ?? {};
    const { fingerprint } = keys.current;
    log.info({ event: 'started', address: serving.address, socket: options.socket, fingerprint, ca, names });

    function reconsider(): void {
      requests
        .reconsider()
        .catch((error: unknown) => log.error({ err: error }, 'cannot reconsider requests'));
    }

    function logCommitted(entries: readonly Committed[]): void {
      for (const { seq, kind, request } of entries) log.info({ event: kind, seq, id: request?.id });
    }

    return {
      address: serving.address,
      issued: certificate?.issued ?? null,
      async reload() {
        await Promise.all([certificate?.reload(clock()), policy.reload(), webhooks.reload()]);
      },
      socket: options.socket,
      get fingerprint() {
        return keys.current.fingerprint;
      },
      async stop() {
        if (draining) return;
        draining = true;
        stopTicking();
        notifier.stop();
        policy.stop();
        webhooks.stop();
        log.info({ event: 'stopping' });
        hub.closeAll('the broker is stopping');
        requests.waiters.releaseAll();
        await Promise.all([serving.close(), outbox.stop()]);
        hub.terminateAll();
        await application.close();
        await heads.sign();
        await store.close();
        log.info({ event: 'stopped' });
        await output.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The index of the directory as it stands, made anew when the directory has changed. */
function indexed(store: Store, groups: DeclaredGroups): () => Principals {
  let directory = store.directory();
  let principals = new Principals(directory, groups);
  return () => {
    if (store.directory() !== directory) {
      directory = store.directory();
      principals = new Principals(directory, groups);
    }
    return principals;
  };
}
