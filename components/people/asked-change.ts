import type { MadeChange } from '../../src/client/directory.js';
import type { Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { ConsoleState } from '../state/console-state.js';
import { BLANK, type Line, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

/** The change that was asked for last. */
export interface AskedChange {
  /** Answers to changes with other numbers are nobody's; 0 before the first. */
  readonly number: number;
  readonly name: Name | null;
  /** Null while the broker has not answered. */
  readonly made: MadeChange | null;
}

export const NOTHING_ASKED: AskedChange = { number: 0, name: null, made: null };

const exact = (text: string): SafeText => safeText(text, { reading: 'exact' });

/** What came of the change that was asked for last, in one line. */
export function askedLine({ people: { asked }, queue }: ConsoleState): Line {
  const { made, name } = asked;
  if (made === null || name === null) return BLANK;
  if (made.kind === 'applied') return [span(label`✓ ${exact(name)} is changed.`, 'strong')];
  return requestLine(exact(name), made, queue.requests.get(made.id));
}

function requestLine(
  name: SafeText,
  { id, missing }: Extract<MadeChange, { kind: 'asked' }>,
  request: RequestView | undefined,
): Line {
  const state = request?.state ?? 'pending';
  if (state === 'pending' || state === 'approved' || state === 'active') {
    const [first] = request?.missing ?? missing;
    const what = first === undefined ? label`` : label`: ${exact(first)}`;
    return [span(label`${name} waits as ${exact(id)}${what}`, 'accent')];
  }
  if (state === 'redeemed' && request?.report?.outcome === 'opened') {
    return [span(label`✓ ${name}: applied. For doors: countersign roster sign`, 'good')];
  }
  const why = exact(request?.report?.code ?? request?.endedBy ?? state);
  return [span(label`✗ ${name} stays as it was: ${why}`, 'danger')];
}
