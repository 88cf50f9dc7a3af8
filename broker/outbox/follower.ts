import type { SinkStanding } from '../../src/protocol/outbox-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Delivery, DeliveryChange } from '../store/deliveries.js';
import type { Store } from '../store/store.js';
import { pauseBefore } from './backoff.js';
import { type Line, Lines } from './lines.js';
import type { OutgoingMessage, Sender, Sent } from './sender.js';
import { LONGEST_PAUSE, revived, verdictOf } from './verdict.js';

/** Most messages of one sink that are on their way at once. */
const AT_ONCE = 8;
/** Most deliveries of one sink in memory; more are read when half of them are gone. */
export const WINDOW = 1_024;
/** Entries of the log that are taken in one commit. */
const PIECE = 256;
/** That unwanted entries of the log were looked at is written down after so many, or after so long, in ms. */
const UNWANTED = 1_024;
const UNWANTED_TIME = 3600_000;
/** When it is tried again where the store could not be read or written, in ms. */
const STORE_PAUSE = 5_000;
/** How long what is under way may take to end when the sending stops, in ms. */
const GRACE = 1_000;

export interface FollowerContext {
  readonly store: Store;
  readonly clock: () => EpochMs;
  /** From 0 to below 1, for the jitter. */
  readonly random: () => number;
  /** Told of each try that has ended. */
  readonly onTried: (delivery: Delivery, sent: Sent, isDead: boolean) => void;
  /** Called where the store cannot be read or written. */
  readonly onError: (error: unknown) => void;
}

/** That the receiver cannot be reached: until when nobody tries, and how many tries in a row found it so. */
interface Pause {
  readonly until: EpochMs;
  readonly failures: number;
}

/**
 * Sends the log, from one position on, to one receiver: every event that it wants, at least once, and what is about one request
 * in the order of the log, each only after the one before it was taken or dropped and that is written down. So whenever the
 * broker is killed, a message may be repeated, and none is lost or overtaken.
 *
 * The log is taken into the outbox in pieces, rows and position in one commit, and the outbox is read through a window, so that
 * memory does not grow with what waits. It learns of new events from commits and of due ones from the broker's one timer.
 */
export class Follower {
  readonly #context: FollowerContext;
  #sender: Sender;
  readonly #lines = new Lines((a, b) => a.event - b.event);
  /** Deliveries through this event are in the window, or gone, or dead, or behind a dead one. */
  #cursor = 0;
  /** The log was looked at through this event. */
  #looked: number;
  #lookedAt: EpochMs;
  /** When the store may be read or written again after that has failed. */
  #storeOpens: EpochMs = 0;
  #isFilling = false;
  /** What changed while the window is being filled: lines that what was read may be wrong about, and where to begin again. */
  readonly #touched = new Set<Line>();
  #rewoundTo = Number.POSITIVE_INFINITY;
  /** What has become of messages, where that could not be written yet. Until it is, nothing else is sent. */
  readonly #unwritten = new Map<Delivery, DeliveryChange | null>();
  #isWriting = false;
  readonly #underWay = new Map<
    Delivery,
    { readonly abort: AbortController; readonly ended: Promise<void> }
  >();
  #pause: Pause | null = null;
  #failing: string | null = null;
  #answeredAt: EpochMs | null = null;
  #isStopped = false;

  /** The store lets the sink follow the log already. */
  constructor(sender: Sender, context: FollowerContext) {
    this.#sender = sender;
    this.#context = context;
    this.#looked = context.store.sinks().get(sender.sink)?.position ?? context.store.seq;
    this.#lookedAt = context.clock();
  }

