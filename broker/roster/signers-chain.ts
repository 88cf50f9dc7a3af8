import { sha256Digest } from '../../src/protocol/canonical.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { RosterStatement } from '../../src/protocol/statements.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { PublicKey } from '../../src/ssh/public-key.js';
import { exportSigners } from '../../src/ssh/roster-export.js';
import { parseSignersFile } from '../../src/ssh/signers-file.js';
import type { Directory, RosterStep } from '../store/store.js';

/** How many people must have signed a step before it is handed out, where the file in force has so many who can. */
const PEOPLE = 2;
/** Longest time for which a statement may be good, in ms: a year. */
const LONGEST_VALIDITY = 366 * 86_400_000;

/** The signers file that the roster exports for all doors, and its digest. */
export function presentExport({ people }: Directory): { readonly digest: Digest; readonly text: string } {
  const text = people.some(({ keys }) => keys.length > 0) ? exportSigners(people, null) : '';
  return { digest: sha256Digest(text), text };
}

/** Whether enough people have signed it for the broker to hand it out. Doors count for themselves. */
export const isSigned = ({ needed, signatures }: RosterStep): boolean => signatures.length >= needed;

/**
 * The file with which a step begins unless somebody says otherwise: the beginning of the last signed step while that leads to the present
 * export, else its end, else the
 * newest file that a door has, else the first one that the broker knows.
 *
 * @param known all files that the broker knows, oldest first
 * @param held those that doors have
 */
export function fileInForce(
  steps: readonly RosterStep[],
  known: readonly Digest[],
  held: ReadonlySet<Digest>,
  present: Digest,
): Digest {
  const last = steps.findLast(isSigned);
  // Whoever has not signed it may do so still: some doors ask for more people than the broker.
  if (last !== undefined) return isOpen(steps, last, present) ? last.old : last.next;
  const installed = known.findLast((digest) => held.has(digest) && digest !== present);
  return installed ?? known[0] ?? present;
}

/** Whether the roster has exported nothing else since the step was begun. */
const isOpen = (steps: readonly RosterStep[], step: RosterStep, present: Digest): boolean =>
  steps.slice(steps.indexOf(step)).every(({ next }) => next === present);

/**
 * The step that people may sign now. It gets a number of its own: one that was begun for another export is left behind, so
 * that no two steps have the same.
 *
 * @param old the file in force, and its text
 * @returns null where the file in force is what the roster exports
 */
export function openStep(
  steps: readonly RosterStep[],
  directory: Directory,
  old: { readonly digest: Digest; readonly text: string },
): RosterStep | null {
  const next = presentExport(directory).digest;
  if (old.digest === next) return null;
  const open = steps.find((step) => step.old === old.digest && isOpen(steps, step, next));
  if (open !== undefined) return open;
  return {
    serial: (steps.at(-1)?.serial ?? 0) + 1,
    old: old.digest,
    next,
    needed: Math.min(PEOPLE, Math.max(1, countWhoCanSign(directory, old.text))),
    signatures: [],
  };
}

/**
 * Adds one verified statement to the step that it speaks of.
 *
 * @throws Problem `roster-changed` where it speaks of another step than the open one; `already-voted`; `not-an-approver` for a
 * key that the file in force does not have, because no door would count it; `not-after-invalid`
 */
export function signStep(
  open: RosterStep | null,
  statement: RosterStatement,
  signed: { readonly key: PublicKey; readonly text: string; readonly oldText: string },
  now: EpochMs,
): RosterStep {
  const { approver, validUntil } = statement;
  if (open === null || statement.next !== open.next)
    throw new Problem(
      'roster-changed',
      'the roster exports another signers file than the one that was signed',
    );
  if (statement.serial !== open.serial)
    throw new Problem('roster-changed', `the serial to sign is ${open.serial}, not ${statement.serial}`);
  if (validUntil <= now || validUntil > now + LONGEST_VALIDITY)
    throw new Problem(
      'not-after-invalid',
      `valid-until ${formatTime(validUntil)} is past, or more than a year ahead`,
      {
        hint: 'let it lie after now and within a year',
      },
    );
  if (!hasKey(signed.oldText, approver, signed.key))
    throw new Problem(
      'not-an-approver',
      `${approver} does not stand with that key in the file that is in force at doors`,
      {
        hint: 'somebody who does must sign; or install the file by hand: countersign roster export',
      },
    );
  const others = open.signatures.filter((signature) => signature.approver !== approver);
  const own = open.signatures.find((signature) => signature.approver === approver);
  if (own !== undefined && own.validUntil > now)
    throw new Problem('already-voted', `${approver} has signed this already`);
  return { ...open, signatures: [...others, { approver, validUntil, text: signed.text }] };
}

/**
 * The steps that lead from a file to the newest one, by rising serials. A statement that has run out is left out, and with it
 * a step that has too few without it.
 *
 * @param after the serial of the last step that the door has taken
 */
export function stepsFrom(
  steps: readonly RosterStep[],
  from: Digest,
  after: number,
  now: EpochMs,
): readonly RosterStep[] {
  const usable = steps
    .map((step) => ({ ...step, signatures: step.signatures.filter(({ validUntil }) => validUntil > now) }))
    .filter(isSigned);
  const chain: RosterStep[] = [];
  let [file, serial] = [from, after];
  for (;;) {
    const next = usable.findLast((step) => step.old === file && step.serial > serial);
    if (next === undefined) return chain;
    chain.push(next);
    [file, serial] = [next.next, next.serial];
  }
}

function countWhoCanSign({ people }: Directory, oldText: string): number {
  const enrolled = new Set(people.flatMap(({ name, keys }) => keys.map(({ key }) => `${name} ${key}`)));
  return parseSignersFile(oldText).filter(({ name, keys }) =>
    keys.some(({ key }) => enrolled.has(`${name} ${key.type} ${key.base64}`)),
  ).length;
}

function hasKey(text: string, approver: Name, { base64 }: PublicKey): boolean {
  const signer = parseSignersFile(text).find(({ name }) => name === approver);
  return signer?.keys.some(({ key }) => key.base64 === base64) ?? false;
}
