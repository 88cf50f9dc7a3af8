import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import * as z from 'zod';
import type { SignedHead } from '../../src/protocol/audit-head.js';
import type { DoorStanding } from '../../src/protocol/door-messages.js';
import type { Filter } from '../../src/protocol/filter.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import type { SinkStanding } from '../../src/protocol/outbox-messages.js';
import { type PolicyStanding, refusedPolicySchema } from '../../src/protocol/policy-messages.js';
import {
  parseConsoleMessage,
  REQUEST_EVENTS,
  type RequestEventKind,
} from '../../src/protocol/stream-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { formatTime } from '../../src/protocol/time.js';
import type { Limits } from '../options.js';
import { type Request, requestIsLive } from '../requests/request.js';
import { restraintsOnWire } from '../requests/restraints.js';
import { restorationOnWire, reviewsOnWire, talkedOnWire, viewOnWire } from '../requests/view.js';
import type { Committed, Session, Store } from '../store/store.js';
import { Presence } from './presence.js';

const ENDED: Filter = { terms: [{ key: 'state', not: false, any: ['ended'] }] };

/** Close codes of the stream, beside those of RFC 6455. */
export const CLOSE = { restart: 1012, policy: 1008, sessionEnded: 4401, removed: 4403 } as const;

/**
 * Turns of the event loop between the news of a commit and its broadcast. In them the waiters are woken, the use of an
 * approval is committed and the doors are answered: sending to hundreds of consoles takes longer than all of that.
 */
const TURNS_FOR_WAITERS = 3;

/** Who is rung for a request; null for everybody who could sign. */
type RingOf = (request: Request) => readonly Name[] | null;

interface Console {
  readonly socket: WebSocket;
  /** What the socket writes to. */
  readonly connection: Duplex;
  readonly session: Session;
  /** Bytes of what it was sent when it attached. However slowly they arrive, they are not yet a backlog. */
  readonly firstBytes: number;
  /** Whether it wants to know who reads what. */
  readonly hearsReading: boolean;
  /** Whether a person is there who would see an ask. */
  readonly isLookedAt: boolean;
}

interface Sent {
  readonly seq: number;
  readonly bytes: Buffer;
}

/**
 * Sends every committed event to every console. A message is serialised once and its bytes shared; nobody waits for a
 * slow console, it is dropped and resumes by `seq`.
 */
export class StreamHub {
  readonly #store: Store;
  readonly #limits: Limits;
  readonly #clock: () => EpochMs;
  readonly #ringOf: RingOf;
  readonly #consoles = new Set<Console>();
  readonly #presence = new Presence<Console>();
  #attached: ReadonlySet<Name> | null = null;
  /** The newest messages, oldest first, for consoles that resume. */
  #recent: Sent[] = [];
  #recentBytes = 0;
  /** The snapshot as of now, made for the first console that asks. */
  #picture: Buffer | null = null;
  #seq: number;
  /** The queue as of `#seq`. The store is ahead of it between a commit and its publication. */
  readonly #live: Map<RequestId, Request>;
  #ended: readonly Request[];
  /** What was said last of the reviews that are open. */
  #reviews: Buffer;
  #reviewed: ReturnType<Store['reviews']>;
  /** What was said last of who is locked or muted. */
  #restraints: Buffer;
  #restrained: ReturnType<Store['restraints']>;
  /** What was said last of the doors whose signers file is an old one. */
  #doors: Buffer = encode({ type: 'doors', outdated: [] });
  /** What was said last of what leaves the broker; null while nothing ever did. */
  #outbox: Buffer | null = null;
  /** What was said last of the policy file; null where there is none. */
  #policy: Buffer | null = null;
  /** The newest head of the log; null where none was signed yet. */
  #head: Buffer | null = null;

  private constructor(
    store: Store,
    limits: Limits,
    clock: () => EpochMs,
    ringOf: RingOf,
    ended: readonly Request[],
  ) {
    this.#store = store;
    this.#limits = limits;
    this.#clock = clock;
    this.#ringOf = ringOf;
    this.#seq = store.seq;
    this.#live = new Map(store.live().map((request) => [request.id, request]));
    this.#ended = ended;
    this.#reviewed = store.reviews();
    this.#reviews = encode({ type: 'reviews', open: reviewsOnWire(this.#reviewed) });
    this.#restrained = store.restraints();
    this.#restraints = this.#encodeRestraints();
    const head = store.newestHead();
    this.#head = head === null ? null : encode({ type: 'head', ...head });
  }

