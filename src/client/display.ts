/** Colours of a profile's name: those of the reader's terminal theme on which black or white can be read. */
export const PROFILE_COLOURS = ['red', 'yellow', 'green', 'cyan', 'blue', 'magenta'] as const;
export type ProfileColour = (typeof PROFILE_COLOURS)[number];

/** The name under which the reader knows a broker, shown wherever one could take it for another. */
export interface ProfileLabel {
  readonly name: string;
  readonly colour: ProfileColour | null;
}

/** What the reader's own configuration says about how things are shown. */
export interface Display {
  /** See {@link TimeStyle.zone}. */
  readonly zone: string;
  /** Null where the broker is not the one of a profile. */
  readonly profile: ProfileLabel | null;
}

export const THEME_NAMES = ['dark', 'light', 'colour-blind', 'none'] as const;
export type ThemeName = (typeof THEME_NAMES)[number];

/** How the console looks on the reader's terminal. */
export interface Looks {
  /** In which colours; `none` has bold, faint and reversed text only. */
  readonly theme: ThemeName;
  /** Whether nothing but ASCII is written. */
  readonly isAscii: boolean;
  /** Whether facts are written one a line, one below the other, and nothing is painted: for a screen reader. */
  readonly isSpoken: boolean;
}

export const PLAIN_LOOKS: Looks = { theme: 'dark', isAscii: false, isSpoken: false };
