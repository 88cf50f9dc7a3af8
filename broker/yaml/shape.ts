import type * as z from 'zod';
import { nearest } from '../../src/protocol/nearest.js';
import type { Mistake } from './mistake.js';
import type { Path, YamlSource } from './yaml-source.js';

type Issue = z.core.$ZodIssue;

/** How a form of file speaks of its parts. */
export interface Words {
  /** `rule 2: approvals.oncall: `, as a reader finds it; empty for the file as a whole. */
  readonly written: (path: Path) => string;
  /** The keys that may stand at a path, to say which one was meant; none where that is not known. */
  readonly keysAt: (path: Path) => readonly string[];
}

/** Checks keys and values of a file, one by one; null where something is wrong. */
export function readShape<Schema extends z.ZodType>(
  schema: Schema,
  source: YamlSource,
  words: Words,
  mistakes: Mistake[],
): z.output<Schema> | null {
  const result = schema.safeParse(source.value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, [], { source, words, mistakes });
  return null;
}

interface Report {
  readonly source: YamlSource;
  readonly words: Words;
  readonly mistakes: Mistake[];
}

function report(issue: Issue, around: Path, about: Report): void {
  const { source, words, mistakes } = about;
  const { written } = words;
  const path = [...around, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const place = source.atKey([...path, key]);
      mistakes.push({
        ...place,
        message: `${written(path)}there is no key ${key}${meant(key, words.keysAt(path))}`,
      });
    }
    return;
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = issue.errors[branchOf(valueAt(source.value, path), issue.errors)] ?? [];
    const isOnlyKind =
      branch.every(({ path: inner }) => inner.length === 0) && issue.message !== 'Invalid input';
    if (branch.length > 0 && !isOnlyKind) {
      for (const inner of branch) report(inner as Issue, path, about);
      return;
    }
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? 'that is no key';
    mistakes.push({ ...source.atKey(path), message: `${written(path)}${message}` });
    return;
  }
  const value = valueAt(source.value, path);
  const isMissing = value === undefined;
  const place = isMissing ? source.atKey(path) : source.at(path);
  const missing = isMissing ? 'is missing: ' : value === null ? 'has no value: ' : '';
  mistakes.push({ ...place, message: `${written(path)}${missing}${issue.message}` });
}

/** The alternative that somebody meant who wrote this value: a text, a mapping with `any`, or another mapping. */
function branchOf(value: unknown, branches: readonly (readonly unknown[])[]): number {
  const last = branches.length - 1;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return last;
  return branches.length === 3 && 'any' in value ? 1 : last;
}

function meant(key: string, keys: readonly string[]): string {
  const near = nearest(key, keys);
  return near === null ? ': remove it' : `: did you mean ${near}?`;
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.hasOwn(found, step) ? (found as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return found;
}
