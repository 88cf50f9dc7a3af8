import { Problem } from '../../../src/protocol/problems.js';
import type { EpochMs } from '../../../src/protocol/time.js';
import type { Directory, Session, TokenHash } from '../store.js';
import { isEnrolled, type LiveState } from './live-state.js';
import { misuse } from './misuse.js';

/** What one commit changes about who is enrolled and who is signed in, laid over what is committed. */
export class AccessDraft {
  directory: Directory;
  readonly sessions = new Map<TokenHash, Session>();
  readonly endedSessions = new Set<TokenHash>();
  readonly #live: LiveState;

  constructor(live: LiveState) {
    this.#live = live;
    this.directory = live.directory;
  }

  get isEmpty(): boolean {
    return this.sessions.size + this.endedSessions.size === 0 && this.directory === this.#live.directory;
  }

  /** @param directory sorted; sessions whose key is gone from it end */
  put(directory: Directory): void {
    const ended = this.#sessions().filter(({ approver, key }) => !isEnrolled(directory, approver, key));
    this.directory = directory;
    for (const session of ended) this.#endSession(session);
  }

  /** @throws Problem `unknown-key` if the key left the roster after it signed in */
  addSession(session: Session, now: EpochMs): void {
    if (!isEnrolled(this.directory, session.approver, session.key)) {
      throw new Problem('unknown-key', 'the key that signed in is not enrolled any more');
    }
    for (const other of this.#sessions()) if (other.expires <= now) this.#endSession(other);
    this.sessions.set(session.hash, session);
    this.endedSessions.delete(session.hash);
  }

  /** As they stand after this draft. */
  #sessions(): Session[] {
    return [...this.#live.sessions.values(), ...this.sessions.values()].filter(
      ({ hash }) => !this.endedSessions.has(hash),
    );
  }

  #endSession({ hash }: Session): void {
    this.sessions.delete(hash);
    this.endedSessions.add(hash);
  }
}

/**
 * As the store keeps it: both lists by name.
 *
 * @throws TypeError where a name stands twice
 */
export const sorted = ({ people, submitters }: Directory): Directory => ({
  people: sortedByName(people),
  submitters: sortedByName(submitters),
});

function sortedByName<Named extends { readonly name: string }>(list: readonly Named[]): readonly Named[] {
  if (new Set(list.map(({ name }) => name)).size < list.length) {
    throw misuse('a name stands for one entry of the directory');
  }
  return list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
