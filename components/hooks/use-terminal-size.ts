import { useStdout } from 'ink';
import { useEffect } from 'react';
import type { Size } from '../state/console-state.js';
import { UNBROKEN } from '../text/unbroken.js';

/** Hands the size of the terminal on whenever it changes. */
export function useTerminalSize(onResize: (size: Size) => void, isSpoken: boolean): void {
  const { stdout } = useStdout();
  useEffect(() => {
    if (isSpoken) return;
    const report = (): void => onResize(terminalSize(stdout));
    stdout.on('resize', report);
    return () => {
      stdout.off('resize', report);
    };
  }, [stdout, onResize, isSpoken]);
}

/** Where all is read out: a page is so many facts as this has rows. */
export const SPOKEN_SIZE: Size = { columns: UNBROKEN, rows: 24 };

/** Columns and rows; 80x24 where the terminal does not tell. */
export function terminalSize(stdout: NodeJS.WritableStream & Partial<Size>): Size {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}
