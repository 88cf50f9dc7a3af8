import { parseAuditHead } from '../protocol/audit-head.js';
import { parseSignedText } from '../protocol/receipt.js';
import type { LogFork } from './kept-heads.js';

/** How the log of a broker stands to what was seen of it. */
export interface LogStanding {
  /** That it is not the log that was seen here; null where nothing says so, or a person here has accepted it. */
  readonly fork: LogFork | null;
  /** Why heads can be neither kept nor compared on this machine; null where they can. */
  readonly unkept: {
    readonly message: string;
    readonly hint: string;
    /** What was kept cannot be read any more. */
    readonly isDamaged: boolean;
  } | null;
  /** The log has grown for long after this entry, and no head came that could be checked; null while all is well. */
  readonly unsignedAfter: number | null;
}

export const SOUND_LOG: LogStanding = { fork: null, unkept: null, unsignedAfter: null };

/** In what the log is another one, as half a sentence: numbers and our own words only. */
export function forkWords({
  reason,
  kept,
  from,
  through,
  restored,
}: Pick<LogFork, 'reason' | 'kept' | 'from' | 'through' | 'restored'>): string {
  const seen = kept === null ? 0 : parseAuditHead(parseSignedText(kept).statement).seq;
  if (restored) {
    const gone = from >= seen ? `entry ${seen} as it was` : `entries ${from} to ${seen} as they were`;
    return `it goes on from a back-up, and ${gone} ${from >= seen ? 'is' : 'are'} gone`;
  }
  switch (reason) {
    case 'signature':
      return `what it shows as its head after entry ${from - 1} is not signed with its key`;
    case 'epoch':
      return `from entry ${from} on it is that of another database`;
    case 'shorter':
      return `it ends before entry ${through}`;
    case 'other':
      return from === through
        ? `entry ${from} is not what it was`
        : `one of the entries ${from} to ${through} is not what it was`;
  }
}
