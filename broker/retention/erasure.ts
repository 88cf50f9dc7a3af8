import type { Name, RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** Requests that are kept however old they are, because somebody wants them kept: a legal hold. */
export interface Hold {
  readonly name: Name;
  /** Which ones (filter-text.ts), by times that do not depend on when it is read. */
  readonly filter: string;
  readonly reason: string;
  readonly since: EpochMs;
}

/** Legal holds by name. Immutable: every change makes a new map. */
export type Holds = ReadonlyMap<Name, Hold>;

/** What retention wants erased. */
export interface Erasure {
  readonly ids: readonly RequestId[];
  /** Only those of which nothing was logged from this time on. */
  readonly before: EpochMs;
  /** The holds by which they were looked through. */
  readonly holds: Holds;
  readonly at: EpochMs;
}

/** What has become of it. */
export interface Erased {
  readonly requests: readonly RequestId[];
  /** One that had more entries than one commit takes, and is to be given again. */
  readonly unfinished: RequestId | null;
}
