import * as z from 'zod';
import type { SignedHead } from '../../src/protocol/audit-head.js';
import type { DoorStanding } from '../../src/protocol/door-messages.js';
import type { SinkStanding } from '../../src/protocol/outbox-messages.js';
import { type PolicyStanding, refusedPolicySchema } from '../../src/protocol/policy-messages.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { restraintsOnWire } from '../requests/restraints.js';
import { reviewsOnWire } from '../requests/view.js';
import type { Store } from '../store/store.js';
import { encode } from './event-message.js';

/**
 * What was said last of everything that is no request. A console is told all of it when it comes, whatever it has missed; the
 * others are told what is another than before.
 */
export class StandingMessages {
  readonly #store: Store;
  readonly #clock: () => EpochMs;
  /** Of the reviews that are open. */
  #reviews: Buffer;
  #reviewed: ReturnType<Store['reviews']>;
  /** Of who is locked or muted. */
  #restraints: Buffer;
  #restrained: ReturnType<Store['restraints']>;
  /** Of the doors whose signers file is an old one. */
  #doors: Buffer = encode({ type: 'doors', outdated: [] });
  /** Of what leaves the broker; null while nothing ever did. */
  #outbox: Buffer | null = null;
  /** Of the policy file; null where there is none. */
  #policy: Buffer | null = null;
  /** The newest head of the log; null where none was signed yet. */
  #head: Buffer | null = null;

  constructor(store: Store, clock: () => EpochMs) {
    this.#store = store;
    this.#clock = clock;
    this.#reviewed = store.reviews();
    this.#reviews = this.#encodeReviews();
    this.#restrained = store.restraints();
    this.#restraints = this.#encodeRestraints();
    const head = store.newestHead();
    this.#head = head === null ? null : encode({ type: 'head', ...head });
  }

  all(): readonly Buffer[] {
    const said = [this.#doors, this.#restraints, this.#reviews, this.#policy, this.#head, this.#outbox];
    return said.filter((bytes) => bytes !== null);
  }

  /** What the newest commits have changed of reviews and restraints. */
  takeCommitted(): readonly Buffer[] {
    return [...this.#takeReviews(), ...this.#takeRestraints()];
  }

  /** Null where consoles know it already. */
  takeDoors(doors: readonly DoorStanding[]): Buffer | null {
    const outdated = doors
      .filter((standing) => standing.outdated)
      .map(({ door, since }) => ({ door, since: formatTime(since) }));
    const bytes = encode({ type: 'doors', outdated });
    if (bytes.equals(this.#doors)) return null;
    this.#doors = bytes;
    return bytes;
  }

  /** Null where consoles know it already. */
  takePolicy(standing: PolicyStanding | null): Buffer | null {
    if (standing === null) return null;
    const failing = standing.groups.filter((group) => group.failing !== null).map(({ name }) => name);
    const refused = z.encode(z.nullable(refusedPolicySchema), standing.refused);
    const bytes = encode({ type: 'policy', refused, failing });
    if (this.#policy !== null && bytes.equals(this.#policy)) return null;
    this.#policy = bytes;
    return bytes;
  }

  takeHead(head: SignedHead): Buffer {
    this.#head = encode({ type: 'head', ...head });
    return this.#head;
  }

  /** Null where consoles know it already. */
  takeOutbox(sinks: readonly SinkStanding[]): Buffer | null {
    if (sinks.length === 0 && this.#outbox === null) return null;
    const bytes = encode({ type: 'outbox', sinks });
    if (this.#outbox !== null && bytes.equals(this.#outbox)) return null;
    this.#outbox = bytes;
    return bytes;
  }

  #takeReviews(): readonly Buffer[] {
    if (this.#store.reviews() === this.#reviewed) return [];
    this.#reviewed = this.#store.reviews();
    this.#reviews = this.#encodeReviews();
    return [this.#reviews];
  }

  /** Nothing where only denials were counted. */
  #takeRestraints(): readonly Buffer[] {
    if (this.#store.restraints() === this.#restrained) return [];
    this.#restrained = this.#store.restraints();
    const bytes = this.#encodeRestraints();
    if (bytes.equals(this.#restraints)) return [];
    this.#restraints = bytes;
    return [bytes];
  }

  #encodeReviews(): Buffer {
    return encode({ type: 'reviews', open: reviewsOnWire(this.#reviewed) });
  }

  #encodeRestraints(): Buffer {
    return encode({ type: 'restraints', ...restraintsOnWire(this.#restrained, this.#clock()) });
  }
}
