import type { Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type {
  Person,
  PersonKey,
  RosterChange,
  Submitter,
  SubmitterChange,
} from '../../src/protocol/roster-messages.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { formatPublicKey, parsePublicKeyLine } from '../../src/ssh/public-key.js';
import type { NewEvent } from '../requests/request.js';
import type { Directory } from '../store/store.js';

export interface DirectoryChange {
  readonly directory: Directory;
  readonly events: readonly NewEvent[];
}

export const EMPTY_DIRECTORY: Directory = { people: [], submitters: [] };

/**
 * Applies one change to the people. Pure.
 *
 * @throws Problem `roster-unknown`, `roster-conflict`, `malformed-key`, `unsupported-key`
 */
export function changeRoster(directory: Directory, change: RosterChange, now: EpochMs): DirectoryChange {
  const people = changePeople(directory.people, change);
  return settle({ ...directory, people }, { kind: 'roster.changed', at: now, body: rosterEventBody(change) });
}

/**
 * Applies one change to the submitters. Pure.
 *
 * @throws Problem `roster-unknown`, `roster-conflict`, `malformed-key`, `unsupported-key`
 */
export function changeSubmitters(
  directory: Directory,
  change: SubmitterChange,
  now: EpochMs,
): DirectoryChange {
  const submitters = changeSubmitterList(directory.submitters, change);
  const body = {
    change: change.change,
    name: change.change === 'add' ? change.submitter.name : change.name,
    ...(change.change === 'add' ? { submitter: submitterFacts(change.submitter) } : {}),
  };
  return settle({ ...directory, submitters }, { kind: 'submitters.changed', at: now, body });
}

function changePeople(people: readonly Person[], change: RosterChange): readonly Person[] {
  switch (change.change) {
    case 'add': {
      const { person } = change;
      if (people.some(({ name }) => name === person.name))
        throw taken(`${person.name} is in the roster already`);
      if (person.keys.length === 0)
        throw new Problem('malformed-key', `${person.name} needs at least one key`);
      return [...people, { ...person, keys: person.keys.map(canonicalKey) }];
    }
    case 'remove':
      personNamed(people, change.name);
      return people.filter(({ name }) => name !== change.name);
    case 'add-key':
      return replacing(people, change.name, (person) => withKey(person, change.key));
    case 'remove-key':
      return replacing(people, change.name, (person) => {
        const left = withoutKey(person, change.fingerprint);
        if (left.keys.length > 0) return left;
        throw taken(`that is the last key of ${person.name}: add another one first, or remove the person`);
      });
    case 'rotate-key':
      return replacing(people, change.name, (person) =>
        withKey(withoutKey(person, change.fingerprint), change.key),
      );
    case 'set':
      return replacing(people, change.name, (person) => ({
        ...person,
        aliases: change.aliases ?? person.aliases,
        groups: change.groups ?? person.groups,
      }));
  }
}

function changeSubmitterList(
  submitters: readonly Submitter[],
  change: SubmitterChange,
): readonly Submitter[] {
  if (change.change === 'add') {
    const { submitter } = change;
    if (submitters.some(({ name }) => name === submitter.name)) {
      throw taken(`${submitter.name} is a submitter already`);
    }
    return [...submitters, canonicalSubmitter(submitter)];
  }
  const found = submitters.find(({ name }) => name === change.name);
  if (found === undefined) throw new Problem('roster-unknown', `there is no submitter ${change.name}`);
  if (change.change === 'remove') return submitters.filter((submitter) => submitter !== found);
  const rotated = canonicalSubmitter({ ...found, credential: change.credential });
  return submitters.map((submitter) => (submitter === found ? rotated : submitter));
}

function personNamed(people: readonly Person[], name: Name): Person {
  const person = people.find((candidate) => candidate.name === name);
  if (person === undefined) throw new Problem('roster-unknown', `there is no ${name} in the roster`);
  return person;
}

function replacing(
  people: readonly Person[],
  name: Name,
  change: (person: Person) => Person,
): readonly Person[] {
  const changed = change(personNamed(people, name));
  return people.map((person) => (person.name === name ? changed : person));
}

const withKey = (person: Person, key: PersonKey): Person => ({
  ...person,
  keys: [...person.keys, canonicalKey(key)],
});

function withoutKey(person: Person, fingerprint: Fingerprint): Person {
  const keys = person.keys.filter(({ key }) => parsePublicKeyLine(key).fingerprint !== fingerprint);
  if (keys.length === person.keys.length) {
    throw new Problem('roster-unknown', `${person.name} has no key ${fingerprint}`);
  }
  return { ...person, keys };
}

/** One spelling of a key: TYPE BASE64 without comment. */
const canonicalKey = (key: PersonKey): PersonKey => ({
  ...key,
  key: formatPublicKey(parsePublicKeyLine(key.key)),
});

function canonicalSubmitter(submitter: Submitter): Submitter {
  const { credential } = submitter;
  if (credential.kind !== 'key') return submitter;
  return {
    ...submitter,
    credential: { kind: 'key', key: formatPublicKey(parsePublicKeyLine(credential.key)) },
  };
}

/** One person is one person: every name, alias, key and token has one owner in the whole directory. */
function settle(directory: Directory, event: NewEvent): DirectoryChange {
  const names = new Map<string, string>();
  const keys = new Map<string, string>();
  const claim = (owners: Map<string, string>, what: string, kind: string, owner: string): void => {
    const other = owners.get(what);
    if (other !== undefined) {
      throw taken(
        other === owner ? `${owner} has the ${kind} twice` : `the ${kind} ${what} belongs to ${other}`,
      );
    }
    owners.set(what, owner);
  };
  for (const person of directory.people) {
    for (const name of [person.name, ...person.aliases]) claim(names, name, 'name', person.name);
    for (const { key } of person.keys) claim(keys, key, 'key', person.name);
    if (new Set(person.groups).size < person.groups.length) throw taken(`${person.name} has a group twice`);
  }
  for (const { name, credential } of directory.submitters) {
    if (credential.kind === 'key') claim(keys, credential.key, 'key', name);
    if (credential.kind === 'token') claim(keys, credential.hash, 'token', name);
    if (credential.kind === 'socket') claim(keys, 'socket', 'local', name);
  }
  return { directory, events: [event] };
}

const taken = (what: string): Problem => new Problem('roster-conflict', what);

function rosterEventBody(change: RosterChange): JsonObject {
  const keyFacts = ({ key, validAfter, validBefore }: PersonKey): JsonObject => ({
    key,
    validAfter,
    validBefore,
  });
  switch (change.change) {
    case 'add': {
      const { name, aliases, groups, keys } = change.person;
      return { change: 'add', person: { name, aliases, groups, keys: keys.map(keyFacts) } };
    }
    case 'remove':
      return { change: 'remove', name: change.name };
    case 'add-key':
      return { change: 'add-key', name: change.name, key: keyFacts(change.key) };
    case 'remove-key':
      return { change: 'remove-key', name: change.name, fingerprint: change.fingerprint };
    case 'rotate-key':
      return {
        change: 'rotate-key',
        name: change.name,
        fingerprint: change.fingerprint,
        key: keyFacts(change.key),
      };
    case 'set':
      return {
        change: 'set',
        name: change.name,
        ...(change.aliases === undefined ? {} : { aliases: change.aliases }),
        ...(change.groups === undefined ? {} : { groups: change.groups }),
      };
  }
}

/** The token's hash stays out of the log. */
function submitterFacts({ credential, limits }: Submitter): JsonObject {
  const { actions, resources, doors, requesters } = limits;
  return {
    credential: credential.kind === 'key' ? { kind: 'key', key: credential.key } : { kind: credential.kind },
    limits: { actions, resources, doors, requesters },
  };
}
