import { isAsciiOnly } from '../text/repertoire.js';
import { joinText, label, type SafeText, sliceText } from '../text/safe-text.js';

/** Keys that have no letter, in words. */
const NAMES: Readonly<Record<string, SafeText>> = {
  '↓': label`Down`,
  '↑': label`Up`,
  '←': label`Left`,
  '→': label`Right`,
};

/** Keys as they are written to the reader: an arrow that cannot be shown as one would look like the key of a letter. */
export function keyNames(shown: SafeText): SafeText {
  if (!isAsciiOnly()) return shown;
  const keys = Array.from(
    shown.matchAll(/\S+/gu),
    ({ index, 0: key }) => NAMES[key] ?? sliceText(shown, index, index + key.length),
  );
  return joinText(keys, label` `);
}
