import { monotonicFactory } from 'ulid';
import type { RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { RandomBytes } from '../access/tokens.js';

/** A ULID draws 16 numbers of 4 bytes. Drawn one by one they cost half as much as verifying a signature. */
const DRAWN_AT_ONCE = 1024;

/** Makes ids of new requests: ULIDs that rise, also within one millisecond. */
export function requestIds(clock: () => EpochMs, random: RandomBytes): () => RequestId {
  let drawn: Buffer = Buffer.alloc(0);
  const fraction = (): number => {
    if (drawn.length === 0) drawn = random(DRAWN_AT_ONCE);
    const number = drawn.readUInt32BE();
    drawn = drawn.subarray(4);
    return number / 2 ** 32;
  };
  const next = monotonicFactory(fraction);
  return () => next(clock()) as RequestId;
}
