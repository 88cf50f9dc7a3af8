import type { Attention } from '../../src/protocol/attention.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseRule } from '../../src/protocol/rule.js';
import { checkApprover } from '../policy/quorum.js';
import type { Request } from '../requests/request.js';
import type { Principals } from '../roster/principals.js';

export interface AttendanceContext {
  readonly principals: () => Principals;
  /** Approvers with a console open. */
  readonly attached: () => ReadonlySet<Name>;
  /** Whether there is a notification command, and it did what it should when it last ran. */
  readonly notifies: () => boolean;
}

/** Tells whether anybody who could sign a pending request is looking at a console. */
export class Attendance {
  readonly #context: AttendanceContext;

  constructor(context: AttendanceContext) {
    this.#context = context;
  }

  /** Null once the request is no longer pending. */
  of(request: Request): Attention | null {
    if (request.state !== 'pending') return null;
    if (this.isAttended(request)) return 'attended';
    return this.#context.notifies() ? 'notified' : 'unattended';
  }

  isAttended(request: Request): boolean {
    const { attached } = this.#context;
    return [...attached()].some((approver) => this.#couldSign(approver, request));
  }

  /** Under the rule that the request pinned; whoever has signed already adds nothing. */
  #couldSign(approver: Name, { rule, document, votes }: Request): boolean {
    if (votes.some((vote) => vote.approver === approver)) return false;
    const { principals } = this.#context;
    try {
      checkApprover(parseRule(rule), document.requester, approver, principals());
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }
}
