import { randomBytes } from 'node:crypto';
import type { Name } from '../../src/protocol/names.ts';
import { compiled } from './modules.js';
import { makeSshKey, type SshKey } from './ssh-key.ts';

const { openSqliteStore } = await compiled<typeof import('../../broker/store/sqlite/open.ts')>(
  'broker/store/sqlite/open.js',
);

/** Who speaks to the broker in every benchmark. */
export interface Enrolled {
  readonly approver: SshKey;
  readonly submitter: SshKey;
}

export const APPROVER = 'bob' as Name;
export const SUBMITTER = 'host:web-1.example.com' as Name;

/**
 * Makes a data directory with one approver, and one host that may submit anything.
 *
 * @param line the approver's public key, where that lies in a file: then the key that is returned is nobody's
 */
export async function enrol(directory: string, line: string | null = null): Promise<Enrolled> {
  const approver = makeSshKey();
  const submitter = makeSshKey();
  const store = await openSqliteStore({ directory, clock: Date.now, random: randomBytes });
  await store.changeDirectory(() => ({
    directory: {
      people: [
        {
          name: APPROVER,
          aliases: [],
          groups: [],
          keys: [{ key: line ?? approver.line, validAfter: null, validBefore: null }],
        },
      ],
      submitters: [
        {
          name: SUBMITTER,
          credential: { kind: 'key', key: submitter.line },
          limits: { actions: ['*'], resources: ['*'], doors: ['*'], requesters: ['*'] },
        },
      ],
    },
    events: [],
  }));
  await store.close();
  return { approver, submitter };
}
