import { joinText, label, repeatText, type SafeText } from '../text/safe-text.js';

const LEVELS: readonly SafeText[] = [
  label`▁`,
  label`▂`,
  label`▃`,
  label`▄`,
  label`▅`,
  label`▆`,
  label`▇`,
  label`█`,
];

/** One column for each value, as high as its part of the highest; nothing is a gap, and the least is seen. */
export function sparkline(values: readonly number[], columnsEach = 1): SafeText {
  const most = Math.max(...values);
  return joinText(
    values.map((value) => {
      const level = Math.max(0, Math.ceil((value / most) * LEVELS.length) - 1);
      return repeatText(value === 0 ? label` ` : (LEVELS[level] ?? label`█`), columnsEach);
    }),
  );
}

/** A bar of at most so many columns, whatever the broker told: a value's part of the greatest one; the least is seen. */
export function bar(value: number, most: number, columns: number): SafeText {
  const length = value === 0 || most === 0 ? 0 : Math.max(1, Math.round((value / most) * columns));
  return repeatText(label`█`, Math.min(columns, length));
}

/** So many sums of neighbours at most, each of equally many values but for the last. */
export function bucketed(values: readonly number[], most: number): readonly number[] {
  const size = Math.max(1, Math.ceil(values.length / Math.max(1, most)));
  const sums: number[] = [];
  for (let at = 0; at < values.length; at += size) {
    sums.push(values.slice(at, at + size).reduce((sum, value) => sum + value, 0));
  }
  return sums;
}
