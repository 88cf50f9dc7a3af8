import * as z from 'zod';
import { rosterChangeReply, submittersChangeReply } from '../protocol/change-messages.js';
import type { RequestId } from '../protocol/names.js';
import {
  type Person,
  type RosterChange,
  rosterChangeSchema,
  rosterReply,
  type Submitter,
  type SubmitterChange,
  submitterChangeSchema,
  submittersReply,
} from '../protocol/roster-messages.js';
import type { CallAs } from './http-client.js';

/** Who may sign, and who may ask. */
export interface Enrolled {
  readonly people: readonly Person[];
  readonly submitters: readonly Submitter[];
}

/** One change of the people or of the submitters. */
export type DirectoryChange =
  | { readonly of: 'people'; readonly change: RosterChange }
  | { readonly of: 'submitters'; readonly change: SubmitterChange };

/** What became of a change: it is in force, or it is a request that waits for others. */
export type MadeChange =
  | { readonly kind: 'applied' }
  | { readonly kind: 'asked'; readonly id: RequestId; readonly missing: readonly string[] };

/** People and submitters of a broker, for its approvers. */
export interface Directory {
  /** @throws any problem of the broker. The reason of `signal` where that was aborted. */
  list(signal: AbortSignal): Promise<Enrolled>;
  /**
   * Asks for a change in the name of the approver.
   *
   * @param reason for those who decide on it; null for none
   * @throws any problem of the broker
   */
  change(change: DirectoryChange, reason: string | null): Promise<MadeChange>;
}

/** The directory of a broker, for whom `call` is made. */
export const brokerDirectory = (call: CallAs): Directory => ({
  async list(signal) {
    const [{ people }, { submitters }] = await Promise.all([
      call(rosterReply, { method: 'GET', path: '/v1/roster', signal }),
      call(submittersReply, { method: 'GET', path: '/v1/submitters', signal }),
    ]);
    return { people, submitters };
  },
  async change(asked, reason) {
    const because = reason === null ? {} : { reason };
    const reply =
      asked.of === 'people'
        ? await call(rosterChangeReply, {
            method: 'POST',
            path: '/v1/roster/changes',
            body: { ...z.encode(rosterChangeSchema, asked.change), ...because },
          })
        : await call(submittersChangeReply, {
            method: 'POST',
            path: '/v1/submitters/changes',
            body: { ...z.encode(submitterChangeSchema, asked.change), ...because },
          });
    if (!('watch' in reply)) return { kind: 'applied' };
    return { kind: 'asked', id: reply.id, missing: reply.status.missing };
  },
});
