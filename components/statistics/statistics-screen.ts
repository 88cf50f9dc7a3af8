import type { Screen } from '../screen/screen.js';
import { stay } from '../state/console-effects.js';
import { isBack } from '../state/console-state.js';
import { label } from '../text/safe-text.js';
import {
  hiddenInStatistics,
  statisticsLines,
  statisticsPosition,
  statisticsStatus,
} from './statistics-lines.js';
import { openStatistics, resume, settleStatistics, stepStatistics } from './statistics-step.js';

/** How long people wait, who decides how much, and what becomes of what is asked. */
export const STATISTICS_SCREEN: Screen = {
  title: label`Statistics`,
  entrances: [['toStatistics', openStatistics]],
  context: () => 'statistics',
  target: ({ statistics }) => `statistics ${statistics.days}`,
  step: stepStatistics,
  onQueue: (state, { link }) => (isBack(state, link) ? resume(state) : stay(state)),
  settle: settleStatistics,
  lines: statisticsLines,
  status: statisticsStatus,
  position: statisticsPosition,
  hidden: hiddenInStatistics,
};
