import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Imports point one way (design §7). */

const root = fileURLToPath(new URL('..', import.meta.url));
const pathsOf = (...patterns: string[]): string[] =>
  globSync(patterns, { cwd: root }).map((path) => path.split(sep).join('/'));
const sources = pathsOf('{src,broker,components}/**/*.{ts,tsx,js}');

interface Import {
  /** A path of this repository, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
  /** `import type`: gone when the program runs. */
  readonly isType: boolean;
  /** `import()`: only when it is needed. */
  readonly isLazy: boolean;
}

const STATEMENT = /^(?:import|export)(\s+type\b)?(?:[^'";]*?\sfrom)?\s*'([^']+)'/gm;
const CALL = /\bimport\('([^']+)'\)/g;

function importsOf(path: string): Import[] {
  const text = readFileSync(join(root, path), 'utf8');
  const found = (specifier: string, isType: boolean, isLazy: boolean): Import => {
    const isPackage = !specifier.startsWith('.');
    if (isPackage) return { target: specifier, isPackage, isType, isLazy };
    const target = relative(root, join(root, dirname(path), specifier))
      .split(sep)
      .join('/');
    const written = ['.ts', '.tsx'].map((ending) => target.replace(/\.js$/, ending));
    return { target: written.find((file) => sources.includes(file)) ?? target, isPackage, isType, isLazy };
  };
  return [
    ...[...text.matchAll(STATEMENT)].map(([, type, from = '']) => found(from, type !== undefined, false)),
    ...[...text.matchAll(CALL)].map(([, from = '']) => found(from, false, true)),
  ];
}

const graph = new Map(sources.map((path) => [path, importsOf(path)]));
const isBelow = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`));

/** `IMPORTER → TARGET` for every import of the chosen files that the rule does not allow. */
function offences(folders: readonly string[], isAllowed: (found: Import) => boolean): string[] {
  return [...graph]
    .filter(([path]) => isBelow(path, folders))
    .flatMap(([path, imports]) =>
      imports.filter((found) => !isAllowed(found)).map(({ target }) => `${path} → ${target}`),
    );
}

const BASE = ['src/protocol', 'src/ssh'];
/** What each layer may import of this repository. */
const LAYERS: readonly (readonly [layer: string, mayImport: readonly string[]])[] = [
  ['src/protocol', ['src/protocol']],
  ['src/ssh', BASE],
  ['src/door', [...BASE, 'src/door']],
  ['src/oncall', ['src/protocol', 'src/oncall']],
  ['src/client', [...BASE, 'src/client', 'src/version.ts']],
  ['components', [...BASE, 'src/client', 'src/version.ts', 'components']],
  ['broker', [...BASE, 'src/version.ts', 'broker']],
  [
    'src/commands',
    [...BASE, 'src/client', 'src/door', 'src/version.ts', 'src/commands', 'broker', 'components'],
  ],
  ['src/version.ts', ['package.json']],
  ['src/cli.ts', ['src/commands']],
];

describe('imports point one way', () => {
  test.each(LAYERS)('%s imports only %j', (layer, mayImport) => {
    expect(sources.some((path) => isBelow(path, [layer]))).toBe(true);
    expect(offences([layer], ({ target, isPackage }) => isPackage || isBelow(target, mayImport))).toEqual([]);
  });

  test('every source file belongs to a layer', () => {
    const layers = LAYERS.map(([layer]) => layer);
    expect(sources.filter((path) => !isBelow(path, layers))).toEqual([]);
  });

  test('every import leads to a file that is there', () => {
    expect(
      offences(
        ['src', 'broker', 'components'],
        ({ target, isPackage }) => isPackage || sources.includes(target) || target === 'package.json',
      ),
    ).toEqual([]);
  });

  test('what is read here is what is written there', () => {
    const targets = (path: string): string[] => (graph.get(path) ?? []).map(({ target }) => target);
    expect(targets('src/protocol/document.ts')).toEqual(
      expect.arrayContaining([
        'src/protocol/canonical.ts',
        'src/protocol/names.ts',
        'src/protocol/problems.ts',
      ]),
    );
    expect(targets('src/cli.ts')).toEqual(['src/commands/main.ts']);
    expect([...graph.values()].flat().length).toBeGreaterThan(400);
  });

  test('no file is loaded by what it loads', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) circles.push([...above.slice(above.indexOf(path)), path].join(' → '));
      if (above.includes(path) || done.has(path)) return;
      for (const { target, isType, isLazy } of graph.get(path) ?? [])
        if (!isType && !isLazy) visit(target, [...above, path]);
      done.add(path);
    };
    for (const path of sources) visit(path, []);
    expect(circles).toEqual([]);
  });
});

describe('packages stay where they belong', () => {
  test.each([
    ['ink', ['components']],
    ['react', ['components']],
    ['better-sqlite3', ['broker/store']],
    ['fastify', ['broker/http']],
    ['canonicalize', ['src/protocol']],
  ])('%s is imported only below %j', (name, folders) => {
    const users = [...graph]
      .filter(([, imports]) => imports.some(({ target }) => target === name || target.startsWith(`${name}/`)))
      .map(([path]) => path);
    expect(users.length).toBeGreaterThan(0);
    expect(users.filter((path) => !isBelow(path, folders))).toEqual([]);
  });

  test('a verb that does not draw loads no ink and no database: they come with import() alone', () => {
    const loaded = new Set<string>();
    const load = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      for (const { target, isType, isLazy } of graph.get(path) ?? []) if (!isType && !isLazy) load(target);
    };
    for (const path of sources.filter((path) => isBelow(path, ['src/commands', 'src/cli.ts']))) load(path);
    expect(loaded.size).toBeGreaterThan(20);
    for (const name of ['ink', 'react', 'react/jsx-runtime', 'better-sqlite3', 'fastify'])
      expect([name, loaded.has(name)]).toEqual([name, false]);
  });

  test('the protocol does no I/O: of Node it knows hashes alone', () => {
    const isPure = ({ target, isPackage }: Import): boolean =>
      !isPackage || ['node:crypto', 'zod', 'canonicalize'].includes(target);
    expect(offences(['src/protocol'], isPure)).toEqual([]);
  });
});

describe('the decisions of a door', () => {
  test('do no I/O and read no clock: its state on disk stands at the edge', () => {
    const PURE = ['settings', 'requirements', 'quorum', 'alone', 'verification', 'use'].map(
      (name) => `src/door/${name}.ts`,
    );
    const mayImport = [...BASE, ...PURE];
    expect(PURE.filter((path) => !sources.includes(path))).toEqual([]);
    expect(offences(PURE, ({ target, isPackage }) => !isPackage && isBelow(target, mayImport))).toEqual([]);
    for (const path of PURE)
      expect([path, /\bDate\.now\b|new Date\(\)/.test(readFileSync(join(root, path), 'utf8'))]).toEqual([
        path,
        false,
      ]);
  });
});

describe('the decisions of the broker', () => {
  const CORE = ['requests', 'policy', 'roster', 'access', 'changes', 'yaml', 'statistics'].map(
    (name) => `broker/${name}`,
  );

  test('know no transport, no database and no metrics', () => {
    const mayImport = [
      ...BASE,
      ...CORE,
      'broker/store/store.ts',
      'broker/store/deliveries.ts',
      'broker/options.ts',
    ];
    expect(offences(CORE, ({ target, isPackage }) => isPackage || isBelow(target, mayImport))).toEqual([]);
  });

  test('do no I/O and read no clock but the one that they are given', () => {
    const isPure = ({ target, isPackage }: Import): boolean =>
      !isPackage || ['node:crypto', 'zod', 'ulid', 'yaml', '@bufbuild/cel'].includes(target);
    expect(offences(CORE, isPure)).toEqual([]);
    for (const path of sources.filter((path) => isBelow(path, [...CORE, 'src/protocol'])))
      expect([
        path,
        /\bDate\.now\b|new Date\(\)|Math\.random|setTimeout|setInterval/.test(
          readFileSync(join(root, path), 'utf8'),
        ),
      ]).toEqual([path, false]);
  });
});

describe('names', () => {
  const all = pathsOf('{src,broker,components,scripts,test}/**/*');

  test('say what a file is about', () => {
    const empty =
      /(?:^|\/)(?:utils?|helpers?|misc|common|shared|managers?)(?:\/|\.|$)|[-.](?:utils?|helpers?|manager)\./;
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter((path) => empty.test(path))).toEqual([]);
  });

  test('are written in kebab case', () => {
    const files = sources.map((path) => path.split('/').at(-1) ?? '');
    expect(files.filter((file) => !/^[a-z0-9]+(?:-[a-z0-9]+)*\.(?:ts|tsx|js)$/.test(file))).toEqual([]);
  });
});
