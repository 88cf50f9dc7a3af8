import type { Fingerprint } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { OutgoingMessage, Sender, Sent } from '../outbox/sender.js';
import type { Webhook } from './configuration.js';
import { Endpoint, NoAnswer } from './endpoint.js';
import { eventBody } from './event-body.js';
import { matchesKind } from './webhooks-file.js';

/** Somebody is there and can take nothing now. */
const BUSY: readonly number[] = [429, 502, 503, 504];
/** Answers to a fault of the set-up, or that pass: the same message may be taken another time. */
const MENDABLE: readonly number[] = [401, 403, 404, 408, 425];
const GONE = 410;

/** Sends events to one webhook. */
export class WebhookSender implements Sender {
  readonly sink: `webhook:${string}`;
  readonly #webhook: Webhook;
  readonly #endpoint: Endpoint;
  readonly #broker: () => Fingerprint;

  constructor(webhook: Webhook, broker: () => Fingerprint, clock: () => EpochMs) {
    this.sink = `webhook:${webhook.name}`;
    this.#webhook = webhook;
    this.#endpoint = new Endpoint(webhook, clock);
    this.#broker = broker;
  }

  wants(kind: string): boolean {
    return this.#webhook.events.some((pattern) => matchesKind(pattern, kind));
  }

  async send(message: OutgoingMessage, abort: AbortSignal): Promise<Sent> {
    const letter = { id: message.key, body: eventBody(message, this.#broker()) };
    try {
      return sentBy((await this.#endpoint.post(letter, abort)).status);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return { outcome: 'unreachable', why: error.message };
    }
  }
}

/** What a receiver means by the status of its answer. */
export function sentBy(status: number): Sent {
  if (status >= 200 && status < 300) return { outcome: 'taken' };
  const why = `it answers with HTTP ${status}`;
  if (status >= 300 && status < 400) return { outcome: 'failed', why: `${why}; redirects are not followed` };
  if (BUSY.includes(status)) return { outcome: 'unreachable', why };
  if (status === GONE) return { outcome: 'gone', why };
  const isRefused = status >= 400 && status < 500 && !MENDABLE.includes(status);
  return { outcome: isRefused ? 'refused' : 'failed', why };
}
