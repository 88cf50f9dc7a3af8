import type { Whose } from '../../src/client/bulk-denial.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { commentFits, MAX_COMMENT_BYTES } from '../../src/protocol/statement.js';
import { buttonBeside } from '../keys/button-keys.js';
import type { MatchedAction } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { Press } from '../keys/press.js';
import { type Step, stay } from '../state/console-effects.js';
import type { BulkEvent } from '../state/console-events.js';
import { type ConsoleState, isLiveLink, isSettled } from '../state/console-state.js';
import { type Line, span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { editLine, insertText } from '../text/text-line.js';
import { bulkCapacity } from './bulk-lines.js';
import {
  type BulkDenial,
  type BulkSigning,
  type BulkTarget,
  bulkObstacle,
  bulkOf,
  nextWhose,
} from './bulk-state.js';

/** Goes to the step before many denials, with the focus on Cancel: those equal to this one, or all of its requester where it is alone. */
export function openBulk(state: ConsoleState, like: RequestView): ConsoleState {
  const refuse = (line: Line): ConsoleState => ({ ...state, notice: line });
  if (!isLiveLink(state)) return refuse([span(label`not connected to the broker`, 'danger')]);
  const equal = bulkOf(state, like, 'equal');
  const bulk = equal.requests.length > 1 ? equal : bulkOf(state, like, 'requester');
  if (bulk.requests.length === 0) {
    return refuse([span(label`Nothing of these can be denied by you now.`, 'muted')]);
  }
  return { ...state, screen: 'bulkDenial', opened: null, bulk };
}

/** A key in that step. While it is signing, none but Esc is heard. */
export function stepBulk(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  const { bulk } = state;
  if (bulk === null) return stay({ ...state, screen: 'queue' });
  if (bulk.signing !== null) return matched?.action === 'back' ? stop(state, bulk) : stay(state);
  const rows = matched === null ? null : movement(matched, Math.max(1, bulkCapacity(state)));
  if (rows !== null) return stay(scroll(state, bulk, rows));
  switch (matched?.action) {
    case 'back':
      return stay(isField(bulk.focused) ? withBulk(state, bulk, { focused: 'cancel' }) : close(state));
    case 'bulkDeny':
      return stay(choose(state, bulk, nextWhose[bulk.whose]));
    case 'next':
      return stay(withBulk(state, bulk, { focused: buttonBeside(press, 'sign') ?? neighbour(bulk, 1) }));
    case 'previous':
      return stay(withBulk(state, bulk, { focused: neighbour(bulk, -1) }));
    case 'activate':
      return activate(state, bulk);
    default:
      return stay(write(state, bulk, press));
  }
}

/** Pasted text goes into the comment if that has the focus; the number is typed (A35). */
export function pasteIntoBulk(state: ConsoleState, text: string): ConsoleState | null {
  const { bulk } = state;
  if (bulk === null || bulk.signing !== null) return null;
  return bulk.focused === 'comment' ? writeComment(state, bulk, text) : null;
}

/** What became of one of them, or that there is an end to it. */
export function hearBulk(state: ConsoleState, event: BulkEvent): Step {
  const { bulk } = state;
  if (bulk === null) return stay(state);
  if (event.type === 'sendingDenial') return stay(withSigning(state, bulk, { isSent: true }));
  if (event.type === 'denied') {
    const requests = bulk.requests.filter(({ id }) => id !== event.id);
    const how = event.isEnded ? { ended: bulk.ended + 1 } : { signed: bulk.signed + 1 };
    const signing = bulk.signing === null ? null : { ...bulk.signing, isSent: false };
    return stay(withBulk(state, bulk, { requests, seen: requests.length, top: 0, signing, ...how }));
  }
  if (event.failure === null) {
    return stay({ ...state, screen: 'queue', bulk: null, notice: doneLine(bulk) });
  }
  const { failure } = event;
  return stay(withBulk(state, bulk, { signing: null, focused: 'cancel', count: '', failure }));
}

/** What follows from any change: those that a written frame showed are seen, without a gap. */
export function settleBulk(state: ConsoleState): Step {
  const { bulk, painted } = state;
  if (bulk === null || painted.target !== bulkTarget(state)) return stay(state);
  const end = Math.min(bulk.requests.length, bulk.top + bulkCapacity(state));
  if (bulk.top > bulk.seen || end <= bulk.seen) return stay(state);
  return stay(withBulk(state, bulk, { seen: end }));
}

/** Which of them stand on the screen and what Enter would press: after any change of that, keys wait (A4). */
export function bulkTarget(state: ConsoleState): string {
  const { bulk } = state;
  if (bulk === null) return 'bulk';
  const { like, whose, requests, top, focused } = bulk;
  const place = `${top}+${bulkCapacity(state)} of ${requests.length}`;
  return `bulk ${like.id} ${whose} ${place} ${state.size.columns} ${focused}`;
}

function choose(state: ConsoleState, { like, comment }: BulkDenial, whose: Whose): ConsoleState {
  return { ...state, bulk: { ...bulkOf(state, like, whose), comment } };
}

function close(state: ConsoleState): ConsoleState {
  const { bulk } = state;
  const signed = bulk?.signed ?? 0;
  const words = signed === 0 ? label`Cancelled: nothing was signed.` : label`Left with ${signed} signed.`;
  return { ...state, screen: 'queue', bulk: null, notice: [span(words, 'strong')] };
}

/** What is being signed is cancelled; only what was sent already is not. */
function stop(state: ConsoleState, bulk: BulkDenial): Step {
  return stay(withSigning(state, bulk, { isStopping: true }), { type: 'stopDenying' });
}

function withSigning(state: ConsoleState, bulk: BulkDenial, change: Partial<BulkSigning>): ConsoleState {
  return bulk.signing === null ? state : withBulk(state, bulk, { signing: { ...bulk.signing, ...change } });
}

function scroll(state: ConsoleState, bulk: BulkDenial, rows: number): ConsoleState {
  const last = Math.max(0, bulk.requests.length - bulkCapacity(state));
  return withBulk(state, bulk, { top: Math.max(0, Math.min(last, bulk.top + rows)) });
}

const CIRCLE: readonly BulkTarget[] = ['cancel', 'sign', 'count', 'comment'];

const neighbour = ({ focused }: BulkDenial, way: 1 | -1): BulkTarget =>
  CIRCLE.at((CIRCLE.indexOf(focused) + way) % CIRCLE.length) ?? 'cancel';

const isField = (target: BulkTarget): boolean => target === 'count' || target === 'comment';

function activate(state: ConsoleState, bulk: BulkDenial): Step {
  if (isField(bulk.focused)) return stay(withBulk(state, bulk, { focused: 'cancel' }));
  if (!isSettled(state)) return stay(state);
  if (bulk.focused === 'cancel') return stay(close(state));
  if (bulkObstacle(state, bulk) !== null || bulkCapacity(state) === 0) return stay(state);
  const { requests, comment } = bulk;
  const signing = { isSent: false, isStopping: false };
  return stay(withBulk(state, bulk, { signing, failure: null, signed: 0, ended: 0 }), {
    type: 'denyAll',
    requests,
    comment: comment.text,
  });
}

function write(state: ConsoleState, bulk: BulkDenial, press: Press): ConsoleState {
  if (bulk.focused === 'count') return writeCount(state, bulk, press);
  if (bulk.focused !== 'comment') return beginCount(state, bulk, press);
  if ('text' in press) return writeComment(state, bulk, press.text);
  const comment = editLine(bulk.comment, press);
  return comment === null ? state : withBulk(state, bulk, { comment });
}

/** A digit is meant for the number, wherever the focus is: it takes the focus there, where Enter denies nothing. */
function beginCount(state: ConsoleState, bulk: BulkDenial, press: Press): ConsoleState {
  if (!('text' in press) || !/^\d$/.test(press.text)) return state;
  return writeCount(state, { ...bulk, focused: 'count' }, press);
}

/** At most three digits: there are never more requests than that. */
function writeCount(state: ConsoleState, bulk: BulkDenial, press: Press): ConsoleState {
  const typed = 'text' in press ? bulk.count + press.text : bulk.count;
  if ('text' in press) return /^\d{1,3}$/.test(typed) ? withBulk(state, bulk, { count: typed }) : state;
  if ('control' in press) return press.control === 'u' ? withBulk(state, bulk, { count: '' }) : state;
  return press.named === 'backspace' ? withBulk(state, bulk, { count: bulk.count.slice(0, -1) }) : state;
}

function writeComment(state: ConsoleState, bulk: BulkDenial, text: string): ConsoleState {
  const comment = insertText(bulk.comment, text);
  if (commentFits(comment.text)) return withBulk(state, bulk, { comment });
  return {
    ...state,
    notice: [span(label`The comment is full: ${MAX_COMMENT_BYTES} bytes as it is signed.`, 'warning')],
  };
}

function doneLine({ signed, ended, requests }: BulkDenial): Line {
  const left = requests.length;
  const count = signed === 1 ? label`1 denial is` : label`${signed} denials are`;
  const rest = ended === 0 ? label`` : label`; ${ended} had ended before`;
  if (left === 0) return [span(label`${count} signed and recorded${rest}.`, 'strong')];
  const done = signed === 0 ? label`nothing was sent` : label`${count} signed and recorded`;
  return [span(label`Cancelled: ${done}${rest}; ${left} not denied.`, 'strong')];
}

const withBulk = (state: ConsoleState, bulk: BulkDenial, change: Partial<BulkDenial>): ConsoleState => ({
  ...state,
  bulk: { ...bulk, ...change },
});
