import type { TextProps } from 'ink';
import type { ProfileColour } from '../../src/client/display.js';

/**
 * What a piece of text means. Colour only ever repeats what a word or a symbol says already, so that nothing is lost
 * without colours, and only the sixteen of the reader's own terminal theme are used.
 */
export type Tone =
  /** What one reads. */
  | 'text'
  /** What one looks for first: names, titles, the focused row. */
  | 'strong'
  /** What explains: labels, headings, hints. */
  | 'muted'
  /** Where one is: the cursor, the focused button. */
  | 'accent'
  /** A door has reported that it opened. Nothing else. */
  | 'good'
  /** Look twice: little time, nobody waiting, marks in a text. */
  | 'warning'
  /** Refused, ended, failed. */
  | 'danger'
  /** Stop: what is shown cannot be trusted. */
  | 'alarm'
  /** The name of a broker, on the colour that its reader chose. */
  | `profile-${ProfileColour}`;

type Style = Pick<TextProps, 'color' | 'backgroundColor' | 'bold' | 'dimColor' | 'inverse'>;

export const THEME: Readonly<Record<Tone, Style>> = {
  text: {},
  strong: { bold: true },
  muted: { dimColor: true },
  accent: { color: 'cyan', bold: true },
  good: { color: 'green', bold: true },
  warning: { color: 'yellow' },
  danger: { color: 'red', bold: true },
  alarm: { color: 'white', backgroundColor: 'red', bold: true },
  'profile-red': { color: 'white', backgroundColor: 'red' },
  'profile-yellow': { color: 'black', backgroundColor: 'yellow' },
  'profile-green': { color: 'black', backgroundColor: 'green' },
  'profile-cyan': { color: 'black', backgroundColor: 'cyan' },
  'profile-blue': { color: 'white', backgroundColor: 'blue' },
  'profile-magenta': { color: 'white', backgroundColor: 'magenta' },
};

/** Whether a space in this tone is seen. */
export const hasGround = (tone: Tone): boolean => THEME[tone].backgroundColor !== undefined;

/** Symbols that every terminal draws one column wide. */
export const SYMBOLS = {
  cursor: '▸',
  live: '●',
  idle: '○',
  warning: '▲',
  good: '✓',
  bad: '✗',
  rule: '─',
  gutter: '│',
  cut: '…',
  caret: '▏',
} as const;
