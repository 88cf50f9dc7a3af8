import { sha256Digest } from '../../../src/protocol/canonical.js';
import type { Digest } from '../../../src/protocol/names.js';
import type { RosterStep } from '../store.js';
import type { LiveState } from './live-state.js';

/** What one commit changes about signers files and what people sign about them, laid over what is committed. */
export class SignersDraft {
  /** In their newest form. */
  readonly steps = new Map<number, RosterStep>();
  /** Those that have no row yet, with their texts. */
  readonly files = new Map<Digest, string>();
  readonly #live: LiveState;
  #size = 0;

  constructor(live: LiveState) {
    this.#live = live;
  }

  /** Text in it, in UTF-16 units. */
  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.steps.size + this.files.size === 0;
  }

  /** Does nothing where it is committed already. */
  keepFile(text: string): void {
    const digest = sha256Digest(text);
    if (this.#live.signersFiles.has(digest)) return;
    this.files.set(digest, text);
    this.#size += text.length;
  }

  /** The steps as they stand after this draft. */
  stepsNow(): readonly RosterStep[] {
    if (this.steps.size === 0) return this.#live.rosterSteps;
    const steps = new Map(this.#live.rosterSteps.map((step) => [step.serial, step]));
    for (const [serial, step] of this.steps) steps.set(serial, step);
    return [...steps.values()].sort((a, b) => a.serial - b.serial);
  }
}
