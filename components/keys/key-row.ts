import type { SafeText } from '../text/safe-text.js';
import type { Press } from './press.js';

/** What a person can do. Names of actions, not of keys. */
export type Action =
  | 'down'
  | 'up'
  | 'pageDown'
  | 'pageUp'
  | 'halfDown'
  | 'halfUp'
  | 'first'
  | 'last'
  | 'open'
  | 'otherPane'
  | 'approve'
  | 'deny'
  | 'denyFraud'
  | 'bulkDeny'
  | 'remark'
  | 'say'
  | 'escalate'
  | 'snooze'
  | 'back'
  | 'next'
  | 'previous'
  | 'activate'
  | 'comment'
  | 'cover'
  | 'revoke'
  | 'acknowledge'
  | 'filter'
  | 'find'
  | 'retry'
  | 'drop'
  | 'copyId'
  | 'copyAsk'
  | 'palette'
  | 'run'
  | 'toQueue'
  | 'toHistory'
  | 'toGrants'
  | 'enrolPerson'
  | 'enrolSubmitter'
  | 'setNames'
  | 'changeKeys'
  | 'remove'
  | 'choose'
  | 'explain'
  | 'toPolicy'
  | 'toPeople'
  | 'toOutbox'
  | 'toStatistics'
  | 'shorter'
  | 'longer'
  | 'help'
  | 'suspend'
  | 'redraw'
  | 'reconnect'
  | 'quit';

/**
 * Where keys go. `comment`, `number`, `resource` and `filter` are fields: all that is no key of them is text. `record` is a request of the
 * past, `entry` a person or submitter in full,
 * `form` and `choice` the fields of a change of one, `ask` the step before it is asked for, `drop` the step before a dead letter is dropped.
 * `talk` is the field of a comment to the other approvers, `escalation` the step before everybody is rung.
 */
export type KeyContext =
  | 'queue'
  | 'detail'
  | 'confirm'
  | 'cover'
  | 'comment'
  | 'number'
  | 'resource'
  | 'bulk'
  | 'bulkCount'
  | 'bulkComment'
  | 'history'
  | 'filter'
  | 'record'
  | 'grants'
  | 'people'
  | 'entry'
  | 'policy'
  | 'form'
  | 'choice'
  | 'ask'
  | 'outbox'
  | 'statistics'
  | 'drop'
  | 'talk'
  | 'escalation'
  | 'palette'
  | 'help';

/** One row feeds the matcher, the footer and the help. */
export interface KeyRow {
  readonly action: Action;
  readonly contexts: readonly KeyContext[];
  readonly keys: readonly Press[];
  /** How the keys are written. */
  readonly shown: SafeText;
  /** One or two words for the footer; null where it stands in the help only. */
  readonly hint: SafeText | null;
  /** Instead of it, on the screen of the queue. */
  readonly queueHint?: SafeText;
  /** How early its hint goes where there is no room for all, the highest first: such a key is found without it. Absent: 0, the last ones first; below that only what nobody may be without. */
  readonly yields?: number;
  readonly explained: SafeText;
  /** A held key repeats it; all else takes exactly one character. */
  readonly repeats?: true;
  /** It answers a banner, which names it: it does nothing, and stands nowhere else, while that is not shown. */
  readonly isInBanner?: true;
}

/** Rows that belong together, under one title in the help. */
export interface KeySection {
  readonly title: SafeText;
  readonly rows: readonly KeyRow[];
}
