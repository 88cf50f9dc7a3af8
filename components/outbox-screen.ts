import { hiddenInOutbox, outboxLines, outboxPosition, outboxStatus } from './outbox-lines.js';
import { selectedLetter } from './outbox-state.js';
import { openOutbox, stepOutbox } from './outbox-step.js';
import { label } from './safe-text.js';
import type { Screen } from './screens.js';

/** What leaves the broker, and what of it was given up. */
export const OUTBOX_SCREEN: Screen = {
  title: label`Outbox`,
  action: 'toOutbox',
  enter: openOutbox,
  context: ({ outbox }) => (outbox.dropping === null ? 'outbox' : 'drop'),
  target({ outbox }) {
    const { dropping } = outbox;
    const letter = dropping?.letter ?? selectedLetter(outbox);
    return `outbox ${letter?.event} ${letter?.sink} ${dropping?.focused}`;
  },
  step: stepOutbox,
  lines: outboxLines,
  status: outboxStatus,
  position: outboxPosition,
  hidden: hiddenInOutbox,
};
