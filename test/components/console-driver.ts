import { frameOf } from '../../components/hooks/use-painted-frames.js';
import type { NamedKey, Press } from '../../components/keys/press.js';
import { SCREENS } from '../../components/screen/screens.js';
import type { ConsoleEffect } from '../../components/state/console-effects.js';
import type { ConsoleEvent } from '../../components/state/console-events.js';
import { type ConsoleState, startState } from '../../components/state/console-state.js';
import { step } from '../../components/state/console-step.js';
import type { QuietHours } from '../../src/client/alerts.js';
import type { Display } from '../../src/client/display.js';
import { SOUND_LOG } from '../../src/client/log-standing.js';
import type { Link, Queue } from '../../src/client/queue.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { BROKER, NOW } from './sample-requests.js';

const NAMED: readonly string[] =
  'up down left right pageUp pageDown home end enter escape tab shiftTab backspace delete'.split(' ');

/** What comes from the broker because the console asked for it. */
export type Answer = Exclude<
  ConsoleEvent,
  { readonly type: 'identified' | 'queue' | 'tick' | 'resize' | 'press' | 'paste' | 'painted' | 'resumed' }
>;

export interface DriverOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly quiet?: QuietHours | null;
  readonly isTouched?: boolean;
  readonly display?: Display;
}

const PLAIN: Display = { zone: 'UTC', profile: null };

/** Drives the console without terminal, React or time: every frame is painted when the test says so. */
export class ConsoleDriver {
  state: ConsoleState;
  readonly effects: ConsoleEffect[] = [];
  #at = NOW;

  constructor(
    requests: readonly RequestView[],
    { columns = 120, rows = 60, quiet = null, isTouched = false, display = PLAIN }: DriverOptions = {},
  ) {
    const queue: Queue = {
      link: { state: 'live' },
      requests: byId(requests),
      seq: 1,
      clockOffset: 0,
      outdatedDoors: [],
      openReviews: [],
      restraints: { locks: [], mutes: [] },
      policy: null,
      log: SOUND_LOG,
      outbox: [],
      reading: new Map(),
      restoration: null,
    };
    const identity = {
      approver: 'bob',
      address: 'https://broker.example.com',
      fingerprint: BROKER,
      pins: [BROKER],
      invitation: [],
      isTouched,
    };
    this.state = startState({
      identity,
      display,
      quiet,
      warnings: [],
      queue,
      size: { columns, rows },
      at: this.#at,
    });
    this.paint();
    this.wait(1000);
  }

  /** The newest frame reaches the terminal. */
  paint(): this {
    return this.#step({ type: 'painted', frame: frameOf(this.state), at: this.#at });
  }

  wait(ms: number): this {
    this.#at += ms;
    return this.#step({ type: 'tick', at: this.#at });
  }

  /** Keys as fast as they come, with nothing painted between them. */
  type(...keys: readonly string[]): this {
    for (const key of keys) this.#step({ type: 'press', press: toPress(key), at: this.#at });
    return this;
  }

  /** Keys of somebody who looks: each frame is painted and stands for a while before the next key. */
  press(...keys: readonly string[]): this {
    for (const key of keys) this.type(key).paint().wait(1000);
    return this;
  }

  paste(text: string): this {
    return this.pasteAtOnce(text).paint().wait(1000);
  }

  /** The same before the next frame is painted. */
  pasteAtOnce(text: string): this {
    return this.#step({ type: 'paste', text, at: this.#at });
  }

  put(...requests: readonly RequestView[]): this {
    return this.#receive({ requests: new Map([...this.state.queue.requests, ...byId(requests)]) });
  }

  change(id: RequestId, change: Partial<RequestView>): this {
    return this.put({ ...this.request(id), ...change });
  }

  remove(id: RequestId): this {
    const requests = new Map(this.state.queue.requests);
    requests.delete(id);
    return this.#receive({ requests });
  }

  setLink(link: Link): this {
    return this.#receive({ link });
  }

  setRestraints(restraints: Queue['restraints']): this {
    return this.#receive({ restraints });
  }

  setRestoration(restoration: Queue['restoration']): this {
    return this.#receive({ restoration });
  }

  resize(columns: number, rows: number): this {
    return this.#step({ type: 'resize', size: { columns, rows } });
  }

  /** Back from a shell. */
  resume(): this {
    return this.#step({ type: 'resumed', at: this.#at });
  }

  setReading(reading: Queue['reading']): this {
    return this.#receive({ reading });
  }

  setOutbox(outbox: Queue['outbox']): this {
    return this.#receive({ outbox });
  }

  /** Something that was waited for has come, and stands on the screen. */
  finish(event: Answer): this {
    return this.finishAtOnce(event).paint().wait(1000);
  }

  /** The same before the next frame is painted. */
  finishAtOnce(event: Answer): this {
    return this.#step(event);
  }

  request(id: RequestId): RequestView {
    const request = this.state.queue.requests.get(id);
    if (request === undefined) throw new RangeError(`no request ${id}`);
    return request;
  }

  /** What was handed on to be signed. */
  get decisions() {
    return this.effects.filter((effect) => effect.type === 'decide');
  }

  /** What the queue says of what is going on. */
  get statusText(): string {
    return SCREENS.queue
      .status(this.state)
      .map(({ text }) => text)
      .join('');
  }

  get noticeText(): string {
    return (this.state.notice ?? []).map(({ text }) => text).join('');
  }

  #receive(change: Partial<Queue>): this {
    return this.#step({ type: 'queue', queue: { ...this.state.queue, ...change }, at: this.#at });
  }

  #step(event: ConsoleEvent): this {
    const { state, effects } = step(this.state, event);
    this.state = state;
    this.effects.push(...effects);
    return this;
  }
}

function toPress(key: string): Press {
  if (NAMED.includes(key)) return { named: key as NamedKey };
  return key.startsWith('^') ? { control: key.slice(1) } : { text: key };
}

const byId = (requests: readonly RequestView[]): Map<RequestId, RequestView> =>
  new Map(requests.map((request) => [request.id, request]));
