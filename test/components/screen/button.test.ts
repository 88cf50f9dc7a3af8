import { describe, expect, test } from 'vitest';
import { buttonSpan, buttonsLine, meaningBelow } from '../../../components/screen/button.js';
import { linesText, windowText } from '../../../components/screen/window-text.js';
import { label } from '../../../components/text/safe-text.js';
import { lineText } from './whole-screen.js';

describe('buttons', () => {
  const buttons = [buttonSpan(label`Cancel`, true), buttonSpan(label`Ask for it`, false)];
  const means = label`Enter cancels`;

  test('have what Enter does beside them where there is room', () => {
    expect(lineText(buttonsLine(buttons, means, 48))).toBe('  ▸[ Cancel ]    [ Ask for it ]  Enter cancels');
    expect(meaningBelow(buttons, means, 48)).toEqual([]);
  });

  test('are whole on a narrower terminal, with what Enter does below them', () => {
    expect(lineText(buttonsLine(buttons, means, 45))).toBe('  ▸[ Cancel ]    [ Ask for it ]');
    expect(lineText(meaningBelow(buttons, means, 45))).toBe('Enter cancels');
  });
});

describe('the position of a window', () => {
  test('is short on a narrow terminal, and not told where all is seen', () => {
    const shown = { top: 3, height: 6, total: 44 };
    expect(windowText(shown, 80)).toBe('lines 4–9 of 44');
    expect(windowText(shown, 40)).toBe('4–9/44');
    expect(windowText({ top: 0, height: 44, total: 44 }, 80)).toBe('');
    expect(linesText({ top: 0, height: 44, total: 3 }, 80)).toBe('lines 1–3 of 3');
  });
});
