import type { DirectoryChange } from '../../src/client/directory.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import type { Complaint } from '../history/history-state.js';
import type { SafeText } from '../text/safe-text.js';
import { EMPTY_LINE, type TextLine } from '../text/text-line.js';
import { fingerprintOf } from './key-words.js';
import type { Entry } from './people-state.js';

/** What a form leads to. */
export type ChangeKind = 'enrolPerson' | 'enrolSubmitter' | 'setNames' | 'changeKeys' | 'rotate' | 'remove';

export type FieldName =
  | 'name'
  | 'groups'
  | 'aliases'
  /** Which key is added, replaced or taken away. */
  | 'deed'
  | 'key'
  | 'actions'
  | 'resources'
  | 'doors'
  | 'requesters'
  /** The name once more, so that nobody is removed by a slip. */
  | 'again'
  | 'reason';

/** A change while it is written, and the step before it is asked for. */
export interface ChangeForm {
  readonly kind: ChangeKind;
  /** What is changed, as it stood when the form was opened; null for something new. */
  readonly entry: Entry | null;
  readonly texts: Readonly<Partial<Record<FieldName, TextLine>>>;
  /** Which of {@link keyDeeds} is chosen. */
  readonly deed: number;
  readonly focused: FieldName;
  /** What is wrong with fields, once somebody wanted to go on. */
  readonly mistakes: Readonly<Partial<Record<FieldName, SafeText>>>;
  readonly review: ChangeReview | null;
}

/** What will be asked for, to be read before that. */
export interface ChangeReview {
  readonly change: DirectoryChange;
  readonly reason: string | null;
  readonly focused: 'cancel' | 'ask';
  /** The first line of it that is on the screen. */
  readonly top: number;
  readonly isAsking: boolean;
  readonly failure: Complaint | null;
}

/** What can be done with the keys of a person. */
export type KeyDeed =
  | { readonly type: 'add' }
  | { readonly type: 'replace' | 'remove'; readonly line: string; readonly fingerprint: Fingerprint };

/** A person keeps one key at least. */
export function keyDeeds(entry: Entry | null): readonly KeyDeed[] {
  const keys = entry?.of === 'people' ? entry.person.keys : [];
  const deeds = (type: 'replace' | 'remove'): readonly KeyDeed[] =>
    keys.flatMap(({ key: line }) => {
      const fingerprint = fingerprintOf(line);
      return typeof fingerprint === 'string' ? [{ type, line, fingerprint }] : [];
    });
  return [{ type: 'add' }, ...deeds('replace'), ...(keys.length > 1 ? deeds('remove') : [])];
}

export const chosenDeed = ({ entry, deed }: ChangeForm): KeyDeed => keyDeeds(entry)[deed] ?? { type: 'add' };

const FIELDS: Readonly<Record<ChangeKind, readonly FieldName[]>> = {
  enrolPerson: ['name', 'groups', 'aliases', 'key', 'reason'],
  enrolSubmitter: ['name', 'key', 'actions', 'resources', 'doors', 'requesters', 'reason'],
  setNames: ['groups', 'aliases', 'reason'],
  changeKeys: ['deed', 'key', 'reason'],
  rotate: ['key', 'reason'],
  remove: ['again', 'reason'],
};

/** The fields from top to bottom: a key that is taken away needs no other one. */
export function fieldsOf(form: ChangeForm): readonly FieldName[] {
  const fields = FIELDS[form.kind];
  const isRemoval = form.kind === 'changeKeys' && chosenDeed(form).type === 'remove';
  return isRemoval ? fields.filter((field) => field !== 'key') : fields;
}

export const textOf = ({ texts }: ChangeForm, field: FieldName): TextLine => texts[field] ?? EMPTY_LINE;

/** An empty form; of a change of groups and aliases, with those that are there. */
export function openForm(kind: ChangeKind, entry: Entry | null): ChangeForm {
  const written = (names: readonly string[]): TextLine => {
    const text = names.join(' ');
    return { text, caret: text.length };
  };
  const texts =
    kind === 'setNames' && entry?.of === 'people'
      ? { groups: written(entry.person.groups), aliases: written(entry.person.aliases) }
      : {};
  const [focused = 'reason'] = FIELDS[kind];
  return { kind, entry, texts, deed: 0, focused, mistakes: {}, review: null };
}
