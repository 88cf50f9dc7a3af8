import { isAbsolute } from 'node:path';
import { isAlias, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import * as z from 'zod';
import { parseAddress } from '../client/address.js';
import { NOTIFICATIONS, type Notification, parseQuietHours } from '../client/alerts.js';
import { CLIPBOARDS, type ClipboardWay } from '../client/clipboard.js';
import { PROFILE_COLOURS, type ProfileColour, THEME_NAMES, type ThemeName } from '../client/display.js';
import { nearest } from '../protocol/nearest.js';
import { Problem } from '../protocol/problems.js';
import { whichProfiles } from './settings.js';

/** A value of the file and the line where it stands. */
export interface Entry<Value> {
  readonly value: Value;
  readonly line: number;
}

/** What the file says about one broker; its paths may begin with `~/`. */
export interface Profile {
  readonly name: string;
  readonly url: Entry<string> | null;
  readonly dir: Entry<string> | null;
  readonly ca: Entry<string> | null;
  readonly key: Entry<string> | null;
  readonly tokenFile: Entry<string> | null;
  readonly retain: Entry<string> | null;
  readonly webhooks: Entry<string> | null;
  readonly colour: Entry<ProfileColour> | null;
  readonly utc: Entry<boolean> | null;
  readonly notify: Entry<Notification> | null;
  readonly quiet: Entry<string> | null;
  readonly theme: Entry<ThemeName> | null;
}

/** `config.yaml`, parsed. */
export interface Configuration {
  readonly path: string;
  /** The profile that is used where none is asked for. */
  readonly profile: Entry<string> | null;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** How the console looks, whichever broker it is of. */
  readonly theme: Entry<ThemeName> | null;
  readonly ascii: Entry<boolean> | null;
  readonly screenReader: Entry<boolean> | null;
  /** Where the console copies to. */
  readonly clipboard: Entry<'auto' | ClipboardWay> | null;
}

const PROFILE_NAME = /^[a-z0-9][a-z0-9._-]{0,19}$/;
/** Far more than brokers that anybody has; whatever is larger is something else. */
const MAX_CHARACTERS = 64 * 1024;
const EXAMPLE = 'countersign config init --print shows an example';

const name = z.string().regex(PROFILE_NAME, 'is not a name of at most 20 of a-z 0-9 . _ -');
const path = z
  .string()
  .refine((text) => isAbsolute(text) || /^~\/./.test(text), 'is not a path from / or ~/');
const url = z.string().superRefine((text, context) => {
  try {
    parseAddress(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `is no address: ${(error as Error).message}` });
  }
});
const profileSchema = z
  .strictObject({
    url: url.optional(),
    dir: path.optional(),
    ca: path.optional(),
    key: path.optional(),
    'token-file': path.optional(),
    retain: z
      .string()
      .regex(/^\d{1,8}[smhd]$/, 'is not a time like 400d')
      .optional(),
    webhooks: path.optional(),
    colour: z.enum(PROFILE_COLOURS).optional(),
    utc: z.boolean().optional(),
    notify: z.enum(NOTIFICATIONS).optional(),
    quiet: z
      .string()
      .refine((text) => parseQuietHours(text) !== null, 'are no hours like 22:00-07:00')
      .optional(),
    theme: z.enum(THEME_NAMES).optional(),
  })
  .refine(({ url, dir }) => url === undefined || dir === undefined, {
    path: ['dir'],
    message: 'names a broker, and url another one: keep one of them',
  });
const schema = z.strictObject({
  profile: name.optional(),
  profiles: z.record(name, profileSchema).optional(),
  theme: z.enum(THEME_NAMES).optional(),
  ascii: z.boolean().optional(),
  'screen-reader': z.boolean().optional(),
  clipboard: z.enum(['auto', ...CLIPBOARDS]).optional(),
});
const KEYS = { top: Object.keys(schema.shape), profile: Object.keys(profileSchema.shape) };

type Path = readonly PropertyKey[];
type Yaml = ReturnType<typeof parseDocument>;

/**
 * Reads the text of `config.yaml`: YAML 1.2 without anchors, aliases and tags. Nothing is guessed: unknown and repeated
 * keys and values of another type are refused.
 *
 * @throws Problem `malformed-configuration` with the line of the first thing that is wrong
 */
