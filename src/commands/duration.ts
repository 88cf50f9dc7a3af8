import { Problem } from '../protocol/problems.js';

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/**
 * Reads seconds: `90`, `90s`, `15m`, `2h`, `1d`.
 *
 * @throws Problem `usage` that names what it was for.
 */
export function parseSeconds(text: string, what: string): number {
  const [, digits, unit = 's'] = /^(\d{1,8})([smhd])?$/.exec(text) ?? [];
  if (digits === undefined) throw new Problem('usage', `${what} is not a time like 90, 90s, 15m, 2h or 1d`);
  return Number(digits) * UNITS[unit as keyof typeof UNITS];
}
