import { useStdout } from 'ink';
import { useEffect } from 'react';
import type { Size } from '../state/console-state.js';

/** Hands the size of the terminal on whenever it changes. */
export function useTerminalSize(onResize: (size: Size) => void): void {
  const { stdout } = useStdout();
  useEffect(() => {
    const report = (): void => onResize(terminalSize(stdout));
    stdout.on('resize', report);
    return () => {
      stdout.off('resize', report);
    };
  }, [stdout, onResize]);
}

/** Columns and rows; 80x24 where the terminal does not tell. */
export function terminalSize(stdout: NodeJS.WritableStream & Partial<Size>): Size {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}
