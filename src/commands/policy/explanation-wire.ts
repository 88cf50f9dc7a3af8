import type { Explanation } from '../../../broker/policy/explanation.js';
import type { Ask } from '../../../broker/policy/policy.js';
import { formatTime } from '../../protocol/time.js';

/** An explanation for programs. */
export function explanationOnWire(
  { tried, rule, line, isShared, refusals, people, missing, satisfiable }: Explanation,
  { bound, submitter, now }: Ask,
  about: { readonly file: string; readonly notes: readonly string[] },
): object {
  const { nonce: _nonce, version: _version, ...document } = bound.document;
  const { text: _text, ...terms } = rule ?? { text: '' };
  return {
    ask: { ...document, submitter: submitter.name, at: formatTime(now) },
    file: about.file,
    tried,
    rule: rule === null ? null : { ...terms, line },
    isShared,
    people: people.map(({ name, groups, why }) => ({ name, canSign: why === null, groups, why })),
    missing,
    satisfiable,
    refusals: refusals.map(({ code, message, hint }) => ({ code, message, hint })),
    notes: about.notes,
  };
}
