import type { BearerToken, RequestId } from '../protocol/names.js';
import { Problem, type ProblemCode } from '../protocol/problems.js';
import { decodeStreamMessage, type StreamMessage } from '../protocol/stream-messages.js';
import type { EpochMs } from '../protocol/time.js';
import { backoff } from './backoff.js';
import type { Clock } from './clock.js';
import type { HeadWatch } from './head-watch.js';
import type { LogStanding } from './log-standing.js';
import { OwnReading } from './own-reading.js';
import type { Link, Queue } from './queue.js';
import {
  EMPTY_FEED,
  isComplete,
  type QueueFeed,
  receive,
  reopened,
  type StreamPosition,
  showsSame,
  withLog,
} from './queue-feed.js';

/** No message for so long means that the picture may be old, in ms: the broker sends a heartbeat each second. */
export const SILENCE = 5_000;
/** The same before the first message of a connection, which may be large and the way long. */
export const FIRST_SILENCE = 30_000;
/** How often silence is looked for. It is measured by the clock, which a sleeping laptop does not stop. */
const WATCH_INTERVAL = 1_000;

/** Close code of the broker: the session has ended, another sign-in may help. */
export const SESSION_ENDED = 4401;
/** Close code of the broker: the approver or the key was removed. */
export const REMOVED = 4403;

const REMOVED_HINT = 'if that is a mistake, or you have a new key, have it enrolled: countersign roster add';

/** What ended a connection. `code` is a WebSocket close code, or the HTTP status that refused the upgrade. */
export interface StreamEnding {
  readonly code: number;
  readonly reason: string;
}

export interface StreamHandlers {
  message(text: string): void;
  closed(ending: StreamEnding): void;
}

/** An open or opening connection. After `close` no handler is called any more. */
export interface StreamSocket {
  /** Only after a first message has come. */
  send(text: string): void;
  close(): void;
}

export type OpenStream = (
  position: StreamPosition | null,
  token: BearerToken,
  handlers: StreamHandlers,
) => StreamSocket;

export interface StreamClientOptions {
  readonly open: OpenStream;
  /** Called before a connection is made again; throws where the broker is not the pinned one any more. */
  readonly lookAgain: () => Promise<void>;
  readonly signIn: () => Promise<BearerToken>;
  /** The session that there is already. */
  readonly token: BearerToken;
  readonly clock: Clock;
  /** From 0 to below 1, for the jitter. */
  readonly random: () => number;
  /** Is told what the broker says of its log. */
  readonly heads: Pick<HeadWatch, 'offer' | 'advance'>;
}

/** Problems that no retry mends: somebody has to do something first. */
const FINAL: readonly ProblemCode[] = [
  'unknown-key',
  'key-expired',
  'not-an-approver',
  'wrong-principal',
  'wrong-broker',
  'broker-changed',
  'forbidden',
  'signing-failed',
  'signing-needs-terminal',
  'no-key',
];

/**
 * Keeps the picture of the queue alive: connects, resumes by epoch and seq, notices silence, and comes back with jittered
 * exponential backoff. The link is `live` only while the picture is complete and messages come.
 */
export class StreamClient {
  readonly #options: StreamClientOptions;
  readonly #listeners = new Set<() => void>();
  #queue: Queue = { ...EMPTY_FEED.picture, link: { state: 'connecting' } };
  #feed: QueueFeed = EMPTY_FEED;
  #token: BearerToken | null;
  /** After a session ended, one sign-in is tried; another end before a picture is final. */
  #mayRenew = true;
  #socket: StreamSocket | null = null;
  readonly #reading = new OwnReading();
  /** Counts connections, so that what a former one still says is not heard. */
  #connection = 0;
  #failures = 0;
  /** When the newest message came, or the connection was begun. */
  #heardAt: EpochMs = 0;
  #hasHeard = false;
  #pending: string[] = [];
  #cancelTimer: () => void = () => {};

  constructor(options: StreamClientOptions) {
    this.#options = options;
    this.#token = options.token;
  }

  start(): void {
    void this.#connect();
  }

  /** Closes for good. */
  stop(): void {
    this.#hangUp();
    this.#listeners.clear();
  }

  queue(): Queue {
    return this.#queue;
  }

