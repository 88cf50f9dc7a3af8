import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** Where something goes when it leaves the broker: to the notification command, or to a webhook by its name. */
export type Sink = 'command' | `webhook:${string}`;

/** Whether a sink is sent the log itself, and not only what the broker hands to it. */
export const followsLog = (sink: Sink): boolean => sink !== 'command';

/** Names a delivery for ever, to its receiver too, who may get it more than once. */
export interface DeliveryName {
  /** Number of the event that it tells of. */
  readonly event: number;
  readonly sink: Sink;
}

/** The step of a delivery that tells everybody, whatever the escalation says. */
export const EVERYBODY = -1;

/** The step of a delivery that tells all who could sign: an approver has asked for that. */
export const EVERY_SIGNER = -2;

/** When something that did not get through is tried again. */
export interface NextTry {
  /** Which step of the escalation it is to be; {@link EVERYBODY} or {@link EVERY_SIGNER} at once instead. */
  readonly step: number;
  readonly attempts: number;
  readonly due: EpochMs;
}

/** What must leave the broker, kept until it has, or until there is no point in it any more. */
export interface Delivery extends DeliveryName, NextTry {
  /** Null for an event that is about none. */
  readonly request: RequestId | null;
  /** Since when its tries fail, and how the last one did; null where none has. */
  readonly failingSince: EpochMs | null;
  readonly error: string | null;
  /** How often the receiver answered that it is not acceptable. */
  readonly refusals: number;
  /** When it was given up; then it is not sent, and nothing of the same request behind it, until somebody decides. */
  readonly dead: EpochMs | null;
}

/** What can change about a delivery. */
export type DeliveryChange = Partial<Omit<Delivery, keyof DeliveryName | 'request'>>;

/** Where a sink stands that is sent the log itself, event by event. */
export interface SinkProgress {
  /** Number of the event up to which the log was taken into the outbox for it. */
  readonly position: number;
  /** Deliveries in the outbox, dead ones among them, and dead ones alone. */
  readonly deliveries: number;
  readonly dead: number;
}

/** Which dead letters: one by its event, or all that were dead by a time. */
export type DeadLetters =
  | { readonly sink: Sink; readonly event: number }
  | { readonly sink: Sink; readonly before: EpochMs; readonly limit: number };
