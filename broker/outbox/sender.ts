import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Request } from '../requests/request.js';
import type { Sink } from '../store/deliveries.js';

/** One event on its way out. */
export interface OutgoingMessage {
  /** `EPOCH-SEQ`, the same at every try, after a restart and after a restore: by it a receiver knows a repeat. */
  readonly key: string;
  /** The life of the database in which the event was written; {@link seq} means something only within it. */
  readonly epoch: string;
  readonly seq: number;
  /** When the event was written, by the broker's clock. */
  readonly at: EpochMs;
  readonly kind: string;
  /** The request that it is about; null for one of roster, policy, store and the like. */
  readonly request: RequestId | null;
  /** Canonical JSON, as the log has it; null where it was erased. */
  readonly body: string | null;
  /** That request as it stands in the store now, which may be further on than at the event; null where there is none. */
  readonly subject: Request | null;
  /** 1 for the first try. */
  readonly attempt: number;
}

/** What has become of one try. `why` is told to people: one line, without secrets. */
export type Sent =
  | { readonly outcome: 'taken' }
  | {
      /**
       * - `unreachable`: nobody answered, or who answered can take nothing now (no connection, TLS, time over, 429, 503). It is
       *   the receiver's state and not the message's: all of the sink pauses, and one message at a time tries whether it is over.
       * - `failed`: it was answered with an error that may be gone the next time. Others are sent meanwhile.
       * - `refused`: it was answered that this message is not acceptable. Given up after a few tries.
       * - `gone`: it was answered that no message ever will be. Given up at once.
       */
      readonly outcome: 'unreachable' | 'failed' | 'refused' | 'gone';
      readonly why: string;
    };

/** Brings events to one receiver. The outbox sees to order, repeats and pauses; it follows the log on behalf of this. */
export interface Sender {
  readonly sink: Sink;
  /** Whether this receiver is told of events of this kind. */
  wants(kind: string): boolean;
  /**
   * Makes one try. What it rejects with counts as `failed`, so that a defect of one message holds up no other. After
   * `abort` nobody waits for the outcome, and the message is sent again another time.
   */
  send(message: OutgoingMessage, abort: AbortSignal): Promise<Sent>;
}
