import * as z from 'zod';
import { canonicalJson, sha256Digest } from '../../src/protocol/canonical.js';
import { BROKER_SUBMITTER, ROSTER_CHANGE } from '../../src/protocol/change-messages.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseSignedText } from '../../src/protocol/receipt.js';
import { rosterChangeSchema, submitterChangeSchema } from '../../src/protocol/roster-messages.js';
import { parseRoster } from '../../src/protocol/statements.js';
import { isJsonObject, type JsonObject } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { verifySignature } from '../../src/ssh/signature.js';
import {
  APPROVERS_WHO_MUST_AGREE,
  applyChange,
  applyDescribed,
  describedChange,
  type EnrolledChange,
} from '../changes/directory-change.js';
import type { Counted } from '../policy/quorum.js';
import type { Request } from '../requests/request.js';
import { checkBroker, checkSigner } from '../requests/verification.js';
import { type DirectoryChange, EMPTY_DIRECTORY } from '../roster/directory.js';
import { type DeclaredGroups, Principals } from '../roster/principals.js';
import { presentExport } from '../roster/signers-chain.js';
import type { Directory } from '../store/store.js';
import type { Moment } from './replayed-request.js';

const signedBody = z.object({
  serial: z.int(),
  old: z.string(),
  new: z.string(),
  approver: z.string(),
  statement: z.string(),
});

/** Groups as an entry says that they were: of those that it speaks of, exactly the members that it names. */
class LoggedGroups implements DeclaredGroups {
  #members: ReadonlyMap<string, ReadonlySet<Name>> = new Map();

  members(group: string): ReadonlySet<Name> | null {
    return this.#members.get(group) ?? null;
  }

  source(): null {
    return null;
  }

  during<Result>(members: ReadonlyMap<string, ReadonlySet<Name>>, work: () => Result): Result {
    this.#members = members;
    try {
      return work();
    } finally {
      this.#members = new Map();
    }
  }
}

/** People and submitters as they stood at each entry. */
export class RosterReplay {
  readonly #groups = new LoggedGroups();
  #directory: Directory = EMPTY_DIRECTORY;
  #principals: Principals | null = null;

  get principals(): Principals {
    this.#principals ??= new Principals(this.#directory, this.#groups);
    return this.#principals;
  }

  /** The signers file that the roster exported at this entry. */
  get exported(): string {
    return presentExport(this.#directory).digest;
  }

  /**
   * Does something with groups as an entry tells of them. Who is said to be in a group by the roster must be.
   *
   * @param counted the people, each with the groups that are claimed for him
   * @param named the groups that are asked about
   * @returns what the work returns, and whether a program was believed about a group
   * @throws Problem `not-an-approver`
   */
  withGroups<Result>(
    counted: Counted,
    named: readonly string[],
    work: () => Result,
  ): { readonly result: Result; readonly isBelieved: boolean } {
    const members = new Map(named.map((group) => [group, new Set<Name>()]));
    let isBelieved = false;
    for (const [name, groups] of Object.entries(counted) as [Name, Readonly<Record<string, string>>][]) {
      for (const [group, source] of Object.entries(groups)) {
        members.get(group)?.add(name);
        if (source !== 'roster') isBelieved = true;
        else if (!this.principals.approver(name)?.groups.some((own) => own === group)) {
          throw new Problem('not-an-approver', `the roster had not put ${name} in ${group}`);
        }
      }
    }
    return { result: this.#groups.during(members, work), isBelieved };
  }

  /**
   * An entry `roster.changed` or `submitters.changed`.
   *
   * @param approved the request that the entry names, where it was approved and used just before, or was erased since
   * @returns whether it was changed without the approval that it would have taken while the broker ran
   * @throws Problem of a change that could not be made; `forbidden` where it took an approval and had none
   */
  changed(
    kind: string,
    body: JsonObject,
    { seq, at }: { readonly seq: number; readonly at: EpochMs },
    approved: Request | null | 'erased',
  ): boolean {
    const { by, request, without, ...written } = body;
    const authority = pickDefined({ by, request, without });
    const isWithout = without === 'approval';
    const mustAgree = this.#directory.people.length >= APPROVERS_WHO_MUST_AGREE;
    const isErased = approved === 'erased';
    const next = request === undefined || isErased ? null : this.#described(kind, approved, at, authority);
    if (mustAgree && !isWithout && !isErased && next === null) {
      throw new Problem('forbidden', 'people had to agree to this change, and none is named who did');
    }
    const { directory, events } =
      next ?? applyChange(this.#directory, asked(kind, written, seq), at, authority);
    if (canonicalJson(events[0]?.body ?? {}) !== canonicalJson(body)) {
      throw new Problem('statement-mismatch', 'it is not the change that was approved');
    }
    this.#directory = sorted(directory);
    this.#principals = null;
    return isWithout;
  }

  /**
   * An entry `roster.signed`: somebody has signed that doors may take another signers file.
   *
   * @throws ZodError, or Problem of a statement that he cannot have signed there
   */
  signed(body: JsonObject, { at, brokers, witness }: Moment): void {
    const said = signedBody.parse(body);
    const { statement, armor } = parseSignedText(said.statement);
    const roster = parseRoster(statement);
    const names = brokers(at);
    if (names !== null) checkBroker(roster.broker, { brokers: names });
    const isSame =
      roster.serial === said.serial &&
      roster.old === said.old &&
      roster.next === said.new &&
      roster.approver === said.approver;
    if (!isSame) throw new Problem('statement-mismatch', 'the entry says another thing than the signed text');
    if (roster.next !== this.exported) {
      throw new Problem('roster-conflict', 'it is about another signers file than the roster exported');
    }
    const { key } = verifySignature(statement, armor, 'roster@countersign');
    checkSigner(roster.approver, this.principals.signer(key.fingerprint, at).name);
    witness.verified('roster');
  }

  #described(kind: string, approved: Request | null, at: EpochMs, authority: JsonObject): DirectoryChange {
    const isIts = approved?.submitter === BROKER_SUBMITTER && approved.document.action === ROSTER_CHANGE;
    if (approved === null || !isIts) {
      throw new Problem('forbidden', 'the request that it names was not approved for that');
    }
    const { details } = approved.document;
    // What a token's hash was is not in the log, so that a submitter cannot be held against what was read of it.
    return kind === 'roster.changed'
      ? applyDescribed(this.#directory, details, at, authority)
      : applyChange(this.#directory, describedChange(details), at, authority);
  }
}

function asked(kind: string, written: JsonObject, seq: number): EnrolledChange {
  if (kind === 'roster.changed') return { of: 'people', change: rosterChangeSchema.parse(written) };
  const { change, name, credential, limits } = written;
  const whole = withToken(credential, seq);
  const submitter = change === 'add' ? { change, submitter: { name, credential: whole, limits } } : null;
  const other = credential === undefined ? written : { ...written, credential: whole };
  return { of: 'submitters', change: submitterChangeSchema.parse(submitter ?? other) };
}

/** The hash of a token stays out of the log: any that nobody else has will do. */
const withToken = (
  credential: JsonObject[string] | undefined,
  seq: number,
): JsonObject[string] | undefined =>
  isJsonObject(credential) && credential.kind === 'token'
    ? { kind: 'token', hash: sha256Digest(`token ${seq}`).slice('sha256:'.length) }
    : credential;

const pickDefined = (fields: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;

/** As the store keeps it. */
const sorted = ({ people, submitters }: Directory): Directory => ({
  people: people.toSorted(byName),
  submitters: submitters.toSorted(byName),
});
