import type { EpochMs } from '../../src/protocol/time.js';
import { label, type SafeText, spaces } from './safe-text.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Clocks above a minute move in steps of so many seconds. */
export const COARSE_SECONDS = 10;

/** How long ago something was, in ms: `42s`, `7m`, `3h 05m`, `12d`. Never negative. */
export function ageText(age: number): SafeText {
  const whole = Math.max(0, age);
  if (whole < MINUTE) return label`${Math.floor(whole / SECOND)}s`;
  if (whole < HOUR) return label`${Math.floor(whole / MINUTE)}m`;
  if (whole < DAY)
    return label`${Math.floor(whole / HOUR)}h ${twoDigits(Math.floor((whole % HOUR) / MINUTE))}m`;
  return label`${Math.floor(whole / DAY)}d`;
}

/** How long something still has, in ms: `42s`, `3m 10s` in steps of ten seconds, `2h 05m`; `0s` once it is over. */
export function leftText(left: number): SafeText {
  const whole = Math.max(0, left);
  if (whole < MINUTE) return label`${Math.ceil(whole / SECOND)}s`;
  if (whole >= HOUR) return ageText(whole);
  const seconds = Math.floor((whole % MINUTE) / SECOND / COARSE_SECONDS) * COARSE_SECONDS;
  return label`${Math.floor(whole / MINUTE)}m ${twoDigits(seconds)}s`;
}

/** A length of work, in seconds: `90s`, `30m`, `8h`, `1d 12h`. */
export function lengthText(seconds: number): SafeText {
  const parts: readonly (readonly [number, SafeText])[] = [
    [Math.floor(seconds / 86_400), label`d`],
    [Math.floor((seconds % 86_400) / 3600), label`h`],
    [Math.floor((seconds % 3600) / 60), label`m`],
    [seconds % 60, label`s`],
  ];
  let text = label``;
  for (const [count, unit] of parts) {
    if (count > 0) text = label`${text}${text === '' ? spaces(0) : spaces(1)}${count}${unit}`;
  }
  return text;
}

/** Something on the screen whose age and end are shown, by the broker's clock. */
export interface ShownClock {
  readonly since: EpochMs;
  readonly until: EpochMs;
}

/** How long until a clock on the screen must move, in ms: each second where one stands below a minute. */
export function nextTick(now: EpochMs, shown: Iterable<ShownClock>): number {
  const isBelowMinute = (span: number): boolean => span > -SECOND && span < MINUTE + COARSE_SECONDS * SECOND;
  for (const { since, until } of shown) {
    if (isBelowMinute(now - since) || isBelowMinute(until - now)) return SECOND;
  }
  return COARSE_SECONDS * SECOND;
}

function twoDigits(count: number): SafeText {
  return count < 10 ? label`0${count}` : label`${count}`;
}
