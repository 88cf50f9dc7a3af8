import type { RequestView } from '../../src/protocol/request-view.js';
import { formatTime } from '../../src/protocol/time.js';
import { examine } from '../detail/examination.js';

/**
 * A whole ask as text to be pasted: one line a field, each with a name of ours and a value in JSON; null where what the broker shows
 * is no document. Of what others wrote only letters, digits and ` _.,:@+=/-` stand as they are; all else is a `\u` escape of JSON. So
 * there is no control character in it, and nothing by which a shell that it is pasted into would run, expand or
 * redirect anything: every value stands between double quotes, and each line begins with the name of no command.
 */
export function askText(request: RequestView): string | null {
  const { bound } = examine(request);
  if (bound === null) return null;
  const { action, context, details, door, duration, requester, resource } = bound.document;
  const fields: readonly (readonly [name: string, value: unknown])[] = [
    ['request', request.id],
    ['state', request.state],
    ['asked', formatTime(request.submittedAt)],
    ['submitter', request.submitter],
    ['action', action],
    ['resource', resource],
    ['requester', requester],
    ['door', door],
    ['duration', duration],
    ['details', details],
    ['context', context],
    ['digest', bound.digest],
    ['scope', bound.scope],
    ['rule', request.rule],
    ['document', bound.document],
  ];
  return fields.map(([name, value]) => `${name}: ${plainJson(value)}\n`).join('');
}

/** An escape of JSON that is no letter after a backslash, or a character that is not plain. */
const NOT_PLAIN = /\\["\\/]|[^\w .,:@+=/\\"{}[\]-]/g;

/** JSON in plain characters: {@link askText}. It is read as the same value. */
const plainJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(NOT_PLAIN, (found) => {
    const unit = found.charCodeAt(found.length - 1);
    return `\\u${unit.toString(16).padStart(4, '0')}`;
  });
