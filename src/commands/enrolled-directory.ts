import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { EnrolledChange } from '../../broker/changes/directory-change.js';
import { socketAddress } from '../client/address.js';
import { HttpClient } from '../client/http-client.js';
import { socketPath } from '../client/locations.js';
import { rosterChangeReply, submittersChangeReply } from '../protocol/change-messages.js';
import type { SubmitReply } from '../protocol/messages.js';
import type { BearerToken } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
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
import { exact, tell } from './output.js';

/** The people and submitters of one data directory, wherever they can be reached. */
export interface EnrolledDirectory {
  people(): Promise<readonly Person[]>;
  submitters(): Promise<readonly Submitter[]>;
  changeRoster(change: RosterChange, reason?: string | null): Promise<Made>;
  changeSubmitters(change: SubmitterChange, reason?: string | null): Promise<Made>;
  close(): Promise<void>;
}

/** What became of a change: it is in force, or it is a request that waits for others. */
export type Made =
  | { readonly kind: 'done'; readonly withoutApproval: boolean }
  | { readonly kind: 'asked'; readonly reply: SubmitReply; readonly client: HttpClient };

/**
 * Opens the directory through the socket of a running broker, else the database itself under its exclusive lock.
 *
 * @throws Problem `broker-locked` where a broker runs that cannot be reached, and those of the store.
 */
export async function openDirectory(data: string): Promise<EnrolledDirectory> {
  const client = new HttpClient(socketAddress(socketPath(data)));
  try {
    await client.call(rosterReply, { method: 'GET', path: '/v1/roster' });
    return overHttp(client);
  } catch (error) {
    client.close();
    if (!(error instanceof Problem) || error.code !== 'broker-unreachable') throw error;
  }
  return inDatabase(data);
}

/** Whether somebody has used this data directory before. */
export const hasDatabase = (data: string): boolean => existsSync(join(data, 'broker.db'));

/** Through a broker: as its owner over the socket, or as whoever signed in. */
export function overHttp(client: HttpClient, token?: BearerToken): EnrolledDirectory {
  const get = { method: 'GET', token } as const;
  const made = (reply: object | SubmitReply): Made =>
    'watch' in reply ? { kind: 'asked', reply, client } : { kind: 'done', withoutApproval: false };
  const because = (reason: string | null): object => (reason === null ? {} : { reason });
  return {
    people: async () => (await client.call(rosterReply, { ...get, path: '/v1/roster' })).people,
    submitters: async () =>
      (await client.call(submittersReply, { ...get, path: '/v1/submitters' })).submitters,
    async changeRoster(change, reason = null) {
      const body = { ...z.encode(rosterChangeSchema, change), ...because(reason) };
      const call = { method: 'POST', path: '/v1/roster/changes', body, token } as const;
      return made(await client.call(rosterChangeReply, call));
    },
    async changeSubmitters(change, reason = null) {
      const body = { ...z.encode(submitterChangeSchema, change), ...because(reason) };
      const call = { method: 'POST', path: '/v1/submitters/changes', body, token } as const;
      return made(await client.call(submittersChangeReply, call));
    },
    close: async () => client.close(),
  };
}

async function inDatabase(data: string): Promise<EnrolledDirectory> {
  const [{ openSqliteStore }, { changeOffline }] = await Promise.all([
    import('../../broker/store/sqlite/open.js'),
    import('../../broker/changes/offline.js'),
  ]);
  const store = await openSqliteStore({
    directory: data,
    clock: Date.now,
    random: randomBytes,
    onMigrated: (copy) => tell(`brought the database up to this version; as it was before: ${exact(copy)}`),
  });
  const made = async (asked: EnrolledChange): Promise<Made> => ({
    kind: 'done',
    withoutApproval: await changeOffline(store, asked, Date.now()),
  });
  return {
    people: async () => store.directory().people,
    submitters: async () => store.directory().submitters,
    changeRoster: (change) => made({ of: 'people', change }),
    changeSubmitters: (change) => made({ of: 'submitters', change }),
    close: () => store.close(),
  };
}

/** Opens the directory for `use` and closes it. */
export async function withDirectory<Result>(
  data: string,
  use: (directory: EnrolledDirectory) => Promise<Result>,
): Promise<Result> {
  const directory = await openDirectory(data);
  try {
    return await use(directory);
  } finally {
    await directory.close();
  }
}
