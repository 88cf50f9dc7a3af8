import type { Name } from '../../../src/protocol/names.js';
import { type Decision, formatDecision } from '../../../src/protocol/statements.js';
import { type Forgery, makeSoftwareKey, type SoftwareKey, signInSoftware } from '../../ssh/software-keys.js';
import type { Ask, EvilBroker } from './evil-broker.js';

/** A person of a signers file. */
export interface Person {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly groups?: readonly string[];
  readonly keys: readonly SoftwareKey[];
}

/** Keys that are enrolled at the door: the oracle for every genuine receipt. */
export const keys = {
  alice: makeSoftwareKey('ssh-ed25519'),
  aliceToo: makeSoftwareKey('ecdsa-sha2-nistp256'),
  bob: makeSoftwareKey('ssh-ed25519'),
  bobToo: makeSoftwareKey('ecdsa-sha2-nistp256'),
  carol: makeSoftwareKey('ssh-ed25519'),
  dave: makeSoftwareKey('ssh-ed25519'),
  /** Enrolled nowhere. */
  stranger: makeSoftwareKey('ssh-ed25519'),
};

export const ALICE: Person = { name: 'alice', aliases: ['alice-admin'], keys: [keys.alice, keys.aliceToo] };
export const BOB: Person = {
  name: 'bob',
  aliases: ['robert'],
  groups: ['oncall'],
  keys: [keys.bob, keys.bobToo],
};
export const CAROL: Person = { name: 'carol', groups: ['db'], keys: [keys.carol] };
export const DAVE: Person = { name: 'dave', groups: ['oncall', 'db'], keys: [keys.dave] };
export const EVERYBODY: readonly Person[] = [ALICE, BOB, CAROL, DAVE];

/** The signers file that the roster would export. */
export function signersFile(people: readonly Person[]): string {
  const lines = people.flatMap(({ name, aliases = [], groups = [], keys }) => {
    const principals = [name, ...aliases, ...groups.map((group) => `group:${group}`)].join(',');
    return keys.map((key) => `${principals} namespaces="decision@countersign" ${key.line}\n`);
  });
  return lines.join('');
}

/** What of a decision is not as the door asked; `approver` and `key` who signed. */
export interface Change extends Partial<Omit<Decision, 'approver' | 'door' | 'requester'>> {
  readonly approver?: string;
  readonly door?: string;
  readonly requester?: string;
  readonly key?: SoftwareKey;
  readonly forgery?: Forgery;
  /** Whatever else the statement says. */
  readonly rewrite?: (statement: string) => string;
}

/** A second of now, shifted by so many seconds. */
export const inSeconds = (shift: number): number => (Math.floor(Date.now() / 1000) + shift) * 1000;

/** Bob's yes to what the door asked, good for ten minutes, but for what is said otherwise. */
export function receipt(
  broker: Pick<EvilBroker, 'fingerprint'>,
  { bound }: Pick<Ask, 'bound'>,
  { key = keys.bob, forgery, rewrite = (text) => text, ...change }: Change = {},
): string {
  const statement = rewrite(
    formatDecision({
      broker: broker.fingerprint,
      door: bound.document.door,
      request: bound.digest,
      scope: bound.scope,
      covers: 'request',
      policy: null,
      verdict: 'approve',
      requester: bound.document.requester,
      approver: 'bob' as Name,
      decided: inSeconds(0),
      notAfter: inSeconds(600),
      duration: 0,
      uses: 1,
      code: null,
      comment: 'looks right',
      ...(change as Partial<Decision>),
    }),
  );
  return statement + signInSoftware(key, statement, forgery);
}