export function parseConfiguration(text: string, file: string): Configuration {
  const lines = new LineCounter();
  const fail = (offset: number, message: string, hint = EXAMPLE): Problem =>
    new Problem('malformed-configuration', `${file} line ${lines.linePos(offset).line}: ${message}`, {
      hint,
    });
  if (text.length > MAX_CHARACTERS) throw fail(0, 'the file is larger than 64 KiB');
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = [...yaml.errors, ...yaml.warnings];
  if (fault !== undefined) throw fail(fault.pos[0], yamlFault(fault.code, fault.message));
  refuseReferences(yaml, fail);
  const result = schema.safeParse(yaml.toJS() ?? {});
  const issue = result.error?.issues[0];
  if (!result.success) throw fail(...describe(yaml, issue as z.core.$ZodIssue));

  const entry = <Value>(value: Value | undefined, ...at: string[]): Entry<Value> | null =>
    value === undefined ? null : { value, line: lines.linePos(offsetOf(yaml, at)).line };
  const { profile, profiles = {} } = result.data;
  const parsed = Object.entries(profiles).map(([key, given]): Profile => {
    const within = <Value>(value: Value | undefined, field: string): Entry<Value> | null =>
      entry(value, 'profiles', key, field);
    return {
      name: key,
      url: within(given.url, 'url'),
      dir: within(given.dir, 'dir'),
      ca: within(given.ca, 'ca'),
      key: within(given.key, 'key'),
      tokenFile: within(given['token-file'], 'token-file'),
      retain: within(given.retain, 'retain'),
      webhooks: within(given.webhooks, 'webhooks'),
      colour: within(given.colour, 'colour'),
      utc: within(given.utc, 'utc'),
      notify: within(given.notify, 'notify'),
      quiet: within(given.quiet, 'quiet'),
      theme: within(given.theme, 'theme'),
    };
  });
  if (profile !== undefined && !Object.hasOwn(profiles, profile)) {
    throw fail(
      offsetOf(yaml, ['profile']),
      `there is no profile ${profile}`,
      whichProfiles(Object.keys(profiles)),
    );
  }
  return {
    path: file,
    profile: entry(profile, 'profile'),
    profiles: new Map(parsed.map((one) => [one.name, one])),
    theme: entry(result.data.theme, 'theme'),
    ascii: entry(result.data.ascii, 'ascii'),
    screenReader: entry(result.data['screen-reader'], 'screen-reader'),
    clipboard: entry(result.data.clipboard, 'clipboard'),
  };
}

function yamlFault(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands there a second time';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here';
  return `not YAML: ${message.split('\n')[0]}`;
}

/** One value in one place: what stands there is what counts. */
function refuseReferences(yaml: Yaml, fail: (offset: number, message: string) => Problem): void {
  visit(yaml, (_key, node) => {
    if (!isNode(node)) return;
    const offset = node.range?.[0] ?? 0;
    if (isAlias(node) || ('anchor' in node && node.anchor))
      throw fail(offset, 'anchors and aliases are not taken');
    if (node.tag !== undefined) throw fail(offset, 'tags are not taken');
    // No object keeps this one as a key of its own, so no schema would see it.
    if (isScalar(node) && node.value === '__proto__') throw fail(offset, '__proto__ is not taken');
  });
}

function describe(yaml: Yaml, issue: z.core.$ZodIssue): [offset: number, message: string, hint: string] {
  const [, ...inProfile] = issue.path;
  if (issue.code === 'unrecognized_keys') {
    const [unknown = ''] = issue.keys;
    const known = issue.path.length === 0 ? KEYS.top : KEYS.profile;
    const close = nearest(unknown, known);
    const hint = close === null ? `the keys here are ${known.join(', ')}` : `did you mean ${close}?`;
    return [offsetOf(yaml, [...issue.path, unknown]), `unknown key ${JSON.stringify(unknown)}`, hint];
  }
  const what = inProfile.length === 0 ? issue.path.join('.') || 'the file' : inProfile.join(' ');
  return [offsetOf(yaml, issue.path), `${what} ${wrongness(issue)}`, EXAMPLE];
}

function wrongness(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? 'is not a name';
  if (issue.code === 'invalid_value') return `is not one of ${issue.values.join(', ')}`;
  if (issue.code !== 'invalid_type') return issue.message;
  if (issue.expected === 'boolean') return 'is not true or false';
  return issue.expected === 'string' ? 'is not a text' : 'is not a list of KEY: VALUE';
}

/** Where the key stands that leads to a value; the start of the file for the file as a whole. */
function offsetOf(yaml: Yaml, path: Path): number {
  let node: unknown = yaml.contents;
  let offset = 0;
  for (const key of path) {
    const pair = isMap(node)
      ? node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key)
      : undefined;
    if (pair === undefined) break;
    offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
    node = pair.value;
  }
  return offset;
}