  get standing(): SinkStanding {
    const { store } = this.#context;
    const { sink } = this.#sender;
    const { deliveries, dead, position } = store.sinks().get(sink) ?? { deliveries: 0, dead: 0, position: 0 };
    const ahead = store.seq - Math.max(position, this.#looked);
    const waiting = deliveries - dead + ahead;
    // What failed last may have been dropped since.
    return { sink, configured: true, waiting, dead, failing: waiting === 0 ? null : this.#failing };
  }

  /** Sends by another sender from now on, at once, because that may be what it took; what is under way ends as it began. */
  use(sender: Sender): void {
    this.#sender = sender;
    this.#hurry();
  }

  /** Once a second, and after each commit. */
  proceed(): void {
    if (this.#isStopped) return;
    this.#write();
    this.#send();
    void this.#fill();
  }

  /** Begins nothing any more, lets what is under way end, and cuts off what takes long; that is sent again another time. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const underWay = [...this.#underWay.values()];
    if (underWay.length === 0) return;
    const cut = setTimeout(() => {
      for (const { abort } of underWay) abort.abort();
    }, GRACE);
    await Promise.all(underWay.map(({ ended }) => ended));
    clearTimeout(cut);
  }

  /** Somebody has had these sent again, and wants what waits to be tried now. */
  retried(events: readonly number[]): void {
    const now = this.#context.clock();
    const again = new Set(events);
    for (const delivery of this.#lines.all()) {
      if (again.has(delivery.event)) this.#lines.replace(delivery, revived(delivery, now), now);
    }
    this.#hurry();
    this.#rewind(events);
  }

  /** These are not sent any more; one that is under way is cut off. */
  dropped(events: readonly number[]): void {
    const gone = new Set(events);
    for (const delivery of this.#lines.all()) {
      if (!gone.has(delivery.event)) continue;
      this.#lines.replace(delivery, null, this.#context.clock());
      this.#touched.add(delivery.request);
    }
    for (const [{ event }, { abort }] of this.#underWay) if (gone.has(event)) abort.abort();
    this.#rewind(events);
  }

  #hurry(): void {
    this.#pause = null;
    this.#lines.hurry(this.#context.clock());
  }

  /** Looks again at what stands in the outbox from the first of these on. */
  #rewind(events: readonly number[]): void {
    const before = events.reduce((least, event) => Math.min(least, event - 1), Number.POSITIVE_INFINITY);
    this.#rewoundTo = Math.min(this.#rewoundTo, before);
    this.#cursor = Math.min(this.#cursor, before);
    this.proceed();
  }

  #send(): void {
    const { clock } = this.#context;
    while (!this.#isStopped && this.#unwritten.size === 0 && this.#underWay.size < this.#mostAtOnce()) {
      const delivery = this.#lines.take(clock());
      if (delivery === null) return;
      const abort = new AbortController();
      const ended = this.#try(delivery, abort.signal).then(() => {
        this.#underWay.delete(delivery);
        if (!this.#unwritten.has(delivery)) this.#lines.release(delivery.request, clock());
        this.proceed();
      });
      this.#underWay.set(delivery, { abort, ended });
    }
  }

  /** While the receiver cannot be reached, one at a time finds out whether that is over. */
  #mostAtOnce(): number {
    if (this.#pause === null) return AT_ONCE;
    const left = this.#pause.until - this.#context.clock();
    // A clock that was set back makes no pause longer.
    return left <= 0 || left > LONGEST_PAUSE ? 1 : 0;
  }

  /** Makes one try and writes down what has become of it; never rejects. */
  async #try(delivery: Delivery, abort: AbortSignal): Promise<void> {
    const { clock, random, onTried } = this.#context;
    const pause = this.#pause;
    const sent = await this.#sent(delivery, abort);
    if (abort.aborted && sent.outcome !== 'taken') return;
    this.#heard(sent, pause);
    const circumstances = { now: clock(), random: random(), answeredAt: this.#answeredAt };
    const change = verdictOf(delivery, sent, circumstances);
    const isDead = typeof change?.dead === 'number';
    // What is given up is told as that, and is not tried again.
    this.#failing = sent.outcome === 'taken' || isDead ? null : sent.why;
    onTried(delivery, sent, isDead);
    await this.#settle(delivery, change);
  }

