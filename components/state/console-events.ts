import type { ClipboardWay } from '../../src/client/clipboard.js';
import type { Enrolled, MadeChange } from '../../src/client/directory.js';
import type { HistoryPage } from '../../src/client/history.js';
import type { LetterName } from '../../src/client/outbox.js';
import type { Queue } from '../../src/client/queue.js';
import type { Background } from '../../src/protocol/background.js';
import type { CanariesReply } from '../../src/protocol/canary.js';
import type { ExplanationReply } from '../../src/protocol/explanation.js';
import type { GrantsReply } from '../../src/protocol/grant-messages.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { OutboxReply } from '../../src/protocol/outbox-messages.js';
import type { PolicyReply } from '../../src/protocol/policy-messages.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { Statistics } from '../../src/protocol/statistics.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Complaint } from '../history/history-state.js';
import type { Press } from '../keys/press.js';
import type { Identity, Size } from './console-state.js';

/** Everything that can happen to the console. Times are by our clock. */
export type ConsoleEvent =
  /** Before a queue: who the broker is may have changed with its connection. */
  | { readonly type: 'identified'; readonly broker: Pick<Identity, 'fingerprint' | 'pins'> }
  | { readonly type: 'queue'; readonly queue: Queue; readonly at: EpochMs }
  | { readonly type: 'tick'; readonly at: EpochMs }
  | { readonly type: 'resize'; readonly size: Size }
  /** The shell has given the terminal back. */
  | { readonly type: 'resumed'; readonly at: EpochMs }
  | { readonly type: 'press'; readonly press: Press; readonly at: EpochMs }
  | { readonly type: 'paste'; readonly text: string; readonly at: EpochMs }
  | { readonly type: 'painted'; readonly frame: PaintedFrame; readonly at: EpochMs }
  /** The signature that the confirm step waits for is made, and on its way. */
  | { readonly type: 'sending' }
  | { readonly type: 'decided' }
  | { readonly type: 'acknowledged' }
  | ({ readonly type: 'failed'; readonly of: Failing } & Complaint)
  | BulkEvent
  | CopyEvent
  | BackgroundEvent
  | HistoryEvent
  | GrantsEvent
  | PeopleEvent
  | PolicyEvent
  | StatisticsEvent
  | CanariesEvent
  | OutboxEvent
  | TalkEvent;

/**
 * What failed: the signature that the confirm step waits for, that nobody answered for it once it was sent, or something
 * beside it.
 */
export type Failing = 'copy' | 'decision' | 'unanswered' | 'acknowledgement' | 'letter' | 'suspension';

/** That the denial of one of many is signed and on its way; that it is denied, or had ended by itself; or that no more of them follow. */
export type BulkEvent =
  | { readonly type: 'sendingDenial' }
  | { readonly type: 'denied'; readonly id: RequestId; readonly isEnded: boolean }
  | { readonly type: 'denyingOver'; readonly failure: Complaint | null };

/** Text was handed on to be pasted elsewhere. */
export interface CopyEvent {
  readonly type: 'copied';
  readonly what: 'id' | 'ask';
  readonly id: RequestId;
  readonly way: ClipboardWay;
}

/** What came before the request of that id, or that the broker did not tell. */
export type BackgroundEvent =
  | { readonly type: 'background'; readonly id: RequestId; readonly background: Background }
  | ({ readonly type: 'noBackground'; readonly id: RequestId } & Complaint);

/** What became of the search of that number. */
export type HistoryEvent =
  | { readonly type: 'found'; readonly search: number; readonly page: HistoryPage }
  | ({ readonly type: 'notFound'; readonly search: number } & Complaint);

/** The answer to the question of that number. */
export type GrantsEvent =
  | { readonly type: 'toldOfGrants'; readonly number: number; readonly reply: GrantsReply }
  | ({ readonly type: 'notToldOfGrants'; readonly number: number } & Complaint);
/** Who is enrolled, or that the broker did not tell. */
export type PeopleEvent =
  | { readonly type: 'enrolled'; readonly number: number; readonly enrolled: Enrolled }
  | ({ readonly type: 'notEnrolled'; readonly number: number } & Complaint)
  | ChangeEvent;

/** The policy, or how a request came under it; or that the broker did not tell. */
export type PolicyEvent =
  | { readonly type: 'policy'; readonly number: number; readonly reply: PolicyReply }
  | { readonly type: 'explained'; readonly number: number; readonly reply: ExplanationReply }
  | ({ readonly type: 'noPolicy' | 'notExplained'; readonly number: number } & Complaint);

/** What became of the change of that number. */
export type ChangeEvent =
  | { readonly type: 'changeMade'; readonly number: number; readonly made: MadeChange }
  | ({ readonly type: 'changeNotMade'; readonly number: number } & Complaint);

/** The answer to the question of that number. */
export type StatisticsEvent =
  | { readonly type: 'counted'; readonly number: number; readonly statistics: Statistics }
  | ({ readonly type: 'notCounted'; readonly number: number } & Complaint);

/** The answer to the question of that number. */
export type CanariesEvent =
  | { readonly type: 'toldOfCanaries'; readonly number: number; readonly canaries: CanariesReply }
  | ({ readonly type: 'notToldOfCanaries'; readonly number: number } & Complaint);

/** The answer to the question of that number, or that what was asked for a dead letter is done. */
export type OutboxEvent =
  | { readonly type: 'letters'; readonly number: number; readonly reply: OutboxReply }
  | ({ readonly type: 'noLetters'; readonly number: number } & Complaint)
  | { readonly type: 'letterSettled'; readonly letter: LetterName; readonly how: 'retried' | 'dropped' };

/** What became of a comment or an escalation. */
export type TalkEvent =
  | { readonly type: 'said'; readonly id: RequestId }
  | { readonly type: 'escalated'; readonly id: RequestId }
  | ({ readonly type: 'notTalked'; readonly id: RequestId } & Complaint);

/** What a frame that reached the terminal showed. */
export interface PaintedFrame {
  readonly target: string;
  /** The lines of the opened request that must be read and were in it. */
  readonly mustRead: {
    readonly id: RequestId;
    readonly columns: number;
    readonly from: number;
    readonly to: number;
  } | null;
  /** The request beside the queue of which all that must be read was in it. */
  readonly previewed: { readonly request: RequestView; readonly columns: number } | null;
}
