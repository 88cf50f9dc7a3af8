import * as z from 'zod';
import { isName, isRequestId, type Name, type RequestId } from '../../src/protocol/names.js';
import type { restraintsSchema } from '../../src/protocol/restraints.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { Principals } from '../roster/principals.js';

const requester = z.custom<Name>(isName, 'not a name');
const epochMs = z.int();

/** The denials of one requester for one resource that still count, and until when they mute the two. */
const strikesSchema = z.strictObject({
  kind: z.literal('strikes'),
  requester,
  resource: z.string(),
  /** The newest ones, oldest first. */
  denials: z.array(epochMs).readonly(),
  mutedUntil: z.nullable(epochMs),
  /** From when on there is nothing to know of them. */
  expires: epochMs,
});
export type Strikes = z.output<typeof strikesSchema>;

/** Somebody called a request a fraud: nothing is asked in the name of this requester until an approver lifts it. */
const lockSchema = z.strictObject({
  kind: z.literal('lock'),
  requester,
  since: epochMs,
  by: requester,
  request: z.custom<RequestId>(isRequestId, 'not a request id'),
  comment: z.string(),
});
export type Lock = z.output<typeof lockSchema>;

/** What is kept of a requester to protect those who approve. As it is stored. */
export const restraintSchema = z.discriminatedUnion('kind', [strikesSchema, lockSchema]);
export type Restraint = z.output<typeof restraintSchema>;

/** All of them by {@link restraintKey}. Immutable: every change makes a new map. */
export type Restraints = ReadonlyMap<string, Restraint>;

export const NO_RESTRAINTS: Restraints = new Map();

/** Names have no spaces, so nobody's key is another's. */
export const lockKey = (who: Name): string => `lock ${who}`;
export const strikesKey = (who: Name, resource: string): string => `strikes ${who} ${resource}`;

export const restraintKey = (restraint: Restraint): string =>
  restraint.kind === 'lock'
    ? lockKey(restraint.requester)
    : strikesKey(restraint.requester, restraint.resource);

/** As whom a requester is counted: a person by NAME whatever the alias, an account that is nobody's as itself. */
export const countedAs = (asked: Name, principals: Principals): Name =>
  principals.personBehind(asked)?.name ?? asked;

/** What is over is forgotten. The same map where nothing is. */
export function inForce(restraints: Restraints, now: EpochMs): Restraints {
  const isOver = (restraint: Restraint): boolean => restraint.kind === 'strikes' && restraint.expires <= now;
  const all = [...restraints];
  return all.some(([, restraint]) => isOver(restraint))
    ? new Map(all.filter(([, restraint]) => !isOver(restraint)))
    : restraints;
}

/** Locks and mutes in force, as they go on the wire. */
export function restraintsOnWire(restraints: Restraints, now: EpochMs): z.input<typeof restraintsSchema> {
  const all = [...restraints.values()].sort((a, b) => (restraintKey(a) < restraintKey(b) ? -1 : 1));
  return {
    locks: all.flatMap((restraint) => {
      if (restraint.kind !== 'lock') return [];
      const { kind: _kind, since, ...lock } = restraint;
      return [{ ...lock, since: formatTime(since) }];
    }),
    mutes: all.flatMap((restraint) => {
      if (restraint.kind !== 'strikes' || restraint.mutedUntil === null || restraint.mutedUntil <= now)
        return [];
      const { requester: muted, resource, mutedUntil } = restraint;
      return [{ requester: muted, resource, until: formatTime(mutedUntil) }];
    }),
  };
}