  async #sent(delivery: Delivery, abort: AbortSignal): Promise<Sent> {
    const sender = this.#sender;
    try {
      const message = await this.#message(delivery);
      return await Promise.race([sender.send(message, abort), cutOff(abort)]);
    } catch (error) {
      return { outcome: 'failed', why: error instanceof Error ? error.message : 'unknown error' };
    }
  }

  async #message({ event, request, attempts }: Delivery): Promise<OutgoingMessage> {
    const { store } = this.#context;
    const [entry] = await store.events({ after: event - 1, limit: 1 });
    if (entry === undefined) throw new TypeError(`there is no event ${event}`);
    const { seq, at, kind, body } = entry;
    const epoch = store.epochAt(seq);
    const subject = request === null ? null : await store.find({ id: request });
    return { key: `${epoch}-${seq}`, epoch, seq, at, kind, request, body, subject, attempt: attempts + 1 };
  }

  /** Those that were sent before the receiver was found away say nothing new about it. */
  #heard(sent: Sent, pause: Pause | null): void {
    const { clock, random } = this.#context;
    if (sent.outcome !== 'unreachable') {
      this.#answeredAt = clock();
      this.#pause = null;
    } else if (this.#pause === pause) {
      const failures = (pause?.failures ?? 0) + 1;
      this.#pause = { failures, until: clock() + pauseBefore(failures, random(), LONGEST_PAUSE) };
    }
  }

  async #settle(delivery: Delivery, change: DeliveryChange | null): Promise<void> {
    const { store, clock, onError } = this.#context;
    try {
      await store.settleDelivery(delivery, change);
    } catch (error) {
      this.#unwritten.set(delivery, change);
      this.#storeOpens = clock() + STORE_PAUSE;
      if (!this.#isStopped) onError(error);
      return;
    }
    this.#unwritten.delete(delivery);
    this.#touched.add(delivery.request);
    // What was dropped meanwhile is not in its line any more.
    if (this.#lines.find(delivery.request, delivery.event) !== delivery) return;
    if (typeof change?.dead === 'number') this.#lines.remove(delivery.request);
    else this.#lines.replace(delivery, change === null ? null : { ...delivery, ...change }, clock());
  }

  /** Writes what could not be written before. */
  async #write(): Promise<void> {
    const { clock } = this.#context;
    if (this.#unwritten.size === 0 || this.#isWriting || clock() < this.#storeOpens) return;
    this.#isWriting = true;
    for (const [delivery, change] of [...this.#unwritten]) {
      await this.#settle(delivery, change);
      if (this.#unwritten.has(delivery)) break;
      this.#lines.release(delivery.request, clock());
    }
    this.#isWriting = false;
    if (this.#unwritten.size === 0) this.proceed();
  }

  /** Brings the window up to what there is, first from the outbox and then from the log. */
  async #fill(): Promise<void> {
    const { store, clock, onError } = this.#context;
    if (this.#isFilling || this.#lines.count > WINDOW / 2 || clock() < this.#storeOpens) return;
    this.#isFilling = true;
    try {
      while (!this.#isStopped && this.#lines.count < WINDOW) {
        const position = store.sinks().get(this.#sender.sink)?.position;
        if (position === undefined) break;
        if (this.#cursor < position) await this.#read();
        else if (this.#looked < store.seq) await this.#follow(position);
        else break;
        this.#send();
      }
    } catch (error) {
      this.#storeOpens = clock() + STORE_PAUSE;
      if (!this.#isStopped) onError(error);
    } finally {
      this.#isFilling = false;
    }
  }

  /** Reads deliveries into the window. */
  async #read(): Promise<void> {
    const { store, clock } = this.#context;
    this.#touched.clear();
    this.#rewoundTo = Number.POSITIVE_INFINITY;
    const query = { after: this.#cursor, limit: WINDOW - this.#lines.count };
    const { deliveries, through } = await store.openDeliveries(this.#sender.sink, query);
    let reached = through;
    for (const delivery of deliveries) {
      if (this.#touched.has(delivery.request)) {
        reached = delivery.event - 1;
        break;
      }
      if (this.#lines.find(delivery.request, delivery.event) === null)
        this.#lines.add(inTime(delivery, clock()), clock());
    }
    this.#cursor = Math.min(reached, this.#rewoundTo);
  }

  /** Takes the next piece of the log into the outbox. */
  async #follow(position: number): Promise<void> {
    const { store, clock } = this.#context;
    const { sink } = this.#sender;
    const entries = await store.events({ after: this.#looked, limit: PIECE });
    const through = entries.at(-1)?.seq ?? this.#looked;
    const wanted = entries.filter(({ kind }) => this.#sender.wants(kind));
    const due = clock();
    const isLongAgo = through - position >= UNWANTED || due - this.#lookedAt >= UNWANTED_TIME;
    if (wanted.length > 0 || isLongAgo) {
      const events = wanted.map(({ seq, request }) => ({ event: seq, request: request as Line, due }));
      await store.queueDeliveries(sink, through, events);
      this.#lookedAt = due;
    }
    this.#looked = through;
  }
}

/** Due at once where it was never tried, and within the longest pause where it was, whatever the clock has done since. */
const inTime = (delivery: Delivery, now: EpochMs): Delivery => ({
  ...delivery,
  due: delivery.attempts === 0 ? now : Math.min(delivery.due, now + LONGEST_PAUSE),
});

/** Who is cut off is not waited for, whether it heeds that or not. */
function cutOff(abort: AbortSignal): Promise<Sent> {
  return new Promise((resolve) => {
    const end = (): void => resolve({ outcome: 'failed', why: 'cut off' });
    if (abort.aborted) end();
    else abort.addEventListener('abort', end, { once: true });
  });
}
