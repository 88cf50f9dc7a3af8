import type { Screen } from '../screen/screen.js';
import { label } from '../text/safe-text.js';
import { grantsLines, grantsPosition, grantsStatus, hiddenInGrants } from './grants-lines.js';
import { endOf, lastUse } from './grants-state.js';
import { followQueue, openGrants, settleGrants, stepGrants } from './grants-step.js';
import { grantCapacity, grantItems, requestsOf } from './grants-window.js';

/** What may pass without another signature, and what doors would end at once. */
export const GRANTS_SCREEN: Screen = {
  title: label`Grants`,
  entrances: [['toGrants', openGrants]],
  context: () => 'grants',
  target: ({ grants }) => `grants ${grants.selected}`,
  step: stepGrants,
  onQueue: followQueue,
  settle: settleGrants,
  *clocks(state) {
    const { top, told } = state.grants;
    for (const request of requestsOf(grantItems(state).slice(top, top + grantCapacity(state)))) {
      const since = lastUse(request, state.queue.requests, told) ?? request.submittedAt;
      const isGrant = request.state !== 'redeemed';
      yield { since, until: (isGrant ? endOf(request) : null) ?? Number.POSITIVE_INFINITY };
    }
  },
  lines: grantsLines,
  status: grantsStatus,
  position: grantsPosition,
  hidden: hiddenInGrants,
};
