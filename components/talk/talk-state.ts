import type { RequestId } from '../../src/protocol/names.js';
import type { SafeText } from '../text/safe-text.js';
import type { TextLine } from '../text/text-line.js';

/** What stands below the opened request while an approver speaks to the others about it, or is about to have them rung. */
export type TalkPanel = {
  readonly id: RequestId;
  readonly isSending: boolean;
  /** Why the last try failed. */
  readonly failure: { readonly message: SafeText; readonly hint: SafeText } | null;
} & (
  | { readonly kind: 'comment'; readonly text: TextLine }
  | { readonly kind: 'escalation'; readonly focused: EscalationButton }
);

export type CommentPanel = Extract<TalkPanel, { kind: 'comment' }>;
export type EscalationPanel = Extract<TalkPanel, { kind: 'escalation' }>;
type EscalationButton = 'cancel' | 'ring';
