import { describe, expect, test } from 'vitest';
import { THEMES, type Tone } from '../../../components/screen/theme.js';
import { THEME_NAMES } from '../../../src/client/display.js';

const TONES = Object.keys(THEMES.dark) as Tone[];
const stylesOf = (theme: keyof typeof THEMES) => TONES.map((tone) => [tone, THEMES[theme][tone]] as const);

/** The channels of a colour of the fixed part of the palette of 256, 0…255 (xterm, ctlseqs). */
function channels(number: number): readonly number[] {
  if (number >= 232) return Array<number>(3).fill((number - 232) * 10 + 8);
  const levels = [0, 95, 135, 175, 215, 255];
  const place = number - 16;
  return [Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6].map((level) => levels[level] ?? 0);
}

/** Relative luminance (WCAG 2.2). */
function luminance(number: number): number {
  const [red = 0, green = 0, blue = 0] = channels(number).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two luminances (WCAG 2.2). */
const contrast = (a: number, b: number): number => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const numberOf = (colour: unknown): number => Number(/^ansi256\((\d+)\)$/.exec(String(colour))?.[1]);
const WHITE = 1;
const BLACK = 0;

describe('themes', () => {
  test.each(THEME_NAMES)('%s draws every tone, and a ground under the same ones', (name) => {
    for (const [tone, style] of stylesOf(name)) {
      const hasGround = style.backgroundColor !== undefined || style.inverse === true;
      expect([tone, hasGround]).toEqual([tone, tone === 'alarm' || tone.startsWith('profile-')]);
    }
  });

  test('for white have letters that can be read on white', () => {
    for (const [, { color, backgroundColor }] of stylesOf('light')) {
      if (color === undefined || !color.startsWith('ansi256')) continue;
      const ground = backgroundColor === undefined ? WHITE : luminance(numberOf(backgroundColor));
      expect(contrast(luminance(numberOf(color)), ground)).toBeGreaterThan(4.5);
    }
  });

  test('for the colour-blind have blue and orange alone, that can be read on black and on white', () => {
    const used = new Set<number>();
    for (const [tone, { color, backgroundColor }] of stylesOf('colour-blind')) {
      if (tone.startsWith('profile-')) continue;
      for (const colour of [color, backgroundColor]) {
        if (colour === undefined || numberOf(colour) === 231) continue;
        used.add(numberOf(colour));
        const own = luminance(numberOf(colour));
        expect(Math.min(contrast(own, WHITE), contrast(own, BLACK))).toBeGreaterThan(4);
        const [red = 0, , blue = 0] = channels(numberOf(colour));
        expect(Math.abs(red - blue)).toBeGreaterThan(100);
      }
    }
    expect(used.size).toBe(3);
  });

  test('without colours name none', () => {
    for (const [, style] of stylesOf('none')) {
      expect(style).not.toHaveProperty('color');
      expect(style).not.toHaveProperty('backgroundColor');
    }
  });
});
