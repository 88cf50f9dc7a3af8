import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { SignedHead } from '../../src/protocol/audit-head.js';
import type { DoorStanding } from '../../src/protocol/door-messages.js';
import type { Filter } from '../../src/protocol/filter.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import type { SinkStanding } from '../../src/protocol/outbox-messages.js';
import type { PolicyStanding } from '../../src/protocol/policy-messages.js';
import { parseConsoleMessage } from '../../src/protocol/stream-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Limits } from '../options.js';
import type { Request } from '../requests/request.js';
import type { Committed, Session, Store } from '../store/store.js';
import { encode, eventMessage, type RingOf } from './event-message.js';
import { Presence } from './presence.js';
import { QueuePicture } from './queue-picture.js';
import { RecentMessages } from './recent-messages.js';
import { StandingMessages } from './standing-messages.js';

const ENDED: Filter = { terms: [{ key: 'state', not: false, any: ['ended'] }] };

/** Close codes of the stream, beside those of RFC 6455. */
export const CLOSE = { restart: 1012, policy: 1008, sessionEnded: 4401, removed: 4403 } as const;

/**
 * Turns of the event loop between the news of a commit and its broadcast. In them the waiters are woken, the use of an
 * approval is committed and the doors are answered: sending to hundreds of consoles takes longer than all of that.
 */
const TURNS_FOR_WAITERS = 3;

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
  readonly #queue: QueuePicture;
  readonly #standing: StandingMessages;
  readonly #recent: RecentMessages;

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
    this.#queue = new QueuePicture(store, ringOf, ended, limits.snapshotEnded);
    this.#standing = new StandingMessages(store, clock);
    this.#recent = new RecentMessages(limits);
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
      missed === null ? [this.#queue.snapshot()] : [this.#queue.resumed(missed.length), ...missed];
    const reading = hearsReading ? [encode({ type: 'reading', requests: this.#presence.told() })] : [];
    const first = [...picture, ...this.#standing.all(), ...reading];
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
        this.#queue.takeAskers(id, askers);
        this.#broadcast(encode({ type: 'waiting', id, waiting: askers }));
      }),
    );
  };

  /** What was erased is shown to no console that comes now; told after what was committed before. */
  forget(ids: readonly RequestId[]): void {
    setImmediate(() => this.#tellLater(() => this.#queue.forget(ids)));
  }

  /** Other people are rung than before; told after what was committed before. */
  announceRinging({ id }: Request, ring: readonly Name[]): void {
    setImmediate(() =>
      this.#tellLater(() => {
        this.#queue.takeRinging();
        this.#broadcast(encode({ type: 'ringing', id, ring }));
      }),
    );
  }

  /** The doors whose signers file is an old one may have changed. */
  announceDoors(doors: readonly DoorStanding[]): void {
    this.#broadcastNews(this.#standing.takeDoors(doors));
  }

  /** What people should know of the policy file may have changed. */
  announcePolicy(standing: PolicyStanding | null): void {
    this.#broadcastNews(this.#standing.takePolicy(standing));
  }

  /** A head of the log was signed; told after the events that it covers. */
  announceHead(head: SignedHead): void {
    this.#tellLater(() => this.#broadcastNews(this.#standing.takeHead(head)));
  }

  /** Told once a second; consoles are, where it changed. */
  announceOutbox(sinks: readonly SinkStanding[]): void {
    this.#broadcastNews(this.#standing.takeOutbox(sinks));
  }

  /** Once a second: proof of life, and the clock that countdowns are shown by. */
  heartbeat(): void {
    const now = this.#clock();
    for (const console of this.#consoles) {
      if (console.session.expires <= now) console.socket.close(CLOSE.sessionEnded, 'the session has ended');
    }
    this.#tellReading();
    if (this.#consoles.size > 0)
      this.#broadcast(encode({ type: 'heartbeat', seq: this.#queue.seq, clock: now }));
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
    const requests = this.#presence.takeChanges((id) => this.#queue.isLive(id));
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
    const messages: Buffer[] = [];
    for (const entry of entries) {
      this.#queue.take(entry);
      const bytes = encode(eventMessage(entry, this.#ringOf));
      this.#recent.add({ seq: entry.seq, bytes });
      messages.push(bytes);
    }
    this.#broadcast(...messages, ...this.#standing.takeCommitted());
    this.#recent.forgetOldest();
  }

  /** What a console has missed; null where it needs the whole queue. */
  #since({ epoch, seq }: { readonly epoch: string; readonly seq: number }): readonly Buffer[] | null {
    if (epoch !== this.#store.epoch || seq > this.#queue.seq) return null;
    return seq === this.#queue.seq ? [] : this.#recent.after(seq);
  }

  #broadcastNews(bytes: Buffer | null): void {
    if (bytes !== null) this.#broadcast(bytes);
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
