import type { Mistake } from '../yaml/mistake.js';
import { readShape, type Words } from '../yaml/shape.js';
import type { Path, YamlSource } from '../yaml/yaml-source.js';
import { fileRule } from './file-rule.js';
import { type PolicyFile, policyFileSchema } from './policy-file.js';

const KEYS_OF_RULE = Object.keys(fileRule.shape);
const KEYS_OF_FILE = Object.keys(policyFileSchema.shape);

const WORDS: Words = {
  written,
  keysAt: (path) =>
    path.length === 0 ? KEYS_OF_FILE : path[0] === 'rules' && path.length === 2 ? KEYS_OF_RULE : [],
};

/** Checks keys and values of a policy file, one by one; null where something is wrong. */
export const readPolicyShape = (source: YamlSource, mistakes: Mistake[]): PolicyFile | null =>
  readShape(policyFileSchema, source, WORDS, mistakes);

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
