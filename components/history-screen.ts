import { stay } from './console-effects.js';
import { hiddenInHistory, historyLines, historyPosition, historyStatus } from './history-lines.js';
import { openHistory, stepHistory } from './history-step.js';
import { label } from './safe-text.js';
import type { Screen } from './screens.js';

/** What was ever asked, by a filter, the newest first. */
export const HISTORY_SCREEN: Screen = {
  title: label`History`,
  action: 'toHistory',
  enter: (state) => stay(openHistory(state, { isWriting: false })),
  context: ({ history }) => (history.isWriting ? 'filter' : 'history'),
  target: ({ history: { isWriting, search } }) =>
    isWriting ? 'filter' : `history ${search?.number} ${search?.selected}`,
  step: stepHistory,
  lines: historyLines,
  status: historyStatus,
  position: historyPosition,
  hidden: hiddenInHistory,
};
