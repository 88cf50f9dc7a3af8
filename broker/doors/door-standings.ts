import { createHash } from 'node:crypto';
import type { DoorStanding } from '../../src/protocol/door-messages.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import { exportSigners, signersHeading } from '../../src/ssh/roster-export.js';
import { matches } from '../access/submitters.js';
import type { Directory, Door, Store } from '../store/store.js';

/**
 * The doors that said which signers file they have, by name; outdated where it is neither of the two texts that the roster
 * exports for them. A door for which no submitter may ask any more is gone.
 */
export function doorStandings(
  doors: ReadonlyMap<Name, Door>,
  { people, submitters }: Directory,
): readonly DoorStanding[] {
  const text = people.some(({ keys }) => keys.length > 0) ? exportSigners(people, null) : '';
  const general = digestOf(text);
  return [...doors.values()]
    .filter(({ name }) => submitters.some(({ limits }) => matches(limits.doors, name)))
    .map(({ name, signers, since }) => ({
      door: name,
      since,
      outdated: signers !== general && signers !== digestOf(signersHeading(name) + text),
    }))
    .sort((a, b) => (a.door < b.door ? -1 : 1));
}

/** How the doors stand; worked out anew only when doors or directory have changed. */
export function watchDoors(store: Store): () => readonly DoorStanding[] {
  let doors = store.doors();
  let directory = store.directory();
  let standings = doorStandings(doors, directory);
  return () => {
    if (store.doors() !== doors || store.directory() !== directory) {
      doors = store.doors();
      directory = store.directory();
      standings = doorStandings(doors, directory);
    }
    return standings;
  };
}

const digestOf = (text: string): Digest =>
  `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
