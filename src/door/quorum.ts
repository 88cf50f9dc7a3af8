import { shortages } from '../protocol/quorum.js';
import type { Signer } from '../ssh/signers-file.js';
import type { Requirements } from './requirements.js';

/**
 * Says why these people are not enough for this requester, in words; null if they are. The rule is the door's own; people
 * count by NAME, each once, and nobody counts for himself.
 *
 * @param names NAMEs of the signers file; another one counts for nothing
 */
export function quorumObjection(
  signers: readonly Signer[],
  requirements: Requirements,
  requester: string,
  names: readonly string[],
): string | null {
  const approvers = signers.filter(({ name }) => names.includes(name));
  const person = personBehind(signers, requester);
  if (person !== null) {
    if (approvers.includes(person)) return `${person.name} is the requester`;
    return shortage(requirements, approvers, 0);
  }
  // Not exactly one person of the signers file, such as a shared account: it may be any one of those who signed, so they
  // must be enough without any single one of them. That is so if each number is one higher than needed.
  switch (requirements.sharedRequester) {
    case 'accept':
      return shortage(requirements, approvers, 0);
    case 'one-more': {
      const short = shortage(requirements, approvers, 1);
      return short === null ? null : `${short}, as ${requester} may be any one of them`;
    }
    case 'refuse':
      return `${requester} is not one person of the signers file`;
  }
}

/** Why neither everybody else together nor the requester alone would be enough, so that nobody need be asked; null if so. */
export function impossibleQuorum(
  signers: readonly Signer[],
  requirements: Requirements,
  requester: string,
): string | null {
  const person = personBehind(signers, requester);
  const { alone } = requirements;
  if (alone !== null && person?.groups.includes(alone.group)) return null;
  const others = signers.filter((signer) => signer !== person).map(({ name }) => name);
  return quorumObjection(signers, requirements, requester, others);
}

/** The person to whom a NAME or an alias belongs. */
export function personBehind(signers: readonly Signer[], requester: string): Signer | null {
  return signers.find(({ name, aliases }) => [name, ...aliases].includes(requester)) ?? null;
}

function shortage(requirements: Requirements, approvers: readonly Signer[], spare: number): string | null {
  const [short] = shortages(requirements, approvers, isMember, spare);
  if (short === undefined) return null;
  const { groups, have, need } = short;
  return `${have} of ${need} people ${groups.length === 0 ? '' : `of ${groups.join(',')} `}have approved`;
}

const isMember = ({ groups }: Signer, group: string): boolean => groups.includes(group);
