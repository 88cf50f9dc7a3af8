import type { RequestId } from '../../src/protocol/names.js';
import { describeFailure, type Performers, type World } from '../state/performers.js';

/** Says something to the other approvers, or has them rung. */
export function talkEffects({ connection, dispatch }: World): Pick<Performers, 'comment' | 'escalate'> {
  const settle = (work: Promise<unknown>, id: RequestId, type: 'said' | 'escalated'): void => {
    work.then(
      () => dispatch({ type, id }),
      (error: unknown) => dispatch({ type: 'notTalked', id, ...describeFailure(error) }),
    );
  };
  return {
    comment: ({ id, text }) => settle(connection.talk.comment(id, text), id, 'said'),
    escalate: ({ id }) => settle(connection.talk.escalate(id), id, 'escalated'),
  };
}
