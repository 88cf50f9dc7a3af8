/**
 * The width of a console that is read out, not looked at: nothing is broken, cut or set side by side there, and a fact is one line
 * that begins with its name. Wider than any terminal.
 */
export const UNBROKEN = 4000;

/** Whether so many columns are those of such a console, less some margin. */
export const isUnbroken = (columns: number): boolean => columns > UNBROKEN / 2;
