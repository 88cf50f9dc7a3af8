import type { Line } from '../../../components/text/line.js';

export { screenLines } from '../../../components/screen/screen-lines.js';

export const lineText = (line: Line): string =>
  line
    .map((part) => part.text)
    .join('')
    .trimEnd();