  /** Loads the newest ended requests, which every snapshot carries. */
  static async open(
    store: Store,
    limits: Limits,
    clock: () => EpochMs,
    ringOf: RingOf = () => null,
  ): Promise<StreamHub> {
    const { requests } = await store.list({ filter: ENDED, before: null, limit: limits.snapshotEnded });
    const hub = new StreamHub(store, limits, clock, ringOf, [...requests].reverse());
    store.onCommitted((entries) => hub.#tellLater(() => hub.#publish(entries)));
    return hub;
  }

  get consoles(): number {
    return this.#consoles.size;
  }

  /** Approvers with a console open. The same set until one comes or goes. */
  attached(): ReadonlySet<Name> {
    this.#attached ??= new Set(
      [...this.#consoles].filter(({ isLookedAt }) => isLookedAt).map(({ session }) => session.approver),
    );
    return this.#attached;
  }

  consolesOf(session: Session): number {
    let count = 0;
    for (const { session: other } of this.#consoles) if (other.approver === session.approver) count += 1;
    return count;
  }

  /**
   * Takes a console in.
   *
   * @param resume where the console left off; null for a first picture.
   * @param hearsReading whether it wants to know who reads what; one of an older version would not understand it.
   * @param isLookedAt whether a person is there; a program that reads along attends to nothing.
   */
  attach(
    socket: WebSocket,
    connection: Duplex,
    session: Session,
    resume: { readonly epoch: string; readonly seq: number } | null,
    { hearsReading = false, isLookedAt = true }: Partial<Pick<Console, 'hearsReading' | 'isLookedAt'>> = {},
  ): void {
    const missed = resume === null ? null : this.#since(resume);
    const picture =
      missed === null
        ? [this.#snapshot()]
        : [this.#resumed(missed.length), ...missed.map(({ bytes }) => bytes)];
    const reading = hearsReading ? [encode({ type: 'reading', requests: this.#presence.told() })] : [];
    const first = [...picture, ...this.#standing(), ...reading];
    const firstBytes = first.reduce((sum, { length }) => sum + length, 0);
    const console: Console = { socket, connection, session, firstBytes, hearsReading, isLookedAt };
    socket.on('error', () => this.#giveUp(console));
    socket.on('close', () => {
      this.#consoles.delete(console);
      this.#presence.leave(console);
      this.#attached = null;
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#hear(console, isBinary ? null : data));
    socket.on('pong', () => this.#presence.answer(console));
    this.#consoles.add(console);
    this.#presence.enter(console, session.approver);
    this.#attached = null;
    for (const bytes of first) this.#send(console, bytes);
  }

  /** Askers came or went; told after what was committed before. */
  readonly announceWaiting = ({ id, askers }: Request): void => {
    setImmediate(() =>
      this.#tellLater(() => {
        const known = this.#live.get(id);
        if (known !== undefined) this.#live.set(id, { ...known, askers });
        this.#picture = null;
        this.#broadcast(encode({ type: 'waiting', id, waiting: askers }));
      }),
    );
  };

  /** What was erased is shown to no console that comes now; told after what was committed before. */
  forget(ids: readonly RequestId[]): void {
    setImmediate(() =>
      this.#tellLater(() => {
        this.#ended = this.#ended.filter(({ id }) => !ids.includes(id));
        this.#picture = null;
      }),
    );
  }

  /** Other people are rung than before; told after what was committed before. */
  announceRinging({ id }: Request, ring: readonly Name[]): void {
    setImmediate(() =>
      this.#tellLater(() => {
        this.#picture = null;
        this.#broadcast(encode({ type: 'ringing', id, ring }));
      }),
    );
  }

  /** The doors whose signers file is an old one have changed. */
  announceDoors(doors: readonly DoorStanding[]): void {
    const outdated = doors
      .filter((standing) => standing.outdated)
      .map(({ door, since }) => ({ door, since: formatTime(since) }));
    const bytes = encode({ type: 'doors', outdated });
    if (bytes.equals(this.#doors)) return;
    this.#doors = bytes;
    this.#broadcast(this.#doors);
  }

  /** What people should know of the policy file may have changed. */
  announcePolicy(standing: PolicyStanding | null): void {
    if (standing === null) return;
    const failing = standing.groups.filter((group) => group.failing !== null).map(({ name }) => name);
    const refused = z.encode(z.nullable(refusedPolicySchema), standing.refused);
    const bytes = encode({ type: 'policy', refused, failing });
    if (this.#policy !== null && bytes.equals(this.#policy)) return;
    this.#policy = bytes;
    this.#broadcast(bytes);
  }

  /** A head of the log was signed; told after the events that it covers. */
  announceHead(head: SignedHead): void {
    this.#tellLater(() => {
      this.#head = encode({ type: 'head', ...head });
      this.#broadcast(this.#head);
    });
  }

  /** Told once a second; consoles are, where it changed. */
  announceOutbox(sinks: readonly SinkStanding[]): void {
    if (sinks.length === 0 && this.#outbox === null) return;
    const bytes = encode({ type: 'outbox', sinks });
    if (this.#outbox !== null && bytes.equals(this.#outbox)) return;
    this.#outbox = bytes;
    this.#broadcast(bytes);
  }

  /** Once a second: proof of life, and the clock that countdowns are shown by. */
  heartbeat(): void {
    const now = this.#clock();
    for (const console of this.#consoles) {
      if (console.session.expires <= now) console.socket.close(CLOSE.sessionEnded, 'the session has ended');
    }
    this.#tellReading();
    if (this.#consoles.size > 0) this.#broadcast(encode({ type: 'heartbeat', seq: this.#seq, clock: now }));
  }

  /** A console says what it has open, and nothing else, and not without end. */
  #hear(console: Console, data: Buffer | null): void {
    const { socket } = console;
    if (socket.readyState !== socket.OPEN) return;
    const message = data === null ? null : parseConsoleMessage(data);
    if (message !== null && this.#presence.read(console, message.id)) return;
    this.#presence.leave(console);
    const why = message === null ? 'this is not what a console says' : 'this console says too much';
    socket.close(CLOSE.policy, why);
  }

  #giveUp(console: Console): void {
    this.#presence.leave(console);
    console.socket.terminate();
  }

  /** Once a second: who reads what, where that changed. A console that died without a word is found by its silence. */
  #tellReading(): void {
    for (const { console, isGone } of this.#presence.beat()) {
      if (isGone) this.#giveUp(console);
      else if (console.socket.readyState === console.socket.OPEN) console.socket.ping();
    }
    const requests = this.#presence.takeChanges((id) => this.#live.has(id));
    if (requests.length === 0) return;
    const bytes = encode({ type: 'reading', requests });
    for (const console of this.#consoles) if (console.hearsReading) this.#send(console, bytes);
  }

  /** Closes the consoles whose session is no longer good. */
  dropEnded(isGood: (session: Session) => boolean): void {
    for (const { socket, session } of this.#consoles) {
      if (!isGood(session)) socket.close(CLOSE.removed, 'the key is not enrolled any more');
    }
  }

  closeAll(why: string): void {
    for (const { socket } of this.#consoles) socket.close(CLOSE.restart, why);
  }

  terminateAll(): void {
    for (const { socket } of this.#consoles) socket.terminate();
  }

  /** Runs what is told in the order in which it was said. */
  async #tellLater(tell: () => void): Promise<void> {
    for (let turn = 0; turn < TURNS_FOR_WAITERS; turn += 1) await nextTurn();
    tell();
  }

  #publish(entries: readonly Committed[]): void {
    this.#picture = null;
    const messages: Buffer[] = [];
    for (const entry of entries) {
      this.#seq = entry.seq;
      this.#remember(entry);
      const bytes = encode(messageFor(entry, this.#ringOf));
      this.#recent.push({ seq: entry.seq, bytes });
      this.#recentBytes += bytes.length;
      messages.push(bytes);
    }
    if (this.#store.reviews() !== this.#reviewed) messages.push(this.#readReviews());
    messages.push(...this.#readRestraints());
    this.#broadcast(...messages);
    this.#forgetOldest();
  }

  /** What there is to say of them; nothing where only denials were counted. */
  #readRestraints(): readonly Buffer[] {
    if (this.#store.restraints() === this.#restrained) return [];
    this.#restrained = this.#store.restraints();
    const bytes = this.#encodeRestraints();
    if (bytes.equals(this.#restraints)) return [];
    this.#restraints = bytes;
    return [bytes];
  }

  #encodeRestraints(): Buffer {
    return encode({ type: 'restraints', ...restraintsOnWire(this.#restrained, this.#clock()) });
  }

  #readReviews(): Buffer {
    this.#reviewed = this.#store.reviews();
    this.#reviews = encode({ type: 'reviews', open: reviewsOnWire(this.#reviewed) });
    return this.#reviews;
  }

  /** Cuts rarely, by half, so that a busy broker does not move the whole list for each event. */
  #forgetOldest(): void {
    const { resumeEvents, resumeBytes } = this.#limits;
    if (this.#recent.length <= resumeEvents && this.#recentBytes <= resumeBytes) return;
    this.#recent = this.#recent.slice(Math.ceil(this.#recent.length / 2));
    this.#recentBytes = this.#recent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  #remember({ request }: Committed): void {
    if (request === null) return;
    if (requestIsLive(request)) {
      this.#live.set(request.id, request);
      return;
    }
    this.#live.delete(request.id);
    const others = this.#ended.filter(({ id }) => id !== request.id);
    this.#ended = [...others, request].slice(-this.#limits.snapshotEnded);
  }

  #since({ epoch, seq }: { readonly epoch: string; readonly seq: number }): readonly Sent[] | null {
    if (epoch !== this.#store.epoch || seq > this.#seq) return null;
    if (seq === this.#seq) return [];
    const first = this.#recent[0]?.seq ?? Number.POSITIVE_INFINITY;
    return first <= seq + 1 ? this.#recent.slice(seq + 1 - first) : null;
  }

  /** What is not part of the log. */
  #standing(): readonly Buffer[] {
    const said = [this.#doors, this.#restraints, this.#reviews, this.#policy, this.#head, this.#outbox];
    return said.filter((bytes) => bytes !== null);
  }

  #snapshot(): Buffer {
    this.#picture ??= encode({
      type: 'snapshot',
      epoch: this.#store.epoch,
      seq: this.#seq,
      requests: [...this.#ended, ...this.#live.values()].map((request) =>
        viewOnWire(request, this.#ringOf(request)),
      ),
      restoration: restorationOnWire(this.#store.restoration()),
    });
    return this.#picture;
  }

  #resumed(missed: number): Buffer {
    const waiting = Object.fromEntries([...this.#live.values()].map(({ id, askers }) => [id, askers]));
    const rings = Object.fromEntries(
      [...this.#live.values()].flatMap((request) => {
        const ring = this.#ringOf(request);
        return ring === null ? [] : [[request.id, ring]];
      }),
    );
    return encode({ type: 'resumed', epoch: this.#store.epoch, seq: this.#seq - missed, waiting, rings });
  }

  /** What belongs together costs each console one write. */
  #broadcast(...messages: readonly Buffer[]): void {
    for (const console of this.#consoles) {
      console.connection.cork();
      for (const bytes of messages) this.#send(console, bytes);
      console.connection.uncork();
    }
  }

  #send({ socket, firstBytes }: Console, bytes: Buffer): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > firstBytes + this.#limits.backlogBytes) socket.terminate();
    else socket.send(bytes, { binary: false });
  }
}

function messageFor({ seq, kind, request }: Committed, ringOf: RingOf): object {
  if (kind === 'restore.acknowledged') return { type: 'other', seq, restoration: null };
  if (request === null || !isRequestEvent(kind)) return { type: 'other', seq };
  if (kind === 'request.submitted')
    return { type: 'submitted', seq, request: viewOnWire(request, ringOf(request)) };
  return {
    type: 'changed',
    seq,
    kind,
    id: request.id,
    status: talkedOnWire(request),
  };
}

const isRequestEvent = (kind: Committed['kind']): kind is RequestEventKind =>
  (REQUEST_EVENTS as readonly string[]).includes(kind);

const encode = (message: object): Buffer => Buffer.from(JSON.stringify(message));
