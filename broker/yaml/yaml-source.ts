import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import type { Mistake } from './mistake.js';

/** Largest file, in bytes of UTF-8. */
export const MAX_YAML_BYTES = 256 * 1024;

export type Path = readonly PropertyKey[];

/** A YAML text as plain values, and where each of them stands. */
export interface YamlSource {
  readonly value: unknown;
  /** Of the value, or of the nearest one around it. */
  readonly at: (path: Path) => Position;
  /** Of the key itself. */
  readonly atKey: (path: Path) => Position;
  /** Of a character of a text, where that can be told: in a text on one line without escapes. */
  readonly within: (path: Path, offset: number) => Position | null;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

const MAX_DEPTH = 16;
/** As people write numbers: no sign, no fraction, no exponent, no other base, no leading zero. */
const WHOLE_NUMBER = /^(?:0|[1-9][0-9]{0,8})$/;

/**
 * Reads the part of YAML 1.2 that reads the same to everybody: one document of mappings, lists, texts, whole numbers and
 * booleans. No anchors, aliases, merge keys, tags or keys twice. Null where a mistake keeps it from being read further.
 */
export function readYaml(text: string, mistakes: Mistake[]): YamlSource | null {
  if (Buffer.byteLength(text) > MAX_YAML_BYTES) {
    mistakes.push({ line: 1, column: 1, message: `the file is larger than ${MAX_YAML_BYTES} bytes` });
    return null;
  }
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const before = mistakes.length;
  const refuse = (offset: number, message: string): void => {
    mistakes.push({ ...position(offset), message });
  };
  const document = parsed(text, lines, refuse);
  if (document === null) return null;
  check(document.contents as Node | null, 0, refuse);
  if (mistakes.length > before) return null;
  const root = document.contents as Node | null;
  const start = (node: Node | null): number => node?.range?.[0] ?? 0;
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    at: (path) => position(start(nearest(root, path).node)),
    atKey: (path) => {
      const { key, node } = nearest(root, path);
      return position(start(key ?? node));
    },
    within: (path, offset) => {
      const { node } = nearest(root, path);
      if (!isScalar(node) || typeof node.value !== 'string') return null;
      const quote = node.type === 'PLAIN' ? 0 : 1;
      const from = start(node) + quote;
      const isVerbatim = text.startsWith(node.value, from) && !node.value.includes('\n');
      return isVerbatim && !String(node.type).startsWith('BLOCK') ? position(from + offset) : null;
    },
  };
}

type Refuse = (offset: number, message: string) => void;

function parsed(text: string, lines: LineCounter, refuse: Refuse): Document | null {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      strict: true,
      stringKeys: true,
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const [document, second] = documents;
    const directive = /^%/m.exec(text);
    if (directive !== null) refuse(directive.index, 'no directives: remove the lines that begin with %');
    if (document === undefined) refuse(0, 'the file is empty: begin with version: 1');
    // One slip makes many errors after it.
    const errors = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]).slice(0, 5);
    for (const { pos, message } of errors) refuse(pos[0], spoken(message));
    if (second !== undefined) {
      refuse(
        (second.range as readonly number[] | undefined)?.[0] ?? 0,
        'the file is one YAML document: remove the --- lines',
      );
    }
    if (document === undefined || document.errors.length > 0 || second !== undefined) return null;
    return document as Document;
  } catch (cause) {
    const why = cause instanceof RangeError ? 'it is nested too deeply' : (cause as Error).message;
    refuse(0, `this is not YAML that can be read: ${why}`);
    return null;
  }
}

/** Messages of the YAML library in the form of ours: one line, lower case, no full stop. */
const spoken = (message: string): string => {
  if (message.includes('call stack')) return 'it is nested too deeply';
  const line = (message.split('\n')[0] ?? '').replace(/[.:]$/, '');
  return `${line.charAt(0).toLowerCase()}${line.slice(1)}`;
};

function check(node: Node | null, depth: number, refuse: Refuse): void {
  const offset = node?.range?.[0] ?? 0;
  if (node === null) {
    refuse(offset, 'the file is empty: begin with version: 1');
    return;
  }
  if (isAlias(node)) {
    refuse(offset, 'no aliases: write it out, so that each part can be read alone');
    return;
  }
  if ('anchor' in node && node.anchor) refuse(offset, `no anchors: remove &${node.anchor}`);
  if (node.tag !== undefined) refuse(offset, `no tags: remove ${node.tag}`);
  if (depth > MAX_DEPTH) refuse(offset, 'it is nested too deeply');
  else if (isScalar(node)) checkScalar(node, refuse);
  else if (isSeq(node)) {
    for (const item of node.items) if (isNode(item)) check(item, depth + 1, refuse);
  } else if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (isNode(key)) {
        if (isScalar(key) && key.value === '<<') refuse(key.range?.[0] ?? 0, 'no merge keys: write it out');
        // It would vanish from a JavaScript object, and what it asks for with it.
        if (isScalar(key) && key.value === '__proto__') refuse(key.range?.[0] ?? 0, 'no key __proto__');
        check(key, depth + 1, refuse);
      }
      if (isNode(value)) check(value, depth + 1, refuse);
    }
  }
}

function checkScalar(node: Scalar, refuse: Refuse): void {
  if (typeof node.value !== 'number') return;
  const written = node.source ?? String(node.value);
  if (WHOLE_NUMBER.test(written)) return;
  refuse(node.range?.[0] ?? 0, `${written} is not a whole number: write it in digits alone, such as 2`);
}

/** The node at a path and the key that leads to it, or those of the nearest one around it. */
function nearest(root: Node | null, path: Path): { readonly key: Node | null; readonly node: Node | null } {
  let node = root;
  let key: Node | null = null;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined) return { key, node };
      key = isNode(pair.key) ? pair.key : key;
      node = isNode(pair.value) && pair.value.range ? pair.value : key;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (!isNode(item)) return { key, node };
      key = null;
      node = item;
    } else return { key, node };
  }
  return { key, node };
}
