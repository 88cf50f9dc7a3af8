import { BROKER_SUBMITTER, OWNER } from '../../src/protocol/change-messages.js';
import type { Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import {
  MAX_KEYS,
  type OidcCredential,
  type Person,
  type PersonKey,
  type RosterChange,
  type Submitter,
  type SubmitterChange,
  type SubmitterCredential,
} from '../../src/protocol/roster-messages.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { formatPublicKey, parsePublicKeyLine } from '../../src/ssh/public-key.js';
import type { NewEvent } from '../requests/request.js';
import type { Directory } from '../store/store.js';

export interface DirectoryChange {
  readonly directory: Directory;
  readonly events: readonly NewEvent[];
}

export const EMPTY_DIRECTORY: Directory = { people: [], submitters: [] };

/** The times that a signers file can say: ssh-keygen takes some earlier ones for none at all. */
const FIRST_TIME = Date.UTC(2000, 0, 1);
const LAST_TIME = Date.UTC(2999, 11, 31, 23, 59, 59);
/** A group stands in a signers file as `group:NAME`, which is as long as a name. */
const MAX_GROUP_CHARS = 128 - 'group:'.length;

/** Names that speak of the broker itself in its requests. */
const RESERVED: readonly string[] = [BROKER_SUBMITTER, OWNER];

/**
 * Applies one change to the people. Pure.
 *
 * @param authority what the event says of who allowed it; nothing where whoever may open the database did
 * @throws Problem `roster-unknown`, `roster-conflict`, `malformed-key`, `unsupported-key`
 */
export function changeRoster(
  directory: Directory,
  change: RosterChange,
  now: EpochMs,
  authority: JsonObject = {},
): DirectoryChange {
  const canonical = canonicalChange(change);
  const people = changePeople(directory.people, canonical);
  const body = { ...rosterEventBody(canonical), ...authority };
  return settle({ ...directory, people }, { kind: 'roster.changed', at: now, body });
}

/**
 * Applies one change to the submitters. Pure.
 *
 * @param authority as for {@link changeRoster}
 * @throws Problem `roster-unknown`, `roster-conflict`, `malformed-key`, `unsupported-key`
 */
export function changeSubmitters(
  directory: Directory,
  change: SubmitterChange,
  now: EpochMs,
  authority: JsonObject = {},
): DirectoryChange {
  const canonical = canonicalSubmitterChange(change);
  const submitters = changeSubmitterList(directory.submitters, canonical);
  const body = { ...submitterEventBody(canonical), ...authority };
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
      checkNotReserved([person.name, ...person.aliases]);
      return [...people, person];
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
      checkNotReserved(change.aliases ?? []);
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
    checkNotReserved([submitter.name]);
    return [...submitters, submitter];
  }
  const found = submitters.find(({ name }) => name === change.name);
  if (found === undefined) throw new Problem('roster-unknown', `there is no submitter ${change.name}`);
  if (change.change === 'remove') return submitters.filter((submitter) => submitter !== found);
  const { credential } = change;
  return submitters.map((submitter) => (submitter === found ? { ...found, credential } : submitter));
}

function checkNotReserved(names: readonly Name[]): void {
  const reserved = names.find((name) => RESERVED.includes(name));
  if (reserved === undefined) return;
  throw taken(`${reserved} is what the broker calls itself or its owner in a request`, 'choose another name');
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
  keys: [...person.keys, key],
});

function withoutKey(person: Person, fingerprint: Fingerprint): Person {
  const keys = person.keys.filter(({ key }) => parsePublicKeyLine(key).fingerprint !== fingerprint);
  if (keys.length === person.keys.length) {
    throw new Problem('roster-unknown', `${person.name} has no key ${fingerprint}`);
  }
  return { ...person, keys };
}

/** The change with one spelling of each key, as it is kept and logged. @throws Problem `malformed-key`, `unsupported-key` */
export function canonicalChange(change: RosterChange): RosterChange {
  switch (change.change) {
    case 'add': {
      const { person } = change;
      return { ...change, person: { ...person, keys: person.keys.map(canonicalKey) } };
    }
    case 'add-key':
    case 'rotate-key':
      return { ...change, key: canonicalKey(change.key) };
    default:
      return change;
  }
}

/** The same for submitters. */
export function canonicalSubmitterChange(change: SubmitterChange): SubmitterChange {
  switch (change.change) {
    case 'add': {
      const { submitter } = change;
      return {
        ...change,
        submitter: { ...submitter, credential: canonicalCredential(submitter.credential) },
      };
    }
    case 'rotate':
      return { ...change, credential: canonicalCredential(change.credential) };
    case 'remove':
      return change;
  }
}

