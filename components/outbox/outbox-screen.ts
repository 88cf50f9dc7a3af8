import type { Screen } from '../screen/screen.js';
import { stay } from '../state/console-effects.js';
import { isBack } from '../state/console-state.js';
import { label } from '../text/safe-text.js';
import { hiddenInOutbox, outboxLines, outboxPosition, outboxStatus } from './outbox-lines.js';
import { selectedLetter } from './outbox-state.js';
import { openOutbox, refresh, settleOutbox, stepOutbox } from './outbox-step.js';

/** What leaves the broker, and what of it was given up. */
export const OUTBOX_SCREEN: Screen = {
  title: label`Outbox`,
  entrances: [['toOutbox', openOutbox]],
  context: ({ outbox }) => (outbox.dropping === null ? 'outbox' : 'drop'),
  target({ outbox }) {
    const { dropping } = outbox;
    const letter = dropping?.letter ?? selectedLetter(outbox);
    return `outbox ${letter?.event} ${letter?.sink} ${dropping?.focused}`;
  },
  step: stepOutbox,
  onQueue: (state, { link, outbox }) =>
    isBack(state, link) || state.queue.outbox !== outbox ? refresh(state) : stay(state),
  settle: settleOutbox,
  lines: outboxLines,
  status: outboxStatus,
  position: outboxPosition,
  hidden: hiddenInOutbox,
};
