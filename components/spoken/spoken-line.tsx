import { Box, Text } from 'ink';
import { memo, type ReactElement } from 'react';
import type { ThemeName } from '../../src/client/display.js';
import { THEMES } from '../screen/theme.js';
import { isSameLine, joinSpans, type Line } from '../text/line.js';
import { isAsciiOnly } from '../text/repertoire.js';
import { inAscii } from '../text/safe-text.js';

/**
 * Writes one line. The only place that hands text to Ink: what arrives here is `SafeText` by its type, so no text that
 * somebody else wrote can reach the terminal raw.
 */
export const SpokenLine = memo(
  WrittenLine,
  (before, after) => before.theme === after.theme && isSameLine(before.line, after.line),
);

function WrittenLine({ line, theme }: { readonly line: Line; readonly theme: ThemeName }): ReactElement {
  const isAscii = isAsciiOnly();
  return (
    <Box height={1} flexShrink={0}>
      <Text wrap="truncate-end">
        {joinSpans(line).map(({ text, tone }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line have no other identity
          <Text key={at} {...THEMES[theme][tone]}>
            {isAscii ? inAscii(text) : text}
          </Text>
        ))}
      </Text>
    </Box>
  );
}