function canonicalKey({ key, validAfter, validBefore }: PersonKey): PersonKey {
  const times = [validAfter, validBefore].filter((time) => time !== null);
  const isInOrder = validAfter === null || validBefore === null || validAfter < validBefore;
  if (!isInOrder || times.some((time) => time < FIRST_TIME || time > LAST_TIME)) {
    throw new Problem('malformed-key', 'the time in which the key is valid cannot stand in a signers file', {
      hint: 'let it begin in the year 2000 or later, and end after it begins',
    });
  }
  return { key: canonicalLine(key), validAfter, validBefore };
}

const canonicalCredential = (credential: SubmitterCredential): SubmitterCredential =>
  credential.kind === 'key' ? { kind: 'key', key: canonicalLine(credential.key) } : credential;

/** TYPE BASE64 without comment. */
const canonicalLine = (line: string): string => formatPublicKey(parsePublicKeyLine(line));

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
    checkPerson(person);
  }
  for (const { name, credential } of directory.submitters) {
    if (credential.kind === 'key') claim(keys, credential.key, 'key', name);
    if (credential.kind === 'token') claim(keys, credential.hash, 'token', name);
    if (credential.kind === 'socket') claim(keys, 'socket', 'local', name);
  }
  checkOidc(directory.submitters);
  return { directory, events: [event] };
}

/** A token is of one submitter: two of one issuer and audience must differ in a claim that both have. */
function checkOidc(submitters: readonly Submitter[]): void {
  const known: { readonly name: Name; readonly credential: OidcCredential }[] = [];
  for (const { name, credential } of submitters) {
    if (credential.kind !== 'oidc') continue;
    const other = known.find((former) => isTokenOfBoth(former.credential, credential));
    if (other !== undefined) {
      throw taken(
        `a token could be of ${other.name} and of ${name}`,
        'give each an audience of its own, or another value of the same claim',
      );
    }
    known.push({ name, credential });
  }
}

function isTokenOfBoth(one: OidcCredential, other: OidcCredential): boolean {
  if (one.issuer !== other.issuer || one.audience !== other.audience) return false;
  const values = new Map(one.claims.map(({ name, value }) => [name, value]));
  return other.claims.every(({ name, value }) => (values.get(name) ?? value) === value);
}

function checkPerson({ name, groups, keys }: Person): void {
  if (new Set(groups).size < groups.length) throw taken(`${name} has a group twice`);
  const longGroup = groups.find((group) => group.length > MAX_GROUP_CHARS);
  if (longGroup !== undefined) {
    throw taken(`the group ${longGroup} is too long`, `use at most ${MAX_GROUP_CHARS} characters`);
  }
  if (keys.length > MAX_KEYS) {
    throw taken(`${name} has more than ${MAX_KEYS} keys`, 'remove those that are out of use');
  }
}

const taken = (what: string, hint?: string): Problem =>
  new Problem('roster-conflict', what, hint === undefined ? {} : { hint });

function rosterEventBody(change: RosterChange): JsonObject {
  const time = (at: EpochMs | null): string | null => (at === null ? null : formatTime(at));
  const keyFacts = ({ key, validAfter, validBefore }: PersonKey): JsonObject => ({
    key,
    validAfter: time(validAfter),
    validBefore: time(validBefore),
  });
  switch (change.change) {
    case 'add': {
      const { name, aliases, groups, keys } = change.person;
      return { change: 'add', person: { name, aliases, groups, keys: keys.map(keyFacts) } };
    }
    case 'add-key':
    case 'rotate-key':
      return { ...change, key: keyFacts(change.key) };
    case 'remove':
    case 'remove-key':
      return { ...change };
    case 'set': {
      const { name, aliases, groups } = change;
      return {
        change: 'set',
        name,
        ...(aliases === undefined ? {} : { aliases }),
        ...(groups === undefined ? {} : { groups }),
      };
    }
  }
}

function submitterEventBody(change: SubmitterChange): JsonObject {
  switch (change.change) {
    case 'add': {
      const { name, credential, limits } = change.submitter;
      return { change: 'add', name, credential: credentialFacts(credential), limits: { ...limits } };
    }
    case 'rotate':
      return { ...change, credential: credentialFacts(change.credential) };
    case 'remove':
      return { ...change };
  }
}

/** The token's hash stays out of the log. */
function credentialFacts(credential: SubmitterCredential): JsonObject {
  if (credential.kind === 'token') return { kind: 'token' };
  if (credential.kind !== 'oidc') return { ...credential };
  const { claims, algorithms } = credential;
  return { ...credential, algorithms: [...algorithms], claims: claims.map((one) => ({ ...one })) };
}
