import { Static } from 'ink';
import { type ReactElement, useState } from 'react';
import type { ThemeName } from '../../src/client/display.js';
import type { ConsoleState } from '../state/console-state.js';
import { type Line, span } from '../text/line.js';
import { inWords } from '../text/safe-text.js';
import { SpokenLine } from './spoken-line.js';
import { beginTranscript, continueTranscript, repeatTranscript, writtenLine } from './transcript.js';

const inSpeech = (line: Line): Line => line.map(({ text, tone }) => span(inWords(text), tone));

/**
 * The console for a screen reader: what is new is written below all that was said, and nothing is painted over but the field that is
 * being written. What it writes is what counts as shown, in the same commit.
 */
export function SpokenConsole({
  state,
  theme,
  repeats,
}: {
  readonly state: ConsoleState;
  readonly theme: ThemeName;
  /** Counts how often the person asked for all of it again. */
  readonly repeats: number;
}): ReactElement {
  const [repeated, setRepeated] = useState(repeats);
  const [transcript, setTranscript] = useState(() => beginTranscript(state));
  if (repeated !== repeats) {
    setRepeated(repeats);
    setTranscript(repeatTranscript(transcript, state));
  } else if (transcript.state !== state) setTranscript(continueTranscript(transcript, state));
  const { number, lines } = transcript;
  const written = writtenLine(state);
  return (
    <>
      <Static key={number} items={[...lines]}>
        {(line, at) => <SpokenLine key={at} line={inSpeech(line)} theme={theme} />}
      </Static>
      {written === null ? null : <SpokenLine line={inSpeech(written)} theme={theme} />}
    </>
  );
}
