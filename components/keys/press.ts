/** A key that is no character. */
export type NamedKey =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'shiftTab'
  | 'backspace'
  | 'delete';

/**
 * What came from the keyboard at once. `text` may be several characters: a fast hand, a held key, a paste without
 * brackets, or another program (A35).
 */
export type Press = { readonly named: NamedKey } | { readonly control: string } | { readonly text: string };
