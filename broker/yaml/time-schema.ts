import * as z from 'zod';
import { inWords } from './duration-words.js';

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const TIME = /^(0|[1-9][0-9]{0,6})([smhd])$/;

/** The message of a schema: what to write instead. */
export const wanted = (text: string) => ({ error: text });

/** Seconds of `90s`, `5m`, `1h` or `7d`; null for anything else. */
function secondsOf(text: string): number | null {
  const [, digits, unit] = TIME.exec(text) ?? [];
  return digits === undefined ? null : Number(digits) * UNITS[unit as keyof typeof UNITS];
}

/** A time within bounds, in seconds. */
export const time = (least: number, most: number) => {
  const text = `write a time from ${inWords(least)} to ${inWords(most)} as a number and s, m, h or d, such as ${inWords(most < 300 ? most : 300)}`;
  return z
    .string(wanted(text))
    .regex(TIME, wanted(text))
    .transform((written, context) => {
      const seconds = secondsOf(written);
      if (seconds !== null && seconds >= least && seconds <= most) return seconds;
      context.issues.push({ code: 'custom', message: text, input: written });
      return z.NEVER;
    });
};
