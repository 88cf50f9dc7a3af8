import type { Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { OidcCredential, Person, Submitter } from '../../src/protocol/roster-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import type { Directory, TokenHash } from '../store/store.js';

interface EnrolledKey {
  readonly person: Person;
  readonly validAfter: EpochMs | null;
  readonly validBefore: EpochMs | null;
}

/** A submitter that shows tokens of an OpenID provider. */
export interface OidcSubmitter extends Submitter {
  readonly credential: OidcCredential;
}

/** Groups that come from elsewhere than the roster, such as an on-call schedule. */
export interface DeclaredGroups {
  /** Their members now, by NAME or alias, none where the source fails; null for a group that is not declared. */
  members(group: string): ReadonlySet<Name> | null;
  /** Who says so, for the log; null for a group that is not declared. */
  source(group: string): string | null;
}

const NO_DECLARED_GROUPS: DeclaredGroups = { members: () => null, source: () => null };

/** The directory, indexed for the questions that each request asks. Made anew for each change of the directory. */
export class Principals {
  readonly #directory: Directory;
  readonly #people = new Map<Name, Person>();
  readonly #aliases = new Map<Name, Person>();
  readonly #keys = new Map<Fingerprint, EnrolledKey>();
  readonly #submitters = new Map<Name, Submitter>();
  readonly #submitterKeys = new Map<Fingerprint, Submitter>();
  readonly #submitterTokens = new Map<TokenHash, Submitter>();
  readonly #oidcSubmitters = new Map<string, OidcSubmitter[]>();
  readonly #declared: DeclaredGroups;
  #socketSubmitter: Submitter | null = null;

  constructor(directory: Directory, declared = NO_DECLARED_GROUPS) {
    this.#directory = directory;
    this.#declared = declared;
    for (const person of directory.people) {
      this.#people.set(person.name, person);
      for (const alias of [person.name, ...person.aliases]) this.#aliases.set(alias, person);
      for (const { key, validAfter, validBefore } of person.keys) {
        this.#keys.set(parsePublicKeyLine(key).fingerprint, { person, validAfter, validBefore });
      }
    }
    for (const submitter of directory.submitters) {
      this.#submitters.set(submitter.name, submitter);
      const { credential } = submitter;
      if (credential.kind === 'key') {
        this.#submitterKeys.set(parsePublicKeyLine(credential.key).fingerprint, submitter);
      } else if (credential.kind === 'token') this.#submitterTokens.set(credential.hash, submitter);
      else if (credential.kind === 'oidc') this.#addOidc({ ...submitter, credential });
      else this.#socketSubmitter = submitter;
    }
  }

  /** The same for another directory, with the same declared groups. */
  over(directory: Directory): Principals {
    return directory === this.#directory ? this : new Principals(directory, this.#declared);
  }

  /** How many people could approve something. */
  get approvers(): number {
    return this.#people.size;
  }

  get people(): Iterable<Person> {
    return this.#people.values();
  }

  /** Whether a person is in a group now. A declared group has its own members alone, whatever the roster says (A12). */
  isMember(person: Person, group: string): boolean {
    const members = this.#declared.members(group);
    if (members === null) return person.groups.some((own) => own === group);
    return members.has(person.name) || person.aliases.some((alias) => members.has(alias));
  }

  /** Who says who is in a group: `roster`, or the program that a policy file names. */
  sourceOf(group: string): string {
    return this.#declared.source(group) ?? 'roster';
  }

  /** The person of exactly this NAME, never of an alias. */
  approver(name: Name): Person | null {
    return this.#people.get(name) ?? null;
  }

  /** Who stands behind a requester: by NAME or alias; null for accounts that are nobody's. */
  personBehind(requester: Name): Person | null {
    return this.#aliases.get(requester) ?? null;
  }

  /** Whose key this is, valid now or not; null for nobody's. */
  ownerOf(key: Fingerprint): Person | null {
    return this.#keys.get(key)?.person ?? null;
  }

  /**
   * The person who may sign with this key at this time.
   *
   * @throws Problem `unknown-key`, `key-not-yet-valid`, `key-expired`
   */
  signer(key: Fingerprint, now: EpochMs): Person {
    const enrolled = this.#keys.get(key);
    if (enrolled === undefined) throw new Problem('unknown-key', `the key ${key} is not enrolled`);
    if (enrolled.validAfter !== null && now < enrolled.validAfter) {
      throw new Problem('key-not-yet-valid', `the key ${key} is not valid yet`);
    }
    if (enrolled.validBefore !== null && now >= enrolled.validBefore) {
      throw new Problem('key-expired', `the key ${key} has expired`);
    }
    return enrolled.person;
  }

  submitter(name: Name): Submitter | null {
    return this.#submitters.get(name) ?? null;
  }

  submitterByKey(fingerprint: Fingerprint): Submitter | null {
    return this.#submitterKeys.get(fingerprint) ?? null;
  }

  submitterByToken(hash: TokenHash): Submitter | null {
    return this.#submitterTokens.get(hash) ?? null;
  }

  /** Those that show tokens of exactly this issuer. */
  oidcSubmitters(issuer: string): readonly OidcSubmitter[] {
    return this.#oidcSubmitters.get(issuer) ?? [];
  }

  #addOidc(submitter: OidcSubmitter): void {
    const { issuer } = submitter.credential;
    this.#oidcSubmitters.set(issuer, [...this.oidcSubmitters(issuer), submitter]);
  }

  /** The submitter behind the local socket, null where none is enrolled. */
  get socketSubmitter(): Submitter | null {
    return this.#socketSubmitter;
  }
}
