import type { CanariesReply } from '../../../src/protocol/canary.js';
import type { RequestId } from '../../../src/protocol/names.js';

/** Of somebody who reads most of what he signs. */
export const missedSome: CanariesReply = {
  caught: 9,
  missed: [
    { id: '01KG8J0PX0ABCDEF0000000002' as RequestId, revealed: Date.UTC(2026, 0, 20, 9, 30) },
    { id: '01KG8J0PX0ABCDEF0000000001' as RequestId, revealed: Date.UTC(2026, 0, 2, 22, 5) },
  ],
  missedCount: 3,
  searchedTo: null,
};
