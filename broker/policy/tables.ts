import * as z from 'zod';
import { isName } from '../../src/protocol/names.js';
import { wanted } from '../yaml/time-schema.js';
import type { Path } from '../yaml/yaml-source.js';
import { type FileRule, fileRule, MAX_CONDITION_CHARS } from './file-rule.js';

const PATTERN_TEXT = 'write exact texts, or beginnings followed by *; * alone is everything';
const patterns = z
  .array(
    z
      .string(wanted(PATTERN_TEXT))
      .min(1, wanted(PATTERN_TEXT))
      .max(1024, wanted(PATTERN_TEXT))
      .regex(/^[^\p{Cc}*]*\*?$/u, wanted(PATTERN_TEXT)),
    wanted(PATTERN_TEXT),
  )
  .min(1, wanted(PATTERN_TEXT))
  .max(256, wanted('write at most 256 of them'));

const GROUPS_TEXT = 'write the groups whose members may ask, such as [oncall]';
const groups = z
  .array(z.string(wanted(GROUPS_TEXT)).refine(isName, wanted(GROUPS_TEXT)), wanted(GROUPS_TEXT))
  .min(1, wanted(GROUPS_TEXT))
  .max(64, wanted('write at most 64 groups'));

const ACTIONS_TEXT = 'write the actions that the table is about, such as [cloud.grant]';
const actions = z
  .array(z.string(wanted(ACTIONS_TEXT)).refine(isName, wanted(ACTIONS_TEXT)), wanted(ACTIONS_TEXT))
  .min(1, wanted(ACTIONS_TEXT))
  .max(64, wanted('write at most 64 actions'));

const ROLE_TEXT = 'write action, or details.KEY for what an ask names there';

/** What a rule says beside its name and condition, a table may say for all of its rows, and a row for itself. */
const terms = fileRule.omit({ name: true, when: true }).partial().shape;

const row = z.strictObject(
  {
    name: z.optional(fileRule.shape.name),
    groups: groups.describe('Members of any of these may ask.'),
    roles: patterns.describe('For any of these roles.'),
    resources: patterns.describe('On any of these resources.'),
    ...terms,
  },
  wanted('write { groups: [oncall], roles: [admin], resources: [db-1] }'),
);

/** Who may ask for which role on which resource, as it is written: each row is a rule. */
export const fileTable = z
  .strictObject(
    {
      name: fileRule.shape.name.describe('Its rules are called NAME/1, NAME/2, …'),
      actions: actions.describe('The actions that it is about.'),
      role: z
        .string(wanted(ROLE_TEXT))
        .regex(/^(?:action|details\.[A-Za-z_][A-Za-z0-9_]{0,63})$/, wanted(ROLE_TEXT))
        .default('details.role')
        .describe('What the roles are held against.'),
      ...terms,
      rows: z
        .array(row, wanted('write a list of rows'))
        .min(1, wanted('write at least one row'))
        .max(256, wanted('write at most 256 rows'))
        .describe('Who may have which roles on what.'),
    },
    wanted('write a table: name, actions, approvals and rows'),
  )
  .superRefine((table, context) => {
    for (const [index, one] of table.rows.entries()) {
      const refuse = (key: string, message: string): void => {
        context.issues.push({ code: 'custom', message, input: one, path: ['rows', index, key] });
      };
      if (one.approvals === undefined && table.approvals === undefined) {
        refuse('approvals', 'say who must sign, here or for the whole table');
      }
      if (conditionOf(table, one).length > MAX_CONDITION_CHARS) {
        refuse('resources', 'the row is too long: make two of it');
      }
    }
  });

export type Table = z.output<typeof fileTable>;
type Row = Table['rows'][number];

/** A rule with where it stands in the file. */
export interface PlacedRule {
  readonly rule: FileRule;
  readonly path: Path;
  /** Groups that the condition asks the requester to be in, and where they stand. */
  readonly asking: readonly { readonly group: string; readonly path: Path }[];
}

/** Writes tables out as ordinary rules, in the order of the file. Pure. */
export function expandTables(tables: readonly Table[]): readonly PlacedRule[] {
  return tables.flatMap((table, at) =>
    table.rows.map((one, index) => {
      const path: Path = ['tables', at, 'rows', index];
      const asking = one.groups.map((group, place) => ({ group, path: [...path, 'groups', place] }));
      return { rule: ruleOfRow(table, one, index), path, asking };
    }),
  );
}

function ruleOfRow(table: Table, one: Row, index: number): FileRule {
  const { actions: _actions, role: _role, rows: _rows, ...common } = table;
  const { groups: _groups, roles: _roles, resources: _resources, name = String(index + 1), ...own } = one;
  const approvals = own.approvals ?? common.approvals;
  if (approvals === undefined) throw new Error('the schema lets no row pass without approvals');
  return { ...common, ...own, approvals, name: `${table.name}/${name}`, when: conditionOf(table, one) };
}

function conditionOf(table: Pick<Table, 'actions' | 'role'>, one: Row): string {
  const [, key = null] = table.role.split('.');
  const parts = [
    among('action', table.actions),
    one.groups.map((group) => `${quoted(group)} in requester.groups`).join(' || '),
    ...(key === null ? [] : [`has(details.${key})`]),
    matching(table.role, one.roles),
    matching('resource', one.resources),
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => (part.includes(' || ') ? `(${part})` : part))
    .join(' && ');
}

/** Empty where everything matches. */
function matching(term: string, wantedTexts: readonly string[]): string {
  if (wantedTexts.includes('*')) return '';
  const exact = wantedTexts.filter((text) => !text.endsWith('*'));
  const beginnings = wantedTexts.filter((text) => text.endsWith('*')).map((text) => text.slice(0, -1));
  return [
    ...(exact.length === 0 ? [] : [among(term, exact)]),
    ...beginnings.map((beginning) => `${term}.startsWith(${quoted(beginning)})`),
  ].join(' || ');
}

const among = (term: string, texts: readonly string[]): string =>
  texts.length === 1
    ? `${term} == ${quoted(texts[0] ?? '')}`
    : `${term} in [${texts.map(quoted).join(', ')}]`;

/** Texts of CEL are quoted like those of JSON. */
const quoted = (text: string): string => JSON.stringify(text);
