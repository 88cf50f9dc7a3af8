import { MAX_COPIED } from '../../src/client/clipboard.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { selectedFound } from '../history/history-state.js';
import { type Step, stay } from '../state/console-effects.js';
import type { CopyEvent } from '../state/console-events.js';
import { type ConsoleState, isPainted, selectedRequest } from '../state/console-state.js';
import { type Line, span } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import { askText } from './ask-text.js';

/**
 * Copies the id of the request in front or under the cursor, or all of it. What is copied is pasted where it decides, so it must have been
 * on the screen when the key went down (A4).
 */
export function copy(state: ConsoleState, what: 'id' | 'ask'): Step {
  const request = copied(state);
  if (request === null || !isPainted(state)) return stay(state);
  const text = what === 'id' ? request.id : askText(request);
  if (text === null)
    return refuse(state, [span(label`This is no valid document: nothing was copied.`, 'danger')]);
  if (Buffer.byteLength(text) > MAX_COPIED) {
    const words = label`Too long to be copied: countersign show ${exact(request.id)} prints it.`;
    return refuse(state, [span(words, 'warning')]);
  }
  return stay(state, { type: 'copy', what, id: request.id, text });
}

const refuse = (state: ConsoleState, notice: Line): Step => stay({ ...state, notice });

const exact = (text: string) => safeText(text, { reading: 'exact' });

function copied(state: ConsoleState): RequestView | null {
  if (state.opened !== null) return state.opened.request;
  if (state.screen === 'queue') return selectedRequest(state);
  return state.screen === 'history' ? selectedFound(state.history) : null;
}

/** Says what was copied and where to, and no more than is known: a terminal does not tell whether it took it. */
export function hearCopy(state: ConsoleState, { what, id, way }: CopyEvent): Step {
  const subject = what === 'id' ? label`The id` : label`All of`;
  const words = {
    tmux: label`${subject} ${exact(id)} is in the buffer of tmux, which offers it to the clipboard.`,
    osc52: label`${subject} ${exact(id)} is sent to the clipboard; not every terminal takes it (OSC 52).`,
    off: label`Nothing was copied: that is turned off by --clipboard or its setting.`,
  };
  return stay({ ...state, notice: [span(words[way], way === 'off' ? 'warning' : 'strong')] });
}
