import { BROKER_SUBMITTER } from '../../src/protocol/change-messages.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';

/** The broker, where it asks its own approvers. Known by identity, never by name: no credential leads to it. */
export const BROKER_ITSELF: Submitter = {
  name: BROKER_SUBMITTER,
  credential: { kind: 'socket' },
  limits: { actions: ['*'], resources: ['*'], doors: ['*'], requesters: ['*'] },
};
