import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { socketAddress } from '../client/address.js';
import { HttpClient } from '../client/http-client.js';
import { socketPath } from '../client/locations.js';
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
  /** @returns the people after the change */
  changeRoster(change: RosterChange): Promise<readonly Person[]>;
  /** @returns the submitters after the change */
  changeSubmitters(change: SubmitterChange): Promise<readonly Submitter[]>;
  close(): Promise<void>;
}

/**
 * Opens the directory through the socket of a running broker, else the database itself under its exclusive lock.
 *
 * @throws Problem `broker-locked` where a broker runs that cannot be reached, and those of the store.
 */
export async function openDirectory(data: string): Promise<EnrolledDirectory> {
  const client = new HttpClient(socketAddress(socketPath(data)));
  try {
    await client.call(rosterReply, { method: 'GET', path: '/v1/roster' });
    return overSocket(client);
  } catch (error) {
    client.close();
    if (!(error instanceof Problem) || error.code !== 'broker-unreachable') throw error;
  }
  return inDatabase(data);
}

/** Whether somebody has used this data directory before. */
export const hasDatabase = (data: string): boolean => existsSync(join(data, 'broker.db'));

function overSocket(client: HttpClient): EnrolledDirectory {
  return {
    people: async () => (await client.call(rosterReply, { method: 'GET', path: '/v1/roster' })).people,
    submitters: async () =>
      (await client.call(submittersReply, { method: 'GET', path: '/v1/submitters' })).submitters,
    async changeRoster(change) {
      const body = z.encode(rosterChangeSchema, change);
      const { people } = await client.call(rosterReply, { method: 'POST', path: '/v1/roster/changes', body });
      return people;
    },
    async changeSubmitters(change) {
      const body = z.encode(submitterChangeSchema, change);
      const call = { method: 'POST', path: '/v1/submitters/changes', body } as const;
      return (await client.call(submittersReply, call)).submitters;
    },
    close: async () => client.close(),
  };
}

async function inDatabase(data: string): Promise<EnrolledDirectory> {
  const [{ openSqliteStore }, { changeRoster, changeSubmitters }] = await Promise.all([
    import('../../broker/store/sqlite/open.js'),
    import('../../broker/roster/directory.js'),
  ]);
  const store = await openSqliteStore({
    directory: data,
    clock: Date.now,
    random: randomBytes,
    onMigrated: (copy) => tell(`brought the database up to this version; as it was before: ${exact(copy)}`),
  });
  return {
    people: async () => store.directory().people,
    submitters: async () => store.directory().submitters,
    async changeRoster(change) {
      const changed = await store.changeDirectory((current) => changeRoster(current, change, Date.now()));
      return changed.people;
    },
    async changeSubmitters(change) {
      const changed = await store.changeDirectory((current) => changeSubmitters(current, change, Date.now()));
      return changed.submitters;
    },
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
