import type { OutdatedDoor } from '../protocol/door-messages.js';
import type { RequestId } from '../protocol/names.js';
import type { SinkStanding } from '../protocol/outbox-messages.js';
import { isLive, type RequestView } from '../protocol/request-view.js';
import type { Restoration } from '../protocol/restoration.js';
import { NO_RESTRAINTS_VIEW, type RestraintsView } from '../protocol/restraints.js';
import type { OpenReview } from '../protocol/review.js';
import type { Readers, StreamMessage } from '../protocol/stream-messages.js';
import type { EpochMs } from '../protocol/time.js';
import { type LogStanding, SOUND_LOG } from './log-standing.js';
import { PersistentMap } from './persistent-map.js';
import type { PolicyTrouble, Queue } from './queue.js';

/** How many ended requests the picture keeps. */
export const KEPT_ENDED = 200;
/** The clock offset is not followed below this, in ms: it would repaint the console at every heartbeat. */
const CLOCK_TOLERANCE = 500;

/** Where a console stands in the stream: `seq` means something only within `epoch`. */
export interface StreamPosition {
  readonly epoch: string;
  readonly seq: number;
}

/** The picture without its link: that belongs to the connection. */
export type Picture = Omit<Queue, 'link' | 'requests'> & {
  readonly requests: PersistentMap<RequestId, RequestView>;
};

/** Whether two pictures show the same; events that change nothing that is shown only move `seq`. */
export function showsSame(a: Omit<Queue, 'link'>, b: Omit<Queue, 'link'>): boolean {
  return (
    a.requests === b.requests &&
    a.clockOffset === b.clockOffset &&
    a.outdatedDoors === b.outdatedDoors &&
    a.openReviews === b.openReviews &&
    a.restraints === b.restraints &&
    a.policy === b.policy &&
    a.log === b.log &&
    a.outbox === b.outbox &&
    a.reading === b.reading &&
    a.restoration === b.restoration
  );
}

/** A picture and what is needed to continue it. Immutable. */
export interface QueueFeed {
  readonly picture: Picture;
  /** Which requests of the picture have ended. */
  readonly ended: readonly RequestId[];
  /** From where the stream can be resumed; null before the first snapshot and after a gap. */
  readonly position: StreamPosition | null;
  /** Number of the event up to which this connection promised to bring the picture; null before it said so. */
  readonly promised: number | null;
  /** Number of the newest event by the last heartbeat: still missing at the next one, it is lost. */
  readonly announced: number;
}

const NOBODY_READS: Queue['reading'] = new Map();

export const EMPTY_FEED: QueueFeed = {
  picture: {
    requests: PersistentMap.of([]),
    seq: 0,
    clockOffset: 0,
    outdatedDoors: [],
    openReviews: [],
    restraints: NO_RESTRAINTS_VIEW,
    policy: null,
    log: SOUND_LOG,
    outbox: [],
    reading: NOBODY_READS,
    restoration: null,
  },
  ended: [],
  position: null,
  promised: null,
  announced: 0,
};

/** Whether the picture is the broker's: a new connection has caught up with what was missed (A28). */
export function isComplete({ position, promised }: QueueFeed): boolean {
  return position !== null && promised !== null && position.seq >= promised;
}

/** The picture with what is found out beside the stream. */
export const withLog = (feed: QueueFeed, log: LogStanding): QueueFeed => ({
  ...feed,
  picture: { ...feed.picture, log },
});

/** Continues the picture over a new connection. */
export function reopened(feed: QueueFeed): QueueFeed {
  const { policy, outbox, reading } = feed.picture;
  // The broker says these again if they are still so.
  const isSilent = policy === null && outbox.length === 0 && reading.size === 0;
  const picture = isSilent
    ? feed.picture
    : { ...feed.picture, policy: null, outbox: [], reading: NOBODY_READS };
  return { ...feed, picture, promised: null, announced: 0 };
}

/**
 * Applies messages in the order in which they came. Events continue the picture by their `seq`, one after the other:
 * one that is known already changes nothing; a hole, or another epoch, ends in a feed without position, which needs a
 * new snapshot. So no row is lost or doubled.
 */
export function receive(feed: QueueFeed, messages: readonly StreamMessage[], now: EpochMs): QueueFeed {
  const draft = new Draft(feed);
  for (const message of messages) draft.apply(message, now);
  return draft.finish();
}

class Draft {
  readonly #before: Picture;
  #requests: PersistentMap<RequestId, RequestView>;
  /** What differs from those: undefined where one is gone. */
  #edits = new Map<RequestId, RequestView | undefined>();
  #ended: readonly RequestId[];
  #clockOffset: number;
  #outdatedDoors: readonly OutdatedDoor[];
  #openReviews: readonly OpenReview[];
  #restraints: RestraintsView;
  #policy: PolicyTrouble | null;
  #outbox: readonly SinkStanding[];
  #reading: Queue['reading'];
  #restoration: Restoration | null;
  /** Number of the newest event that was applied, also where a gap follows it. */
  #seq: number;
  #position: StreamPosition | null;
  #promised: number | null;
  #announced: number;

  constructor({ picture, ended, position, promised, announced }: QueueFeed) {
    this.#before = picture;
    this.#requests = picture.requests;
    this.#ended = ended;
    this.#clockOffset = picture.clockOffset;
    this.#outdatedDoors = picture.outdatedDoors;
    this.#openReviews = picture.openReviews;
    this.#restraints = picture.restraints;
    this.#policy = picture.policy;
    this.#outbox = picture.outbox;
    this.#reading = picture.reading;
    this.#restoration = picture.restoration;
    this.#seq = picture.seq;
    this.#position = position;
    this.#promised = promised;
    this.#announced = announced;
  }

