import type { Screen } from '../screen/screen.js';
import { stay } from '../state/console-effects.js';
import { isBack } from '../state/console-state.js';
import { label } from '../text/safe-text.js';
import { hiddenInHistory, historyLines, historyPosition, historyStatus } from './history-lines.js';
import { openHistory, resumeSearch, settleHistory, stepHistory, typeIntoSearch } from './history-step.js';

/** What was ever asked, by a filter, the newest first. */
export const HISTORY_SCREEN: Screen = {
  title: label`History`,
  entrances: [['toHistory', (state) => stay(openHistory(state))]],
  context: ({ history }) => (history.isWriting ? 'filter' : 'history'),
  target: ({ history: { isWriting, search } }) =>
    isWriting ? 'filter' : `history ${search?.number} ${search?.selected}`,
  step: stepHistory,
  paste: (state, text) => (state.history.isWriting ? typeIntoSearch(state, text) : null),
  onQueue: (state, { link }) => stay(isBack(state, link) ? resumeSearch(state) : state),
  settle: settleHistory,
  lines: historyLines,
  status: historyStatus,
  position: historyPosition,
  hidden: hiddenInHistory,
};
