import type { CelInput } from '@bufbuild/cel';
import type { JsonObject, JsonValue } from '../../src/protocol/strict-json.js';
import type { VerifiedFacts } from '../../src/protocol/verified-facts.js';
import type { Facts } from './condition.js';
import { celTime } from './condition-time.js';
import type { Ask } from './policy.js';

/**
 * What a condition sees of an ask. Each part is made when it is looked at, once.
 *
 * @param declared names of the groups of the policy file
 */
export function factsOf(ask: Ask, declared: readonly string[]): Facts {
  const { document } = ask.bound;
  const { action, resource, door, duration } = document;
  const parts = {
    requester: () => requesterFacts(ask, declared),
    verified: () => verifiedFacts(ask.verified),
    details: () => objectFacts(document.details),
    context: () => objectFacts(document.context),
    time: () => celTime(ask.now),
  };
  const made = new Map<string, CelInput>();
  const part = (name: keyof typeof parts): CelInput => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const fresh = parts[name]();
    made.set(name, fresh);
    return fresh;
  };
  return {
    action,
    resource,
    door,
    submitter: ask.submitter.name,
    duration: BigInt(duration),
    get requester() {
      return part('requester');
    },
    get verified() {
      return part('verified');
    },
    get details() {
      return part('details');
    },
    get context() {
      return part('context');
    },
    get time() {
      return part('time');
    },
  };
}

function requesterFacts({ bound, principals }: Ask, declared: readonly string[]): CelInput {
  const { requester } = bound.document;
  const person = principals.personBehind(requester);
  const names: ReadonlySet<string> = new Set([...(person?.groups ?? []), ...declared]);
  const groups = [...names].filter((group) => person !== null && principals.isMember(person, group));
  return new Map<string, CelInput>([
    ['name', requester],
    ['person', person?.name ?? ''],
    ['groups', groups],
  ]);
}

function verifiedFacts(verified: VerifiedFacts | null): CelInput {
  if (verified === null) return new Map<string, CelInput>();
  const claims = verified.claims.map(({ name, value }): [string, CelInput] => [name, value]);
  // Last, so that no claim of this name takes its place.
  return new Map<string, CelInput>([...claims, ['issuer', verified.issuer]]);
}

const objectFacts = (object: JsonObject): CelInput =>
  new Map(Object.entries(object).map(([key, value]): [string, CelInput] => [key, valueFacts(value)]));

/** The numbers of a document are whole. */
function valueFacts(value: JsonValue): CelInput {
  if (typeof value === 'number') return BigInt(value);
  if (value === null || typeof value !== 'object') return value;
  return Array.isArray(value) ? value.map(valueFacts) : objectFacts(value as JsonObject);
}