  apply(message: StreamMessage, now: EpochMs): void {
    switch (message.type) {
      case 'snapshot':
        this.#requests = PersistentMap.of(message.requests.map((request) => [request.id, request]));
        this.#edits.clear();
        this.#ended = message.requests.filter(({ state }) => !isLive(state)).map(({ id }) => id);
        this.#dropOldEnded();
        this.#seq = message.seq;
        this.#position = { epoch: message.epoch, seq: message.seq };
        this.#promised = message.seq;
        this.#announced = 0;
        this.#restoration = message.restoration;
        break;
      case 'resumed':
        this.#resume(message);
        break;
      case 'submitted': {
        const { seq, request } = message;
        this.#advance(seq, () => this.#set(request));
        break;
      }
      case 'changed': {
        const { seq, id, status } = message;
        this.#advance(seq, () => {
          if (!this.#update(id, status) && isLive(status.state)) this.#position = null;
        });
        break;
      }
      case 'other':
        this.#advance(message.seq, () => {
          if (message.restoration !== undefined) this.#restoration = message.restoration;
        });
        break;
      case 'waiting':
        this.#update(message.id, { waiting: message.waiting });
        break;
      case 'ringing':
        this.#update(message.id, { ring: message.ring });
        break;
      case 'doors':
        this.#outdatedDoors = message.outdated;
        break;
      case 'restraints':
        this.#restraints = { locks: message.locks, mutes: message.mutes };
        break;
      case 'reviews':
        this.#openReviews = message.open;
        break;
      case 'policy': {
        const { refused, failing } = message;
        this.#policy = refused === null && failing.length === 0 ? null : { refused, failing };
        break;
      }
      case 'outbox':
        this.#outbox = message.sinks;
        break;
      case 'reading':
        this.#read(message.requests);
        break;
      case 'heartbeat':
        this.#heartbeat(message.seq, message.clock - now);
        break;
    }
  }

  finish(): QueueFeed {
    const before = this.#before;
    const requests = this.#requests.with(this.#edits);
    const seq = this.#seq;
    const clockOffset = this.#clockOffset;
    const picture = {
      requests,
      seq,
      clockOffset,
      outdatedDoors: this.#outdatedDoors,
      openReviews: this.#openReviews,
      restraints: this.#restraints,
      policy: this.#policy,
      log: before.log,
      outbox: this.#outbox,
      reading: this.#reading,
      restoration: this.#restoration,
    };
    return {
      picture: seq === before.seq && showsSame(picture, before) ? before : picture,
      ended: this.#ended,
      position: this.#position,
      promised: this.#promised,
      announced: this.#announced,
    };
  }

  #resume({ epoch, seq, waiting, rings }: Extract<StreamMessage, { type: 'resumed' }>): void {
    const position = this.#position;
    if (position === null || position.epoch !== epoch || seq < position.seq) {
      this.#position = null;
      return;
    }
    this.#promised = seq;
    for (const { id, state } of this.#requests.values()) {
      if (isLive(state)) this.#update(id, { waiting: waiting[id] ?? 0, ring: rings[id] ?? null });
    }
  }

  #advance(seq: number, change: () => void): void {
    const position = this.#position;
    if (position === null || seq > position.seq + 1) {
      this.#position = null;
    } else if (seq > position.seq) {
      this.#seq = seq;
      this.#position = { epoch: position.epoch, seq };
      change();
    }
  }

  #read(changed: readonly Readers[]): void {
    const reading = new Map(this.#reading);
    for (const { id, names } of changed) {
      if (names.length === 0) reading.delete(id);
      else reading.set(id, names);
    }
    if (changed.length > 0) this.#reading = reading;
  }

  #heartbeat(seq: number, offset: number): void {
    // An event may be committed and not sent yet, so only the second heartbeat in a row proves that it got lost.
    if (this.#position !== null && this.#position.seq < this.#announced) this.#position = null;
    this.#announced = seq;
    if (Math.abs(offset - this.#clockOffset) > CLOCK_TOLERANCE) this.#clockOffset = offset;
  }

  /** Changes a row; false if there is none, because it ended long ago and was dropped. */
  #update(id: RequestId, change: Partial<RequestView>): boolean {
    const row = this.#get(id);
    if (row === undefined) return false;
    if (!isEqual(row, change)) this.#set({ ...row, ...change });
    return true;
  }

  #get(id: RequestId): RequestView | undefined {
    return this.#edits.has(id) ? this.#edits.get(id) : this.#requests.get(id);
  }

  #set(request: RequestView): void {
    const before = this.#get(request.id);
    const wasEnded = before !== undefined && !isLive(before.state);
    this.#edits.set(request.id, request);
    if (isLive(request.state) && !wasEnded) return;
    this.#ended = [
      ...this.#ended.filter((id) => id !== request.id),
      ...(isLive(request.state) ? [] : [request.id]),
    ];
    this.#dropOldEnded();
  }

  #dropOldEnded(): void {
    if (this.#ended.length <= KEPT_ENDED) return;
    const ended = this.#ended.flatMap((id) => this.#get(id) ?? []);
    ended.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0) || (a.id < b.id ? -1 : 1));
    for (const { id } of ended.slice(0, -KEPT_ENDED)) this.#edits.set(id, undefined);
    this.#ended = ended.slice(-KEPT_ENDED).map(({ id }) => id);
  }
}

function isEqual(row: RequestView, change: Partial<RequestView>): boolean {
  return (Object.keys(change) as (keyof RequestView)[]).every((key) => row[key] === change[key]);
}
