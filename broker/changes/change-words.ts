import type {
  Person,
  PersonKey,
  RosterChange,
  Submitter,
  SubmitterChange,
  SubmitterCredential,
} from '../../src/protocol/roster-messages.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { formatTime } from '../../src/protocol/time.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';

/** A change of people in one sentence. `before` is the person as it stands; undefined for a new one. */
export function peopleSummary(change: RosterChange, before: Person | undefined): string {
  switch (change.change) {
    case 'add': {
      const { name, keys, groups, aliases } = change.person;
      return `enrol ${name}, who can sign from then on, with ${keys.map(keyText).join(' and ')}; groups: ${list(groups)}; aliases: ${list(aliases)}`;
    }
    case 'remove':
      return `remove ${change.name} with every key`;
    case 'add-key':
      return `let ${change.name} sign with one more key, ${keyText(change.key)}`;
    case 'remove-key':
      return `take the key ${change.fingerprint} from ${change.name}`;
    case 'rotate-key':
      return `replace the key ${change.fingerprint} of ${change.name} by ${keyText(change.key)}`;
    case 'set': {
      const { name, groups, aliases } = change;
      return [
        ...(groups === undefined
          ? []
          : [`groups of ${name}: from ${list(before?.groups)} to ${list(groups)}`]),
        ...(aliases === undefined
          ? []
          : [`aliases of ${name}: from ${list(before?.aliases)} to ${list(aliases)}`]),
      ].join('; ');
    }
  }
}

/** A change of submitters in one sentence. */
export function submitterSummary(change: SubmitterChange): string {
  switch (change.change) {
    case 'add': {
      const { name, credential, limits } = change.submitter;
      const { actions, resources, doors, requesters, canaries } = limits;
      const more = canaries === true ? '; and canaries, which nobody needs' : '';
      return `let the submitter ${name} ask, ${credentialWords(credential)}: for the actions ${list(actions)}, on ${list(resources)}, at the doors ${list(doors)}, for itself and ${list(requesters)}${more}`;
    }
    case 'rotate':
      return `let the submitter ${change.name} ask ${credentialWords(change.credential)}, and no longer as before`;
    case 'remove':
      return `remove the submitter ${change.name}`;
  }
}

/** A person in full, with fingerprints for keys; null for nobody. */
export function personFacts(person: Person | undefined): JsonObject | null {
  if (person === undefined) return null;
  const { aliases, groups, keys } = person;
  return { aliases, groups, keys: keys.map(keyText) };
}

/** A submitter in full; null for none. */
export function submitterFacts(submitter: Submitter | undefined): JsonObject | null {
  if (submitter === undefined) return null;
  return { asks: credentialWords(submitter.credential), limits: { ...submitter.limits } };
}

function keyText({ key, validAfter, validBefore }: PersonKey): string {
  const { type, fingerprint } = parsePublicKeyLine(key);
  const times = [
    ...(validAfter === null ? [] : [`after ${formatTime(validAfter)}`]),
    ...(validBefore === null ? [] : [`before ${formatTime(validBefore)}`]),
  ];
  return `${fingerprint} (${[type, ...times].join(', ')})`;
}

function credentialWords(credential: SubmitterCredential): string {
  switch (credential.kind) {
    case 'key':
      return `signing with ${keyText({ key: credential.key, validAfter: null, validBefore: null })}`;
    case 'token':
      return `with a bearer token, of which the hash is here`;
    case 'socket':
      return `as whoever may open the broker's socket`;
    case 'oidc': {
      const { issuer, audience, claims, requester } = credential;
      const values = claims.map(({ name, value }) => `${name}=${value}`).join(', ');
      return `with tokens of ${issuer} for ${audience} that carry ${values}${requester === null ? '' : `, for whom its claim ${requester} names`}`;
    }
  }
}

const list = (texts: readonly string[] | undefined): string =>
  texts === undefined || texts.length === 0 ? 'none' : texts.join(', ');
