import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { SinkStanding } from '../src/protocol/outbox-messages.js';
import type { Committed } from './store/store.js';

/** Values that are read when somebody asks. */
export interface MetricSources {
  readonly log_lines_dropped_total: () => number;
  readonly pending: () => number;
  readonly pending_oldest_seconds: () => number;
  readonly pending_unattended: () => number;
  readonly grants: () => number;
  readonly consoles: () => number;
  readonly waiters: () => number;
  readonly notifications_waiting: () => number;
  readonly notifications_failing: () => number;
  readonly doors_outdated: () => number;
  readonly reviews_open: () => number;
  readonly events_unsigned: () => number;
  readonly policy_refused: () => number;
  readonly policy_groups_failing: () => number;
  readonly webhooks_refused: () => number;
  /** In seconds since 1970; 0 without TLS. */
  readonly tls_certificate_expiry_seconds: () => number;
  readonly restored: () => number;
}

/** Prometheus metrics of one broker, in a registry of its own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #events: Counter<'kind'>;
  readonly #http: Counter<'route' | 'status'>;
  readonly #notifications: Counter<'outcome'>;
  readonly #certificates: Counter<'result'>;
  readonly #policies: Counter<'result'>;
  readonly #heads: Counter<'result'>;
  readonly #validations: Counter<'validator' | 'outcome'>;
  readonly #tries: Counter<'sink' | 'outcome'>;

  constructor(sources: MetricSources, standings: () => readonly SinkStanding[]) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#events = new Counter({
      name: 'countersign_events_total',
      help: 'Committed entries of the event log, by kind',
      labelNames: ['kind'],
      registers,
    });
    this.#http = new Counter({
      name: 'countersign_http_requests_total',
      help: 'Answered HTTP requests, by route and status',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#notifications = new Counter({
      name: 'countersign_notifications_total',
      help: 'Runs of the notification command, by outcome: sent or failed',
      labelNames: ['outcome'],
      registers,
    });
    this.#certificates = new Counter({
      name: 'countersign_tls_reloads_total',
      help: 'Certificates taken over while running, by result: loaded, failed',
      labelNames: ['result'],
      registers,
    });
    this.#policies = new Counter({
      name: 'countersign_policy_loads_total',
      help: 'Policy files that were read, by result: loaded, refused',
      labelNames: ['result'],
      registers,
    });
    this.#heads = new Counter({
      name: 'countersign_heads_total',
      help: 'Heads of the event log, by result: signed, failed',
      labelNames: ['result'],
      registers,
    });
    this.#validations = new Counter({
      name: 'countersign_validations_total',
      help: 'New requests that a validating webhook was asked about, by its outcome: allowed, refused, unavailable',
      labelNames: ['validator', 'outcome'],
      registers,
    });
    this.#tries = new Counter({
      name: 'countersign_outbox_tries_total',
      help: 'Tries to bring an event to a receiver, by sink and outcome: taken, unreachable, failed, refused, gone',
      labelNames: ['sink', 'outcome'],
      registers,
    });
    for (const [name, help, value] of SINK_GAUGES) {
      new Gauge({
        name: `countersign_outbox_${name}`,
        help,
        labelNames: ['sink'],
        registers,
        collect() {
          this.reset();
          for (const standing of standings()) this.set({ sink: standing.sink }, value(standing));
        },
      });
    }
    new Counter({
      name: 'countersign_log_lines_dropped_total',
      help: 'Lines of the log that nobody read in time',
      registers,
      collect() {
        this.reset();
        this.inc(sources.log_lines_dropped_total());
      },
    });
    for (const [name, help] of GAUGES) {
      new Gauge({
        name: `countersign_${name}`,
        help,
        registers,
        collect() {
          this.set(sources[name]());
        },
      });
    }
  }

  readonly countCommitted = (entries: readonly Committed[]): void => {
    for (const { kind } of entries) this.#events.inc({ kind });
  };

  countHttp(route: string, status: number): void {
    this.#http.inc({ route, status: String(status) });
  }

  countNotification(outcome: 'sent' | 'failed'): void {
    this.#notifications.inc({ outcome });
  }

  countTry(sink: string, outcome: string): void {
    this.#tries.inc({ sink, outcome });
  }

  countCertificate(result: 'loaded' | 'failed'): void {
    this.#certificates.inc({ result });
  }

  countPolicy(result: 'loaded' | 'refused'): void {
    this.#policies.inc({ result });
  }

  countHead(result: 'signed' | 'failed'): void {
    this.#heads.inc({ result });
  }

  countValidation(validator: string, outcome: 'allowed' | 'refused' | 'unavailable'): void {
    this.#validations.inc({ validator, outcome });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  expose(): Promise<string> {
    return this.#registry.metrics();
  }
}

const SINK_GAUGES: readonly (readonly [string, string, (standing: SinkStanding) => number])[] = [
  [
    'waiting',
    'Events that a receiver has not taken, by sink, without dead letters',
    ({ waiting }) => waiting,
  ],
  ['dead', 'Events that were given up and wait for somebody to decide, by sink', ({ dead }) => dead],
  ['failing', '1 while the last try failed, by sink', ({ failing }) => Number(failing !== null)],
];

const GAUGES: readonly (readonly [keyof MetricSources, string])[] = [
  ['pending', 'Requests that wait for an answer'],
  ['pending_oldest_seconds', 'How long the oldest of them has waited; 0 for none'],
  ['pending_unattended', 'Requests that wait while nobody who could sign has a console open'],
  ['grants', 'Lasting grants in force, used or not'],
  ['consoles', 'Attached consoles'],
  ['waiters', 'Callers that wait for a request to move'],
  ['notifications_waiting', 'Notifications that have not got through, or are not due yet'],
  ['notifications_failing', '1 while the last run of the notification command failed'],
  ['tls_certificate_expiry_seconds', 'When the certificate ends, in seconds since 1970; 0 without TLS'],
  ['doors_outdated', 'Doors whose signers file is not what the roster exports'],
  ['reviews_open', 'Openings by the requester alone that not enough others have looked at'],
  ['events_unsigned', 'Events after the newest signed head of the log'],
  ['policy_refused', '1 while the policy file as it is now is not in force'],
  ['policy_groups_failing', 'Groups of the policy file whose command failed at its last run'],
  ['webhooks_refused', '1 while the file of webhooks as it was last read is not in force'],
  ['restored', '1 from a restore until an approver has acknowledged it'],
];
