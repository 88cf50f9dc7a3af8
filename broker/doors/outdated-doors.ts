import { createHash } from 'node:crypto';
import type { OutdatedDoor } from '../../src/protocol/door-messages.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import { exportSigners, signersHeading } from '../../src/ssh/roster-export.js';
import { matches } from '../access/submitters.js';
import type { Directory, Door, Store } from '../store/store.js';

/**
 * The doors whose signers file is neither of the two texts that the roster exports for them, by name. A door for which no
 * submitter may ask any more is gone, and not outdated.
 */
export function outdatedDoors(
  doors: ReadonlyMap<Name, Door>,
  { people, submitters }: Directory,
): readonly OutdatedDoor[] {
  const text = people.some(({ keys }) => keys.length > 0) ? exportSigners(people, null) : '';
  const general = digestOf(text);
  return [...doors.values()]
    .filter(({ name }) => submitters.some(({ limits }) => matches(limits.doors, name)))
    .filter(({ name, signers }) => signers !== general && signers !== digestOf(signersHeading(name) + text))
    .map(({ name, since }) => ({ door: name, since }))
    .sort((a, b) => (a.door < b.door ? -1 : 1));
}

/** The outdated doors as they stand; worked out anew only when doors or directory have changed. */
export function watchOutdatedDoors(store: Store): () => readonly OutdatedDoor[] {
  let doors = store.doors();
  let directory = store.directory();
  let outdated = outdatedDoors(doors, directory);
  return () => {
    if (store.doors() !== doors || store.directory() !== directory) {
      doors = store.doors();
      directory = store.directory();
      const now = outdatedDoors(doors, directory);
      if (JSON.stringify(now) !== JSON.stringify(outdated)) outdated = now;
    }
    return outdated;
  };
}

const digestOf = (text: string): Digest =>
  `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
