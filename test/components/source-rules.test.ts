import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ASCII_GLYPHS } from '../../components/text/ascii-glyphs.js';

const ROOT = join(import.meta.dirname, '../../components');
const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, source: readFileSync(join(ROOT, name), 'utf8') }));
const filesWith = (pattern: RegExp): string[] =>
  sources.filter(({ source }) => pattern.test(source)).map(({ name }) => name);

describe('the sources of the console', () => {
  test('hand text to Ink in one place only, which takes nothing but SafeText', () => {
    expect(filesWith(/\bText\b[^;]*from 'ink'/)).toEqual(['spoken/spoken-line.tsx']);
    expect(filesWith(/\b(?:Transform|Newline)\b[^;]*from 'ink'/)).toEqual([]);
    // What is read out is made of the same lines.
    expect(filesWith(/\bStatic\b[^;]*from 'ink'/)).toEqual(['spoken/spoken-console.tsx']);
    expect(filesWith(/<ink-|createElement\(/)).toEqual([]);
  });

  test('make SafeText in one place only', () => {
    expect(filesWith(/\bas (?:unknown as )?(?:readonly )?SafeText\b/)).toEqual(['text/safe-text.ts']);
  });

  test('put no text of others between fixed words but through safe text', () => {
    // JSX text and attributes would go round the types: there is none.
    const jsxText = />[^<>{}=;()]*[A-Za-z][^<>{}=;()]*<\//;
    expect(filesWith(jsxText).filter((name) => name.endsWith('.tsx'))).toEqual([]);
  });

  test('write to the terminal past Ink only what is fixed or safe', () => {
    const writes = sources.flatMap(({ name, source }) =>
      [...source.matchAll(/stdout\.write\(([^)]*)\)/g)].map(([, what]) => `${name}: ${what}`),
    );
    expect(writes.sort()).toEqual([
      'hooks/use-effects.ts: alertBytes(titleText(store.state(',
      'hooks/use-effects.ts: clipboardBytes(text, clipboard',
      'hooks/use-suspend.ts: PROMPT_NOTE',
      'hooks/use-suspend.ts: TO_LINE_START',
      'hooks/use-suspend.ts: TO_LINE_START',
      'hooks/use-suspend.ts: TO_LINE_START',
      'hooks/use-suspend.ts: stopNote(shell.note',
      'hooks/use-title.ts: OSC_TITLE + title + BEL',
      'hooks/use-title.ts: RESTORE_TITLE',
      'hooks/use-title.ts: SAVE_TITLE',
      "run-console.tsx: '\\r'",
      // Nothing but what comes from Ink.
      'spoken/plain-output.ts: begin + plain, done',
    ]);
  });

  test('draw no symbol that has no form in ASCII', () => {
    const known = new Set(Object.keys(ASCII_GLYPHS));
    // Comments, and the letters by which scripts are told apart, are not drawn.
    const drawn = sources
      .filter(({ name }) => name !== 'text/characters.ts')
      .map(({ source }) => source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''));
    const symbols = new Set(drawn.join('').match(/[^\0-~]/gu));
    expect([...symbols].filter((symbol) => !known.has(symbol))).toEqual([]);
    expect(symbols.size).toBeGreaterThan(15);
  });

  test('use no symbol whose width terminals disagree about', () => {
    expect(filesWith(/\p{Emoji_Presentation}|\ufe0f/u)).toEqual([]);
  });

  test('import nothing but the protocol, SSH, the client and each other', () => {
    const imports = sources.flatMap(({ source }) =>
      [...source.matchAll(/from '(\.[^']*)'/g)].map(([, path]) => path ?? ''),
    );
    const foreign = imports.filter(
      (path) => path.includes('/src/') && !/\/src\/(?:protocol|ssh|client)\//.test(path),
    );
    expect(foreign).toEqual([]);
    expect(imports.filter((path) => path.includes('broker/'))).toEqual([]);
  });
});
