import type { KeyContext } from '../keys/key-row.js';
import type { Screen } from '../screen/screen.js';
import type { ConsoleState } from '../state/console-state.js';
import { label } from '../text/safe-text.js';
import { bulkLines, bulkPosition, bulkStatus } from './bulk-lines.js';
import { bulkTarget, pasteIntoBulk, settleBulk, stepBulk } from './bulk-step.js';

/** The step before many denials at once: reached from a request, and from nowhere else. */
export const BULK_DENIAL_SCREEN: Screen = {
  title: label`Deny`,
  entrances: [],
  context: contextOf,
  target: bulkTarget,
  step: stepBulk,
  paste: pasteIntoBulk,
  settle: settleBulk,
  lines: bulkLines,
  status: bulkStatus,
  position: bulkPosition,
  hidden: ({ bulk }) => (bulk?.signing == null ? [] : ['next', 'bulkDeny', 'pageDown', 'down']),
};

function contextOf({ bulk }: ConsoleState): KeyContext {
  if (bulk?.focused === 'count') return 'bulkCount';
  return bulk?.focused === 'comment' ? 'bulkComment' : 'bulk';
}
