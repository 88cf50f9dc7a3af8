import type { Database, Statement } from 'better-sqlite3';
import * as z from 'zod';
import { leastIdAt } from '../../../src/protocol/filter.js';
import { isName, isRequestId, type Name, type RequestId } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import { REQUEST_STATES } from '../../../src/protocol/request-view.js';
import type { OutcomePage, OutcomeQuery, RequestOutcome } from '../store.js';

/** Rows that are read at once: about a millisecond of work. */
const READ_AT_ONCE = 64;
/** Sorts after every id. */
const AFTER_ALL = '~';

interface OutcomeRow {
  readonly id: RequestId;
  readonly state: string;
  readonly submitted_at: number;
  readonly rule: string;
  readonly life: string;
}

/** Of the column `life` what figures need, and nothing else: it is checked in full where a request is read. */
const lifeSchema = z.object({
  votes: z.array(
    z.object({
      approver: z.custom<Name>(isName, 'not a name'),
      verdict: z.enum(['approve', 'deny']),
      decided: z.int(),
    }),
  ),
  alone: z.nullable(z.object({ opened: z.boolean() })).default(null),
  grant: z.nullable(z.custom<RequestId>(isRequestId, 'not a request id')).default(null),
  canary: z.nullable(z.int()).default(null),
});
/** What stands in the column of an erased request, whose `life` tells no more than how it ended. */
const ERASED = 'erased';
const stateSchema = z.enum(REQUEST_STATES);

/** Reads how requests came out, from the newest back, in short steps. */
export class OutcomeWalk {
  readonly #rows: Statement<[string, string, number], OutcomeRow>;

  constructor(database: Database) {
    this.#rows = database.prepare(
      `SELECT id, state, submitted_at, rule, life FROM requests
       WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?`,
    );
  }

  /** One step. What was erased, or revealed to be a canary, is left out. */
  step({ since, before }: OutcomeQuery): OutcomePage {
    const rows = this.#rows.all(leastIdAt(since), before ?? AFTER_ALL, READ_AT_ONCE);
    return {
      outcomes: rows.flatMap((row) => outcomeFrom(row) ?? []),
      next: rows.length < READ_AT_ONCE ? null : (rows.at(-1)?.id ?? null),
    };
  }
}

/** @throws Problem `storage-failed` if the row is damaged */
function outcomeFrom({ id, state, submitted_at, rule, life }: OutcomeRow): RequestOutcome | null {
  if (state === ERASED) return null;
  try {
    const { votes, alone, grant, canary } = lifeSchema.parse(JSON.parse(life));
    if (canary !== null) return null;
    const isAlone = alone?.opened ?? false;
    return { askedAt: submitted_at, state: stateSchema.parse(state), rule, votes, grant, alone: isAlone };
  } catch (cause) {
    throw new Problem('storage-failed', `the stored request ${id} is damaged`, {
      hint: 'restore the database from a back-up',
      cause,
    });
  }
}
