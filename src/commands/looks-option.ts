import { type Looks, THEME_NAMES } from '../client/display.js';
import type { Environment } from '../client/locations.js';
import { Problem } from '../protocol/problems.js';

/** The flags of a verb that opens a console. */
export interface LookFlags {
  readonly theme?: string | undefined;
  readonly ascii?: boolean;
  readonly screenReader?: boolean;
}

/** Terminals whose fonts hold few symbols: hardware and its imitations, and the console of Linux. */
const FEW_SYMBOLS = /^(?:dumb|linux|vt\d+)\b/;

/**
 * How the console looks: flag, then environment, into which the configuration was filled, then what the terminal can do. Without a
 * locale in UTF-8 (locale(7): LC_ALL, LC_CTYPE, LANG) and on terminals with few symbols it is ASCII; on one that cannot move its cursor
 * (`dumb`, terminfo(5)) facts are written one below the other.
 *
 * @throws Problem `usage`
 */
export function looksOption(flags: LookFlags, env: Environment): Looks {
  const wanted = flags.theme ?? (env.COUNTERSIGN_THEME || 'dark');
  const theme = THEME_NAMES.find((name) => name === wanted);
  if (theme === undefined) {
    throw new Problem('usage', `${JSON.stringify(wanted)} is no theme`, {
      hint: `--theme and COUNTERSIGN_THEME take ${THEME_NAMES.join(', ')}`,
    });
  }
  const terminal = env.TERM ?? '';
  const isPoor = !isUtf8(env) || FEW_SYMBOLS.test(terminal);
  return {
    theme,
    isAscii: flags.ascii === true || (yesOrNo(env, 'COUNTERSIGN_ASCII') ?? isPoor),
    isSpoken:
      flags.screenReader === true || (yesOrNo(env, 'COUNTERSIGN_SCREEN_READER') ?? terminal === 'dumb'),
  };
}

/** The first of the three that is set decides; none is the C locale. */
function isUtf8(env: Environment): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || 'C');
}

function yesOrNo(env: Environment, name: string): boolean | null {
  const value = env[name];
  if (value === undefined || value === '') return null;
  if (value === 'yes' || value === 'no') return value === 'yes';
  throw new Problem('usage', `${name} is ${JSON.stringify(value)}`, { hint: `${name} takes yes or no` });
}
