import { describe, expect, test } from 'vitest';
import type { Press } from '../../../components/keys/press.js';
import { createPressReader } from '../../../components/keys/press-reader.js';

const ESC: Press = { named: 'escape' };

/** A reader whose waiting ends when the test says so. */
function reading() {
  const heard: Press[] = [];
  let held: (() => void) | null = null;
  const reader = createPressReader(
    (press) => heard.push(press),
    (then) => {
      held = then;
      return () => {
        held = null;
      };
    },
  );
  return { reader, heard, waitIsOver: () => held?.(), isHeld: () => held !== null };
}

describe('a key that arrives in two pieces', () => {
  test.each(['[C', '[B', '[5~', '[1;5C', 'OA', '[I', '[C\r'])('is no Esc and no text: %j', (rest) => {
    const { reader, heard, waitIsOver } = reading();
    reader.read(ESC);
    reader.read({ text: rest });
    waitIsOver();
    expect(heard).toEqual([]);
    reader.read({ text: 'j' });
    expect(heard).toEqual([{ text: 'j' }]);
  });

  test('is Esc when nothing follows, and when something else does', () => {
    const { reader, heard, waitIsOver } = reading();
    reader.read(ESC);
    expect(heard).toEqual([]);
    waitIsOver();
    expect(heard).toEqual([ESC]);
    reader.read(ESC);
    reader.read({ text: '[' });
    reader.read({ text: '[C' });
    expect(heard).toEqual([ESC, ESC, { text: '[' }, { text: '[C' }]);
  });

  test('is two where Esc comes twice, and one before pasted text', () => {
    const { reader, heard, waitIsOver } = reading();
    reader.read(ESC);
    reader.read(ESC);
    expect(heard).toEqual([ESC]);
    reader.flush();
    waitIsOver();
    expect(heard).toEqual([ESC, ESC]);
  });

  test('is forgotten when the console goes', () => {
    const { reader, heard, isHeld } = reading();
    reader.read(ESC);
    reader.stop();
    expect([isHeld(), heard]).toEqual([false, []]);
  });
});
