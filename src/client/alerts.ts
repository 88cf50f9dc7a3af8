import type { EpochMs } from '../protocol/time.js';
import { wallAt } from '../protocol/zoned-time.js';

/**
 * How an ask calls a person to the console: the terminal's bell; beside it a notification of the terminal (OSC 9 as iTerm2 has it,
 * OSC 777 as rxvt does); or not at all.
 */
export const NOTIFICATIONS = ['bell', 'osc9', 'osc777', 'off'] as const;
export type Notification = (typeof NOTIFICATIONS)[number];

/** From when until when no ask calls anybody, in minutes of the day; over midnight where `to` comes first. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
}

/** What the reader's own configuration says about being called. */
export interface Alerts {
  readonly notify: Notification;
  readonly quiet: QuietHours | null;
  /** Whether tmux stands between the console and the terminal. */
  readonly isInTmux: boolean;
}

const MINUTE = 60_000;
const MINUTES_OF_DAY = 24 * 60;
const TIME = '([01][0-9]|2[0-3]):([0-5][0-9])';
const QUIET_HOURS = new RegExp(`^${TIME}-${TIME}$`);

/** Reads `22:00-07:00`; null for anything else, and for a span without length. */
export function parseQuietHours(text: string): QuietHours | null {
  const found = QUIET_HOURS.exec(text);
  if (found === null) return null;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = found.slice(1).map(Number);
  const hours = { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
  return hours.from === hours.to ? null : hours;
}

/** Whether an instant lies in the quiet hours by the clocks of a zone. */
export function isQuiet({ from, to }: QuietHours, instant: EpochMs, zone: string): boolean {
  const minute = Math.floor(wallAt(instant, zone) / MINUTE) % MINUTES_OF_DAY;
  return from < to ? from <= minute && minute < to : from <= minute || minute < to;
}
