/** In what a log is bad. */
export type Fault =
  /** An entry is not what its hash says, or does not follow the one before. */
  | 'edited'
  /** Another entry stands where this one should: it was deleted, or entries changed places. */
  | 'missing'
  /** Entries say something else than a head or another export of the same log. */
  | 'forked'
  /** A head or another export goes further than the entries. */
  | 'truncated'
  /** A head does not verify. */
  | 'bad-head'
  /** The broker's key changed, and nobody who is trusted vouches for the new one. */
  | 'unknown-key'
  /** A body is gone, and no entry says that it was erased. */
  | 'body-gone'
  /** Something in an entry is not what a broker writes, or a signature in it does not hold. */
  | 'invalid'
  /** A line of an export is no line of an export. */
  | 'malformed';

/** The first entry of a log that is bad, and why. */
export interface Finding {
  /** Its number, or the number of the entry that should have stood there. */
  readonly seq: number;
  /** The entry itself is known to lie from here to {@link seq}; equal to it where it is known exactly. */
  readonly from: number;
  readonly fault: Fault;
  readonly why: string;
}

export const finding = (fault: Fault, seq: number, why: string, from = seq): Finding => ({
  seq,
  from,
  fault,
  why,
});
