import type { TextProps } from 'ink';
import type { ProfileColour, ThemeName } from '../../src/client/display.js';

/** What a piece of text means. Colour only ever repeats what a word or a symbol says already, so that nothing is lost without it. */
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

export type Style = Pick<TextProps, 'color' | 'backgroundColor' | 'bold' | 'dimColor' | 'inverse'>;
/** How each tone is drawn. */
export type Theme = Readonly<Record<Tone, Style>>;

/** On colours that the reader chose among those of his own palette, whatever the theme. */
const PROFILES = {
  'profile-red': { color: 'white', backgroundColor: 'red' },
  'profile-yellow': { color: 'black', backgroundColor: 'yellow' },
  'profile-green': { color: 'black', backgroundColor: 'green' },
  'profile-cyan': { color: 'black', backgroundColor: 'cyan' },
  'profile-blue': { color: 'white', backgroundColor: 'blue' },
  'profile-magenta': { color: 'white', backgroundColor: 'magenta' },
} as const;

/** Only the sixteen colours of the terminal's own palette, as those who keep it dark chose them. */
const DARK: Theme = {
  text: {},
  strong: { bold: true },
  muted: { dimColor: true },
  accent: { color: 'cyan', bold: true },
  good: { color: 'green', bold: true },
  warning: { color: 'yellow' },
  danger: { color: 'red', bold: true },
  alarm: { color: 'white', backgroundColor: 'red', bold: true },
  ...PROFILES,
};

/** Fixed dark colours: the palette's own yellow, cyan and green cannot be read on white. Each has a contrast of 4.5 to white at least. */
const LIGHT: Theme = {
  text: {},
  strong: { bold: true },
  muted: { color: 'ansi256(240)' },
  accent: { color: 'ansi256(25)', bold: true },
  good: { color: 'ansi256(28)', bold: true },
  warning: { color: 'ansi256(94)' },
  danger: { color: 'ansi256(124)', bold: true },
  alarm: { color: 'ansi256(231)', backgroundColor: 'ansi256(124)', bold: true },
  ...PROFILES,
};

/** Blue and orange, which all kinds of colour blindness leave apart, both of a brightness that can be read on black and on white. */
const COLOUR_BLIND: Theme = {
  text: {},
  strong: { bold: true },
  muted: { dimColor: true },
  accent: { color: 'ansi256(31)', bold: true },
  good: { color: 'ansi256(27)', bold: true },
  warning: { color: 'ansi256(130)' },
  danger: { color: 'ansi256(130)', bold: true },
  alarm: { color: 'ansi256(231)', backgroundColor: 'ansi256(130)', bold: true },
  ...PROFILES,
};

const REVERSED: Style = { inverse: true };

/** Bold, faint and reversed, for terminals and readers without colours. */
const NONE: Theme = {
  text: {},
  strong: { bold: true },
  muted: { dimColor: true },
  accent: { bold: true },
  good: { bold: true },
  warning: { bold: true },
  danger: { bold: true },
  alarm: { inverse: true, bold: true },
  'profile-red': REVERSED,
  'profile-yellow': REVERSED,
  'profile-green': REVERSED,
  'profile-cyan': REVERSED,
  'profile-blue': REVERSED,
  'profile-magenta': REVERSED,
};

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  dark: DARK,
  light: LIGHT,
  'colour-blind': COLOUR_BLIND,
  none: NONE,
};

/** Whether a space in this tone is seen; the same in all themes. */
export const hasGround = (tone: Tone): boolean => DARK[tone].backgroundColor !== undefined;
