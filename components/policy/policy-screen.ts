import type { Screen } from '../screen/screen.js';
import { selectedRequest } from '../state/console-state.js';
import { label } from '../text/safe-text.js';
import { policyLines, policyPosition, policyStatus } from './policy-lines.js';
import { openExplanation, openPolicy, refreshPolicy, stepPolicy } from './policy-step.js';

/** The rules in force, and how a request came under one of them. */
export const POLICY_SCREEN: Screen = {
  title: label`Policy`,
  entrances: [
    ['toPolicy', openPolicy],
    ['explain', openExplanation],
  ],
  context: () => 'policy',
  target: ({ policy: { explained } }) => `policy ${explained?.request.id}`,
  step: stepPolicy,
  onQueue: refreshPolicy,
  lines: policyLines,
  status: policyStatus,
  position: policyPosition,
  hidden: (state) => (selectedRequest(state) === null ? ['explain'] : []),
};
