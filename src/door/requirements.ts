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
] as const;

const DAY = 86_400;

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
  };
}

/** `oncall:1,db:1`: one to four groups, each once, each count from 1 to 99; undefined for anything else (A11). */
export function parseRequiredGroups(text: string): readonly RequiredGroup[] | undefined {
  const groups = text.split(',').map(parseRequiredGroup);
  const names = new Set(groups.map((required) => required?.group));
  if (groups.length > MAX_QUORUM_GROUPS || names.size < groups.length) return undefined;
  return groups.every((required) => required !== undefined) ? groups : undefined;
}

function parseRequiredGroup(text: string): RequiredGroup | undefined {
  const at = text.lastIndexOf(':');
  const group = text.slice(0, Math.max(0, at));
  const places = count(1, MAX_PLACES)(text.slice(at + 1));
  return isName(group) && group.length <= MAX_GROUP_CHARS && places !== undefined
    ? { group, count: places }
    : undefined;
}
