import type xterm from '@xterm/headless';

/** What stands on a terminal with how it is drawn: `{cyan bold:waiting}`. */
export function styledText({ buffer, rows, cols }: xterm.Terminal): string {
  return Array.from({ length: rows }, (_, row) => {
    const line = buffer.active.getLine(row);
    const runs: { readonly style: string; text: string }[] = [];
    // Of a letter's style nothing is seen on a space: it goes with what stands on both sides of it.
    let gap = '';
    for (let column = 0; column < cols; column += 1) {
      const cell = line?.getCell(column);
      if (cell === undefined || isPlainSpace(cell)) {
        gap += ' ';
        continue;
      }
      const [style, last] = [styleOf(cell), runs.at(-1)];
      if (last?.style === style && (gap === '' || !hasGround(cell))) {
        last.text += gap + (cell.getChars() || ' ');
      } else {
        if (gap !== '') runs.push({ style: '', text: gap });
        runs.push({ style, text: cell.getChars() || ' ' });
      }
      gap = '';
    }
    return runs.map(({ style, text }) => (style === '' ? text : `{${style}:${text}}`)).join('');
  }).join('\n');
}

const PALETTE = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const colourName = (number: number): string => PALETTE[number] ?? String(number);

const hasGround = (cell: xterm.IBufferCell): boolean => !cell.isBgDefault() || Boolean(cell.isInverse());

const isPlainSpace = (cell: xterm.IBufferCell): boolean =>
  (cell.getChars() || ' ') === ' ' && !hasGround(cell);

function styleOf(cell: xterm.IBufferCell): string {
  return [
    cell.isFgDefault() ? '' : colourName(cell.getFgColor()),
    cell.isBgDefault() ? '' : `on ${colourName(cell.getBgColor())}`,
    cell.isBold() ? 'bold' : '',
    cell.isDim() ? 'faint' : '',
    cell.isInverse() ? 'reversed' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
