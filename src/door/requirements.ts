import { isName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import {
  MAX_GROUP_CHARS,
  MAX_PLACES,
  MAX_QUORUM_GROUPS,
  type Quorum,
  type RequiredGroup,
} from '../protocol/quorum.js';
import { count, oneOf, type Settings, setting, yesOrNo } from './settings.js';

/** What a door requires before it opens: its own configuration, which no broker and no requester can lower. */
export interface Requirements extends Quorum {
  /** Whether only touched security keys count. */
  readonly touch: boolean;
  /** Longest `not-after` − `decided`, in seconds. */
  readonly longest: number;
  /** Longest work from first use, in seconds; 0 takes only approvals without one. */
  readonly longestDuration: number;
  /** Whether an approval may cover later equal asks. */
  readonly grants: boolean;
  /** Whether each ask has a number, which is shown to the requester alone and which all receipts must carry. */
  readonly number: boolean;
  /** A requester who is not exactly one person of the signers file: one more must sign, or nobody may ask, or as any other. */
  readonly sharedRequester: 'one-more' | 'refuse' | 'accept';
  /** Who may open with nothing but his own signature; null for nobody. */
  readonly alone: Alone | null;
}

/** Break-glass for one person. */
export interface Alone {
  /** Of the signers file, without `group:`. */
  readonly group: string;
  /** Seconds from the ask, by the door's own clock; at most half a day, because an ask is kept for one. */
  readonly after: number;
  /** Fewest characters of the comment that is signed, in UTF-16. */
  readonly reason: number;
}

export const REQUIREMENT_KEYS = [
  'people',
  'required-groups',
  'touch',
  'longest',
  'longest-duration',
  'grants',
  'number',
  'shared-requester',
  'alone-group',
  'alone-after',
  'alone-reason',
] as const;

const DAY = 86_400;
const DEFAULT_REASON = 40;

/**
 * Reads the keys that say what a door requires, with the meaning and the defaults that they have in pam.conf.
 *
 * @throws Problem `bad-config`
 */
export function readRequirements(settings: Settings): Requirements {
  const grants = setting(settings, 'grants', yesOrNo, false);
  const number = setting(settings, 'number', yesOrNo, false);
  if (grants && number) {
    throw new Problem(
      'bad-config',
      'number and grants exclude each other: a later equal ask has another number',
    );
  }
  return {
    people: setting(settings, 'people', count(1, MAX_PLACES), 1),
    groups: setting(settings, 'required-groups', parseRequiredGroups, []),
    touch: setting(settings, 'touch', yesOrNo, false),
    longest: setting(settings, 'longest', count(1, DAY), 900),
    longestDuration: setting(settings, 'longest-duration', count(0, 31 * DAY), 0),
    grants,
    number,
    sharedRequester: setting(
      settings,
      'shared-requester',
      oneOf('one-more', 'refuse', 'accept'),
      'one-more' as const,
    ),
    alone: readAlone(settings),
  };
}

function readAlone(settings: Settings): Alone | null {
  const group = setting(settings, 'alone-group', parseGroup, null);
  const after = setting(settings, 'alone-after', count(1, DAY / 2), null);
  const reason = setting(settings, 'alone-reason', count(1, 900), null);
  if (group !== null && after !== null) return { group, after, reason: reason ?? DEFAULT_REASON };
  if (group === null && after === null && reason === null) return null;
  throw new Problem('bad-config', 'alone-group and alone-after go together, and alone-reason with them');
}

const parseGroup = (text: string): string | undefined =>
  isName(text) && text.length <= MAX_GROUP_CHARS ? text : undefined;

/** `oncall:1,db:1`: one to four groups, each once, each count from 1 to 99; undefined for anything else (A11). */
export function parseRequiredGroups(text: string): readonly RequiredGroup[] | undefined {
  const groups = text.split(',').map(parseRequiredGroup);
  const names = new Set(groups.map((required) => required?.group));
  if (groups.length > MAX_QUORUM_GROUPS || names.size < groups.length) return undefined;
  return groups.every((required) => required !== undefined) ? groups : undefined;
}

function parseRequiredGroup(text: string): RequiredGroup | undefined {
  const at = text.lastIndexOf(':');
  const group = parseGroup(text.slice(0, Math.max(0, at)));
  const places = count(1, MAX_PLACES)(text.slice(at + 1));
  return group !== undefined && places !== undefined ? { group, count: places } : undefined;
}
