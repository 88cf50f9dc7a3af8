import type { Question, SubmitCredential } from '../client/ask.js';
import { parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { JsonObject } from '../protocol/strict-json.js';
import { parseSeconds } from './duration.js';
import { DEMO } from './first-run.js';
import type { FlagValues } from './verb.js';

/** The flags that say what is asked. */
export const QUESTION_FLAGS = {
  resource: 'text',
  door: 'text',
  requester: 'text',
  detail: 'texts',
  reason: 'text',
  ticket: 'text',
  duration: 'text',
} as const;

/** @throws Problem `usage` */
export function questionOf(
  action: string,
  flags: FlagValues<typeof QUESTION_FLAGS>,
  credential: SubmitCredential,
): Question {
  if (flags.resource === undefined) throw new Problem('usage', '--resource is missing');
  const local = credential.kind === 'socket' ? DEMO : undefined;
  const door = flags.door === undefined ? local : parseName(flags.door, '--door');
  const own = credential.kind === 'key' ? credential.submitter : local;
  const requester = flags.requester === undefined ? own : parseName(flags.requester, '--requester');
  if (door === undefined) throw new Problem('usage', '--door is missing');
  if (requester === undefined) throw new Problem('usage', '--requester is missing');
  return {
    version: 1,
    action: parseName(action, 'ACTION'),
    resource: flags.resource,
    door,
    requester,
    details: detailsOf(flags.detail),
    context: {
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      ...(flags.ticket === undefined ? {} : { ticket: flags.ticket }),
    } satisfies JsonObject,
    duration: flags.duration === undefined ? 0 : parseSeconds(flags.duration, '--duration'),
  };
}

function detailsOf(texts: readonly string[]): JsonObject {
  const details = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, Math.max(0, at));
    if (key === '') throw new Problem('usage', `--detail ${JSON.stringify(text)} is not KEY=VALUE`);
    if (details.has(key)) throw new Problem('usage', `--detail ${JSON.stringify(key)} is given twice`);
    details.set(key, text.slice(at + 1));
  }
  return Object.fromEntries(details);
}
