import type { Logger } from 'pino';
import type { Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { WebhooksStanding, WebhookTestReply } from '../../src/protocol/webhook-messages.js';
import type { RandomBytes } from '../access/tokens.js';
import type { Sender } from '../outbox/sender.js';
import type { Validation } from '../requests/submissions.js';
import { NO_WEBHOOKS, readWebhooks, type WebhooksConfiguration } from './configuration.js';
import { Endpoint, NoAnswer } from './endpoint.js';
import { type NewAsk, type Validated, Validators } from './validation.js';
import { WebhookSender } from './webhook-sender.js';

export interface RunningWebhooksContext {
  /** Path of the file; null for none. */
  readonly file: string | null;
  readonly clock: () => EpochMs;
  readonly random: RandomBytes;
  readonly log: Logger;
  readonly count: (validator: string, outcome: Validated) => void;
  /** What the broker is called in what it sends. */
  readonly broker: () => Fingerprint;
  /** Sends events to these from now on, and to no other webhook. */
  readonly use: (senders: readonly Sender[]) => Promise<void>;
}

/** The webhooks of a running broker, as their file last said. */
export class RunningWebhooks implements Validation {
  readonly #context: RunningWebhooksContext;
  #configuration: WebhooksConfiguration;
  #validators: Validators;
  #refused: WebhooksStanding['refused'] = null;
  #loading: Promise<void> = Promise.resolve();

  private constructor(context: RunningWebhooksContext, configuration: WebhooksConfiguration) {
    this.#context = context;
    this.#configuration = configuration;
    this.#validators = this.#made(configuration);
  }

  /**
   * Nobody is sent anything before {@link start}.
   *
   * @throws Problem `bad-webhooks`, `unsafe-file`
   */
  static async open(context: RunningWebhooksContext): Promise<RunningWebhooks> {
    const { file } = context;
    return new RunningWebhooks(context, file === null ? NO_WEBHOOKS : await readWebhooks(file));
  }

  /** @throws Problem `storage-failed` */
  start(): Promise<void> {
    return this.#take(this.#configuration);
  }

  isAskedFor(action: Name): boolean {
    return this.#validators.isAskedFor(action);
  }

  check(ask: NewAsk): Promise<readonly string[]> {
    return this.#validators.check(ask);
  }

  /**
   * Calls one of them now, whether it is sent events or asked.
   *
   * @throws Problem `not-found`
   */
  async ping(name: string): Promise<WebhookTestReply> {
    const { clock, random, broker } = this.#context;
    const { webhooks, validate } = this.#configuration;
    const receiver = [...webhooks, ...validate].find((one) => one.name === name);
    if (receiver === undefined) {
      throw new Problem('not-found', 'there is no webhook of that name', {
        hint: 'give a name of the file of webhooks that the broker has read: see its log',
      });
    }
    const endpoint = new Endpoint(receiver, clock);
    const data = { broker: broker(), summary: 'A test of this webhook' };
    const body = JSON.stringify({ type: 'ping', timestamp: formatTime(clock()), data });
    try {
      const letter = { id: `ping-${random(16).toString('hex')}`, body };
      const { status } = await endpoint.post(letter, new AbortController().signal);
      return { status, why: null };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return { status: null, why: error.message };
    } finally {
      endpoint.close();
    }
  }

  /** Reads the file and all that it names again. Never throws: where anything is wrong, all stays as it was. */
  reload(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#reload());
    return this.#loading;
  }

  /** Questions that are under way fail; what is being sent is the outbox's to end. */
  stop(): void {
    this.#validators.close();
  }

  /** Null without a file. */
  standing(): WebhooksStanding | null {
    const { file } = this.#context;
    return file === null ? null : { file, refused: this.#refused };
  }

  async #reload(): Promise<void> {
    const { file, log, clock } = this.#context;
    if (file === null) return;
    try {
      await this.#take(await readWebhooks(file));
      this.#refused = null;
    } catch (error) {
      const mistakes = (error as Error).message.split('\n');
      this.#refused = { since: clock(), mistakes };
      log.error({ event: 'webhooks-refused', file, mistakes }, 'the webhooks stay as they were');
    }
  }

  /** Questions and deliveries that are under way are ended by whoever began them. */
  async #take(configuration: WebhooksConfiguration): Promise<void> {
    const { file, clock, log, broker, use } = this.#context;
    const { webhooks, validate } = configuration;
    await use(webhooks.map((webhook) => new WebhookSender(webhook, broker, clock)));
    this.#configuration = configuration;
    this.#validators = this.#made(configuration);
    if (file === null) return;
    const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
    log.info({ event: 'webhooks-loaded', file, webhooks: names(webhooks), validate: names(validate) });
  }

  #made({ validate }: WebhooksConfiguration): Validators {
    const { clock, random, log, count } = this.#context;
    return new Validators(validate, {
      clock,
      random,
      onAnswer(validator, outcome, why, { bound, submitter }) {
        count(validator, outcome);
        if (outcome === 'allowed') return;
        log.warn({ event: `validation-${outcome}`, validator, why, submitter, digest: bound.digest });
      },
    });
  }
}
