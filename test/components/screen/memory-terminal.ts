import { EventEmitter } from 'node:events';
import xterm from '@xterm/headless';

const ESC = '\u001b';
/** Enters the alternate screen. */
export const ENTER = `${ESC}[?1049h`;
export const LEAVE = `${ESC}[?1049l`;

/** A terminal in memory, and what was written to it. */
export class MemoryTerminal extends EventEmitter {
  readonly isTTY = true;
  readonly terminal: xterm.Terminal;
  written = '';
  columns: number;
  rows: number;

  constructor(columns: number, rows: number) {
    super();
    [this.columns, this.rows] = [columns, rows];
    this.terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  }

  get stream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }

  write(text: string, done?: () => void): boolean {
    this.written += text;
    this.terminal.write(text, done);
    return true;
  }

  resizeTo(columns: number, rows: number): void {
    [this.columns, this.rows] = [columns, rows];
    this.terminal.resize(columns, rows);
    this.emit('resize');
  }

  /** The terminal once it has drawn all that was written. */
  async drawn(): Promise<xterm.Terminal> {
    await new Promise<void>((resolve) => this.terminal.write('', resolve));
    return this.terminal;
  }

  /** Its rows as text, without the spaces at their ends. */
  async text(): Promise<string> {
    const { buffer, rows } = await this.drawn();
    const lines = Array.from({ length: rows }, (_, row) =>
      buffer.active.getLine(row)?.translateToString(true),
    );
    return lines
      .map((line) => (line ?? '').trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** Every cell with how it is drawn. */
  async picture(): Promise<string> {
    const { buffer, rows, cols } = await this.drawn();
    return Array.from({ length: rows }, (_, row) =>
      Array.from({ length: cols }, (_, column) => {
        const cell = buffer.active.getLine(row)?.getCell(column);
        if (cell === undefined) return '?';
        // The colour of a letter is not seen on a space.
        if ((cell.getChars() || ' ') === ' ') return ` ${[cell.getBgColor(), cell.isInverse()].join()}`;
        const style = [
          cell.getFgColor(),
          cell.getBgColor(),
          cell.isBold(),
          cell.isDim(),
          cell.isInverse(),
        ].join();
        return `${cell.getChars() || ' '}${style}`;
      }).join('|'),
    ).join('\n');
  }
}
