import { Box, Text } from 'ink';
import { memo, type ReactElement, use } from 'react';
import { isSameLine, joinSpans, type Line } from '../text/line.js';
import { isAsciiOnly } from '../text/repertoire.js';
import { inAscii } from '../text/safe-text.js';
import { THEMES } from './theme.js';
import { ThemeContext } from './theme-context.js';

/**
 * Draws one line. The only place that hands text to Ink: what arrives here is `SafeText` by its type, so no text that
 * somebody else wrote can reach the terminal raw.
 */
export const SafeLine = memo(DrawnLine, (before, after) => isSameLine(before.line, after.line));

function DrawnLine({ line }: { readonly line: Line }): ReactElement {
  const theme = THEMES[use(ThemeContext)];
  const isAscii = isAsciiOnly();
  return (
    <Box height={1} flexShrink={0}>
      <Text wrap="truncate-end">
        {joinSpans(line).map(({ text, tone }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line have no other identity
          <Text key={at} {...theme[tone]}>
            {isAscii ? inAscii(text) : text}
          </Text>
        ))}
      </Text>
    </Box>
  );
}

/** Lines from top to bottom, at most `height`, filled up to it with empty ones. */
export function SafeLines({
  lines,
  height,
}: {
  readonly lines: readonly Line[];
  readonly height: number;
}): ReactElement {
  return (
    <Box flexDirection="column" height={height} flexShrink={0} overflow="hidden">
      {lines.slice(0, height).map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <SafeLine key={at} line={line} />
      ))}
    </Box>
  );
}
