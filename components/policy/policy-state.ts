import type { ExplanationReply } from '../../src/protocol/explanation.js';
import type { PolicyReply } from '../../src/protocol/policy-messages.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { Complaint } from '../history/history-state.js';
import type { ConsoleState } from '../state/console-state.js';

/** The policy as it is looked at: its rules, or how one request came under one of them. */
export interface PolicyState {
  /** Replies to questions with other numbers are nobody's; 0 before the first. */
  readonly number: number;
  readonly failure: Complaint | null;
  readonly reply: PolicyReply | null;
  /** The first line that is on the screen. */
  readonly top: number;
  /** The request that is explained; null where the rules are looked at. */
  readonly explained: ExplainedRequest | null;
}

export interface ExplainedRequest {
  readonly number: number;
  /** As it was when that was asked for. */
  readonly request: RequestView;
  readonly failure: Complaint | null;
  readonly reply: ExplanationReply | null;
  readonly top: number;
}

export const CLOSED_POLICY: PolicyState = { number: 0, failure: null, reply: null, top: 0, explained: null };

export const withPolicy = (state: ConsoleState, change: Partial<PolicyState>): ConsoleState => ({
  ...state,
  policy: { ...state.policy, ...change },
});