  /** The same for somebody who acts on it: looks at the clock first, and not only when the watch comes round (A28). */
  queueNow(): Queue {
    if (this.#socket !== null && this.#isSilent()) this.#goSilent();
    return this.#queue;
  }

  /**
   * Tries again at once, also where the link was refused; does nothing while it is live.
   *
   * @param signIn where that takes a new session
   */
  reconnect(signIn: () => Promise<BearerToken>): void {
    const { state } = this.#queue.link;
    if (state === 'live' || state === 'connecting') return;
    if (state === 'refused') this.#token = null;
    this.#mayRenew = true;
    this.#publish(this.#stale('trying again', null));
    void this.#connect(signIn);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What was found out about the log of the broker becomes part of the picture. */
  showLog(log: LogStanding): void {
    this.#feed = withLog(this.#feed, log);
    this.#publish(this.#queue.link);
  }

  /** Tells the broker which request is open here, on this connection and on those after it. */
  showReading(id: RequestId | null): void {
    this.#reading.set(id);
    this.#tellReading();
  }

  #tellReading(): void {
    const text = this.#reading.take();
    if (text !== null) this.#socket?.send(text);
  }

  async #connect(signIn = this.#options.signIn): Promise<void> {
    const connection = this.#hangUp();
    const { open, lookAgain, clock } = this.#options;
    try {
      if (connection > 1) await lookAgain();
      if (connection !== this.#connection) return;
      const token = this.#token ?? (await signIn());
      if (connection !== this.#connection) return;
      this.#token = token;
      this.#feed = reopened(this.#feed);
      this.#heardAt = clock.now();
      this.#hasHeard = false;
      this.#watch();
      this.#socket = open(this.#feed.position, token, {
        message: (text) => {
          if (connection === this.#connection) this.#hear(text);
        },
        closed: (ending) => {
          if (connection === this.#connection) this.#closed(ending);
        },
      });
    } catch (error) {
      if (connection === this.#connection) this.#fail(error);
    }
  }

  /** Drops the connection or attempt there is. @returns the number of the next one */
  #hangUp(): number {
    this.#cancelTimer();
    this.#socket?.close();
    this.#socket = null;
    this.#reading.reset();
    this.#pending = [];
    this.#connection += 1;
    return this.#connection;
  }

  #hear(text: string): void {
    // After a sleep the watch is late, and what was on its way then would pass for news.
    if (this.#isSilent()) {
      this.#goSilent();
      return;
    }
    this.#heardAt = this.#options.clock.now();
    this.#hasHeard = true;
    this.#pending.push(text);
    // One picture for all messages that arrive together: a burst costs one copy and one repaint.
    if (this.#pending.length > 1) return;
    const connection = this.#connection;
    queueMicrotask(() => {
      if (connection === this.#connection) this.#apply();
    });
  }

  #apply(): void {
    try {
      const messages = this.#pending.splice(0).map((text) => decodeStreamMessage(JSON.parse(text)));
      this.#feed = receive(this.#feed, messages, this.#heardAt);
      this.#applied(messages);
    } catch (error) {
      this.#fail(error);
    }
  }

  #applied(messages: readonly StreamMessage[]): void {
    const { heads } = this.#options;
    for (const message of messages) if (message.type === 'head') void heads.offer(message.text);
    heads.advance(this.#feed.picture.seq);
    this.#reading.hear(messages);
    this.#tellReading();
    if (this.#feed.position === null) {
      this.#retry('the stream has a gap');
    } else if (isComplete(this.#feed)) {
      this.#mayRenew = true;
      // A connection that ends as soon as it is made must not come back at once.
      if (messages.some(({ type }) => type === 'heartbeat')) this.#failures = 0;
      this.#publish({ state: 'live' });
    } else this.#publish(this.#queue.link);
  }

  #watch(): void {
    this.#cancelTimer = this.#options.clock.after(WATCH_INTERVAL, () => {
      if (this.#isSilent()) this.#goSilent();
      else this.#watch();
    });
  }

  /** Also where the clock was set back: how long ago the last message came is not known then. */
  #isSilent(): boolean {
    return Math.abs(this.#options.clock.now() - this.#heardAt) >= this.#patience;
  }

  #goSilent(): void {
    this.#retry(`no message for ${this.#patience / 1000} s`);
  }

  get #patience(): number {
    return this.#hasHeard ? SILENCE : FIRST_SILENCE;
  }

  #closed({ code, reason }: StreamEnding): void {
    if (code === REMOVED) {
      this.#refuse(new Problem('unknown-key', reason, { hint: REMOVED_HINT }));
    } else if (code === 403) {
      this.#refuse(new Problem('forbidden', reason));
    } else if (code !== SESSION_ENDED && code !== 401) {
      this.#retry(reason);
    } else if (this.#mayRenew) {
      this.#mayRenew = false;
      this.#token = null;
      this.#publish(this.#stale('the session ended', null));
      void this.#connect();
    } else {
      this.#refuse(new Problem('unauthenticated', reason));
    }
  }

  #fail(error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem('broker-reply', 'the stream is malformed');
    if (FINAL.includes(problem.code)) this.#refuse(problem);
    else this.#retry(problem.message);
  }

  #retry(reason: string): void {
    const { clock, random } = this.#options;
    const delay = backoff(this.#failures, random);
    this.#failures += 1;
    this.#hangUp();
    this.#publish(this.#stale(reason, clock.now() + delay));
    this.#cancelTimer = clock.after(delay, () => {
      this.#publish(this.#stale(reason, null));
      void this.#connect();
    });
  }

  #refuse({ message, hint }: Problem): void {
    this.#hangUp();
    this.#publish({ state: 'refused', reason: message, hint });
  }

  #stale(reason: string, retryAt: EpochMs | null): Link {
    const { link } = this.#queue;
    return { state: 'stale', since: link.state === 'stale' ? link.since : this.#heardAt, retryAt, reason };
  }

  #publish(link: Link): void {
    const { picture } = this.#feed;
    const isSamePicture = picture.seq === this.#queue.seq && showsSame(picture, this.#queue);
    if (isSamePicture && isSameLink(link, this.#queue.link)) return;
    this.#queue = { ...picture, link };
    for (const listener of this.#listeners) listener();
  }
}

const isSameLink = (a: Link, b: Link): boolean => a === b || (a.state === 'live' && b.state === 'live');
