import * as z from 'zod';
import { canonicalJson, sha256Digest } from '../../src/protocol/canonical.js';
import { ROSTER_CHANGE } from '../../src/protocol/change-messages.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import {
  personSchema,
  type RosterChange,
  rosterChangeSchema,
  type SubmitterChange,
  submitterChangeSchema,
  submitterSchema,
} from '../../src/protocol/roster-messages.js';
import { type JsonObject, type JsonValue, parseStrictJson } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';
import {
  canonicalChange,
  canonicalSubmitterChange,
  changeRoster,
  changeSubmitters,
  type DirectoryChange,
} from '../roster/directory.js';
import type { Directory } from '../store/store.js';
import { peopleSummary, personFacts, submitterFacts, submitterSummary } from './change-words.js';

/** From so many enrolled approvers on nobody changes anything alone while the broker runs. */
export const APPROVERS_WHO_MUST_AGREE = 2;

/** One change of the people or of the submitters. */
export type EnrolledChange =
  | { readonly of: 'people'; readonly change: RosterChange }
  | { readonly of: 'submitters'; readonly change: SubmitterChange };

/** What a request says about a change. */
export interface ChangeText {
  readonly action: Name;
  readonly resource: string;
  readonly details: JsonObject;
}

/**
 * Applies one change. Pure.
 *
 * @param authority what the event says of who allowed it
 * @throws Problem `roster-unknown`, `roster-conflict`, `malformed-key`, `unsupported-key`
 */
export function applyChange(
  directory: Directory,
  { of, change }: EnrolledChange,
  now: EpochMs,
  authority: JsonObject,
): DirectoryChange {
  return of === 'people'
    ? changeRoster(directory, change, now, authority)
    : changeSubmitters(directory, change, now, authority);
}

/**
 * Writes a change down for approvers: in words, as it was and as it will be, and exactly, so that nothing else can be
 * applied than what they read. `previous` is the digest of the entry that is changed.
 *
 * @throws Problem those of {@link applyChange}; `body-too-large` for what no document can hold
 */
export function describeChange(directory: Directory, asked: EnrolledChange, now: EpochMs): ChangeText {
  const after = applyChange(directory, asked, now, {}).directory;
  const name = nameOf(asked);
  const previous = digestOf(entryOf(directory, asked));
  if (asked.of === 'people') {
    const change = canonicalChange(asked.change);
    const person = ({ people }: Directory) => people.find((one) => one.name === name);
    const details = {
      summary: peopleSummary(change, person(directory)),
      person: z.encode(rosterChangeSchema, change),
      before: personFacts(person(directory)),
      after: personFacts(person(after)),
      previous,
    };
    return { action: ROSTER_CHANGE, resource: `person ${name}`, details: detailsFrom(details) };
  }
  const change = canonicalSubmitterChange(asked.change);
  const submitter = ({ submitters }: Directory) => submitters.find((one) => one.name === name);
  const details = {
    summary: submitterSummary(change),
    submitter: z.encode(submitterChangeSchema, change),
    before: submitterFacts(submitter(directory)),
    after: submitterFacts(submitter(after)),
    previous,
  };
  return { action: ROSTER_CHANGE, resource: `submitter ${name}`, details: detailsFrom(details) };
}

/**
 * Applies exactly what a document says, if what it was read against is still so.
 *
 * @throws Problem `change-outdated`, and those of {@link applyChange}
 */
export function applyDescribed(
  directory: Directory,
  details: JsonObject,
  now: EpochMs,
  authority: JsonObject,
): DirectoryChange {
  const described = describedChange(details);
  if (digestOf(entryOf(directory, described)) !== details.previous) {
    throw new Problem('change-outdated', `${nameOf(described)} was changed since this was asked`);
  }
  return applyChange(directory, described, now, authority);
}

/** What the details of a request say about a change. */
export function describedChange({ person, submitter }: JsonObject): EnrolledChange {
  return person === undefined
    ? { of: 'submitters', change: submitterChangeSchema.parse(submitter) }
    : { of: 'people', change: rosterChangeSchema.parse(person) };
}

function nameOf({ of, change }: EnrolledChange): Name {
  if (change.change !== 'add') return change.name;
  return of === 'people' ? change.person.name : change.submitter.name;
}

/** In the form in which it is listed, null where there is none. */
function entryOf({ people, submitters }: Directory, asked: EnrolledChange): JsonValue {
  const name = nameOf(asked);
  if (asked.of === 'people') {
    const person = people.find((one) => one.name === name);
    return person === undefined ? null : json(z.encode(personSchema, person));
  }
  const submitter = submitters.find((one) => one.name === name);
  return submitter === undefined ? null : json(z.encode(submitterSchema, submitter));
}

const json = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue;
const digestOf = (entry: JsonValue): Digest => sha256Digest(canonicalJson(entry));

/** @throws Problem `body-too-large` */
function detailsFrom(details: object): JsonObject {
  try {
    return parseStrictJson(JSON.stringify(details)) as JsonObject;
  } catch (cause) {
    throw new Problem('body-too-large', 'a text in this change is too long for a request', {
      hint: 'make the change in smaller steps, or offline: stop the broker and give the same command',
      cause,
    });
  }
}
