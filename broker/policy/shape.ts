import type * as z from 'zod';
import { nearest } from '../../src/protocol/nearest.js';
import type { Mistake } from './bad-policy.js';
import { fileRule, type PolicyFile, policyFileSchema } from './policy-file.js';
import type { Path, YamlSource } from './yaml-source.js';

type Issue = z.core.$ZodIssue;

/** Checks keys and values of a file, one by one; null where something is wrong. */
export function readShape(source: YamlSource, mistakes: Mistake[]): PolicyFile | null {
  const result = policyFileSchema.safeParse(source.value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, [], source, mistakes);
  return null;
}

function report(issue: Issue, around: Path, source: YamlSource, mistakes: Mistake[]): void {
  const path = [...around, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const place = source.atKey([...path, key]);
      mistakes.push({ ...place, message: `${written(path)}there is no key ${key}${meant(path, key)}` });
    }
    return;
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = issue.errors[branchOf(valueAt(source.value, path), issue.errors)] ?? [];
    const isOnlyKind =
      branch.every(({ path: inner }) => inner.length === 0) && issue.message !== 'Invalid input';
    if (branch.length > 0 && !isOnlyKind) {
      for (const inner of branch) report(inner as Issue, path, source, mistakes);
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

const KEYS_OF_RULE = Object.keys(fileRule.shape);
const KEYS_OF_FILE = Object.keys(policyFileSchema.shape);

function meant(path: Path, key: string): string {
  const keys =
    path.length === 0 ? KEYS_OF_FILE : path[0] === 'rules' && path.length === 2 ? KEYS_OF_RULE : [];
  const near = nearest(key, keys);
  return near === null ? ': remove it' : `: did you mean ${near}?`;
}

/** `rules 2: approvals.oncall: `, as a reader finds it. */
export function written(path: Path): string {
  const [first, index, ...rest] = path;
  if (first === 'tables' && index !== undefined) {
    const [rows, row, ...inner] = rest;
    const isRow = rows === 'rows' && row !== undefined;
    const key = (isRow ? inner : rest).map(String).join('.');
    return `table ${Number(index) + 1}: ${isRow ? `row ${Number(row) + 1}: ` : ''}${key === '' ? '' : `${key}: `}`;
  }
  if (first !== 'rules' || index === undefined) return path.length === 0 ? '' : `${path.join('.')}: `;
  const inside = rest.length === 0 ? '' : `${rest.map(String).join('.')}: `;
  return `rule ${Number(index) + 1}: ${inside}`;
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.hasOwn(found, step) ? (found as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return found;
}
