import { zonedTime } from '../../src/client/shown-time.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { PersonKey } from '../../src/protocol/roster-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import type { Tone } from '../screen/theme.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

const DAY = 86_400_000;
/** A key that ends sooner is told of in the list. */
const SOON = 14 * DAY;

/** The type as it stands in the line of a key, without what all of them have. */
export const keyTypeText = (line: string): SafeText => {
  const [type = ''] = line.split(' ');
  const short = type.replace(/^ssh-/, '').replace('sk-ssh-', 'sk-').replace('@openssh.com', '');
  return safeText(short, { reading: 'exact' });
};

/** The fingerprint of a key, computed here from the key itself; the problem where it is no key. */
export function fingerprintOf(line: string): Fingerprint | Problem {
  try {
    return parsePublicKeyLine(line).fingerprint;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** {@link fingerprintOf} as it is shown. */
export function fingerprintText(line: string): SafeText {
  const found = fingerprintOf(line);
  if (typeof found === 'string') return safeText(found, { reading: 'exact' });
  return label`▲ no key: ${safeText(found.message, { reading: 'exact' })}`;
}

export const isValidAt = ({ validAfter, validBefore }: PersonKey, now: EpochMs): boolean =>
  (validAfter === null || now >= validAfter) && (validBefore === null || now < validBefore);

/** When a key may sign: `always`, `until 2026-12-31T00:00:00Z`. */
export function validityText({ validAfter, validBefore }: PersonKey, zone: string): SafeText {
  const at = (time: EpochMs): SafeText => safeText(zonedTime(time, zone), { reading: 'exact' });
  if (validAfter === null && validBefore === null) return label`always`;
  if (validBefore === null) return label`from ${at(validAfter ?? 0)}`;
  if (validAfter === null) return label`until ${at(validBefore)}`;
  return label`from ${at(validAfter)} until ${at(validBefore)}`;
}

/** What is wrong with the keys of a person, or will be soon; null for nothing. */
export function keyTrouble(
  keys: readonly PersonKey[],
  now: EpochMs,
): { readonly words: SafeText; readonly tone: Tone } | null {
  const valid = keys.filter((key) => isValidAt(key, now));
  if (valid.length === 0) return { words: label`✗ no valid key`, tone: 'danger' };
  const ends = Math.max(...valid.map(({ validBefore }) => validBefore ?? Number.POSITIVE_INFINITY));
  if (ends - now > SOON) return null;
  const days = Math.floor((ends - now) / DAY);
  return { words: days === 0 ? label`▲ ends today` : label`▲ ends in ${days}d`, tone: 'warning' };
}
