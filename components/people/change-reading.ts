import type { DirectoryChange } from '../../src/client/directory.js';
import { isName, type Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { PersonKey } from '../../src/protocol/roster-messages.js';
import { formatPublicKey, type PublicKey, parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { type ChangeForm, chosenDeed, type FieldName, fieldsOf, textOf } from './change-form.js';

export type Mistakes = Readonly<Partial<Record<FieldName, SafeText>>>;

/** What a form comes to: a change to be asked for, or what is wrong with its fields. */
export type ReadForm =
  | { readonly change: DirectoryChange; readonly reason: string | null }
  | { readonly mistakes: Mistakes };

const MAX_REASON = 1000;
const MAX_NAMES = 32;
const MAX_PATTERNS = 64;
const MAX_PATTERN_CHARS = 256;
const NAME_WORDS = label`a name is 1 to 128 of a-z 0-9 . _ @ : + -`;

/** Reads every field, so that all mistakes are told at once. Whether names and keys are still free is for the broker to say. */
export function readForm(form: ChangeForm): ReadForm {
  const mistakes: Partial<Record<FieldName, SafeText>> = {};
  const read = <Value>(field: FieldName, parse: (text: string) => Value | Mistake): Value | null => {
    const found = parse(textOf(form, field).text.trim());
    if (!(found instanceof Mistake)) return found;
    mistakes[field] = found.words;
    return null;
  };
  const change = changeOf(form, read);
  const reason = read('reason', parseReason);
  const isGood = change !== null && fieldsOf(form).every((field) => mistakes[field] === undefined);
  return isGood ? { change, reason: reason === '' ? null : reason } : { mistakes };
}

class Mistake {
  readonly words: SafeText;
  constructor(words: SafeText) {
    this.words = words;
  }
}

type Read = <Value>(field: FieldName, parse: (text: string) => Value | Mistake) => Value | null;

/** Null where a field is wrong. */
function changeOf(form: ChangeForm, read: Read): DirectoryChange | null {
  const { entry } = form;
  switch (form.kind) {
    case 'enrolPerson': {
      const [name, groups, aliases] = [
        read('name', parseName),
        read('groups', parseNames),
        read('aliases', parseNames),
      ];
      const key = read('key', parseKey);
      if (name === null || groups === null || aliases === null || key === null) return null;
      return { of: 'people', change: { change: 'add', person: { name, groups, aliases, keys: [key] } } };
    }
    case 'enrolSubmitter': {
      const [name, key] = [read('name', parseName), read('key', parseKey)];
      const [actions, resources, doors] = [
        read('actions', parsePatterns),
        read('resources', parsePatterns),
        read('doors', parsePatterns),
      ];
      const requesters = read('requesters', (text) => (text === '' ? [] : parsePatterns(text)));
      if (
        name === null ||
        key === null ||
        actions === null ||
        resources === null ||
        doors === null ||
        requesters === null
      )
        return null;
      const limits = { actions, resources, doors, requesters };
      return {
        of: 'submitters',
        change: { change: 'add', submitter: { name, credential: { kind: 'key', key: key.key }, limits } },
      };
    }
    case 'setNames': {
      if (entry?.of !== 'people') return null;
      const { person } = entry;
      const isSame = (a: readonly Name[], b: readonly Name[]): boolean => a.join() === b.join();
      const aliases = read('aliases', parseNames);
      const groups = read('groups', (text) => {
        const names = parseNames(text);
        const isIdle =
          !(names instanceof Mistake) &&
          aliases !== null &&
          isSame(names, person.groups) &&
          isSame(aliases, person.aliases);
        return isIdle ? new Mistake(label`nothing is changed yet`) : names;
      });
      if (groups === null || aliases === null) return null;
      return {
        of: 'people',
        change: {
          change: 'set',
          name: entry.name,
          ...(isSame(groups, person.groups) ? {} : { groups }),
          ...(isSame(aliases, person.aliases) ? {} : { aliases }),
        },
      };
    }
    case 'changeKeys':
      return entry === null ? null : keyChange(form, entry.name, read);
    case 'rotate': {
      const key = read('key', parseKey);
      if (entry === null || key === null) return null;
      return {
        of: 'submitters',
        change: { change: 'rotate', name: entry.name, credential: { kind: 'key', key: key.key } },
      };
    }
    case 'remove': {
      const again = read('again', (text) =>
        text === entry?.name ? entry : new Mistake(label`type the name exactly as it stands above`),
      );
      return again === null ? null : { of: again.of, change: { change: 'remove', name: again.name } };
    }
  }
}

function keyChange(form: ChangeForm, name: Name, read: Read): DirectoryChange | null {
  const deed = chosenDeed(form);
  if (deed.type === 'remove') {
    return { of: 'people', change: { change: 'remove-key', name, fingerprint: deed.fingerprint } };
  }
  const key = read('key', parseKey);
  if (key === null) return null;
  if (deed.type === 'add') return { of: 'people', change: { change: 'add-key', name, key } };
  return { of: 'people', change: { change: 'rotate-key', name, fingerprint: deed.fingerprint, key } };
}

const parseName = (text: string): Name | Mistake => (isName(text) ? text : new Mistake(NAME_WORDS));

/** Names with spaces or commas between them. */
function parseNames(text: string): Name[] | Mistake {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const names = words.filter(isName);
  const wrong = words.find((word) => !isName(word));
  if (wrong !== undefined) return new Mistake(label`${safeText(wrong, { reading: 'exact' })}: ${NAME_WORDS}`);
  if (new Set(names).size < names.length) return new Mistake(label`one stands twice`);
  return names.length > MAX_NAMES ? new Mistake(label`at most ${MAX_NAMES}`) : names;
}

/** Texts with commas between them, each of which may end in `*`. */
function parsePatterns(text: string): string[] | Mistake {
  const patterns = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (patterns.length === 0) return new Mistake(label`write at least one; * allows everything`);
  if (patterns.length > MAX_PATTERNS) return new Mistake(label`at most ${MAX_PATTERNS}`);
  const isLong = patterns.some((pattern) => pattern.length > MAX_PATTERN_CHARS);
  return isLong ? new Mistake(label`at most ${MAX_PATTERN_CHARS} characters each`) : patterns;
}

function parseKey(text: string): PersonKey | Mistake {
  const key = readKey(text);
  if (key instanceof Mistake) return key;
  return { key: formatPublicKey(key), validAfter: null, validBefore: null };
}

function readKey(text: string): PublicKey | Mistake {
  if (text === '') return new Mistake(label`paste one line of a .pub file: TYPE BASE64 [COMMENT]`);
  if (text.startsWith('-----BEGIN')) {
    return new Mistake(label`that is a private key: it stays where it is; paste its .pub file`);
  }
  try {
    return parsePublicKeyLine(text);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return new Mistake(safeText(error.message, { reading: 'exact' }));
  }
}

/** The key as it is written so far, to be compared by its fingerprint; null while it is none. */
export function writtenKey(text: string): PublicKey | null {
  const key = readKey(text.trim());
  return key instanceof Mistake ? null : key;
}

const parseReason = (text: string): string | Mistake =>
  text.length > MAX_REASON ? new Mistake(label`at most ${MAX_REASON} characters`) : text;
