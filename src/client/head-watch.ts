import { mkdirSync, watch } from 'node:fs';
import { basename } from 'node:path';
import type { AuditHead } from '../protocol/audit-head.js';
import { Problem } from '../protocol/problems.js';
import { verifyAuditHead } from '../ssh/audit-head.js';
import type { BrokerNames } from './broker-identity.js';
import type { Clock } from './clock.js';
import {
  changeKeptLogs,
  type KeptLogs,
  keptHeadsPath,
  type LogFork,
  type LogOwner,
  logsOf,
  readKeptLogs,
  standingFork,
  withFork,
  withHead,
} from './kept-heads.js';
import { compareLog, type LogSource } from './log-comparison.js';
import { type LogStanding, SOUND_LOG } from './log-standing.js';

/** A broker signs within a minute. After so long, in ms, it is said that it did not. */
export const UNSIGNED_FOR_LONG = 5 * 60_000;

export interface HeadWatchOptions {
  /** The directory of the file of kept heads. */
  readonly config: string;
  readonly address: string;
  readonly names: () => BrokerNames;
  /** Looks again under which keys the broker goes: it may just have a new one. */
  readonly lookAgain: () => Promise<void>;
  readonly source: LogSource;
  readonly clock: Clock;
  readonly onStanding: (standing: LogStanding) => void;
}

/** Checks each head that a broker shows against those that were kept, keeps it, and says where that leaves the log (A49). */
export class HeadWatch {
  readonly #options: HeadWatchOptions;
  #standing = SOUND_LOG;
  /** The newest head that waits to be checked; older ones are of no interest any more. */
  #offered: string | null = null;
  #checking: Promise<void> = Promise.resolve();
  /** Numbers of the newest entry that a checked head covers, and of the newest one that there is. */
  #signed = 0;
  #seq = 0;
  #cancelAlarm: (() => void) | null = null;
  #unwatch: () => void = () => {};
  #isStopped = false;
  /** What was found and could not be written yet. */
  #unwritten: LogFork | null = null;

  constructor(options: HeadWatchOptions) {
    this.#options = options;
  }

  /** Says at once what stood out before, and notices when another process here keeps or accepts something. */
  start(): void {
    const { config } = this.#options;
    try {
      mkdirSync(config, { recursive: true, mode: 0o700 });
      const file = basename(keptHeadsPath(config));
      const watcher = watch(config, { persistent: false }, (_event, name) => {
        if (name === file) void this.#then(() => this.#readAgain());
      });
      watcher.on('error', () => watcher.close());
      this.#unwatch = () => watcher.close();
    } catch {
      // Without it the same is noticed at the next head.
    }
    void this.#then(() => this.#readAgain());
  }

  stop(): void {
    this.#isStopped = true;
    this.#unwatch();
    this.#cancelAlarm?.();
  }

  /** A head came. @returns when it has been checked, or a newer one in its place */
  offer(text: string): Promise<void> {
    this.#offered = text;
    return this.#then(async () => {
      const head = this.#offered;
      this.#offered = null;
      if (head !== null) await this.#check(head);
    });
  }

  /** The log has got to this entry. */
  advance(seq: number): void {
    this.#seq = seq;
    this.#awaitHead();
  }

  /** Runs one after the other what reads or changes the kept heads. */
  #then(work: () => Promise<void>): Promise<void> {
    this.#checking = this.#checking.then(async () => {
      if (this.#isStopped) return;
      try {
        await work();
      } catch (error) {
        this.#failed(error);
      }
    });
    return this.#checking;
  }

  async #check(text: string): Promise<void> {
    const { config, source } = this.#options;
    const kept = await readKeptLogs(config);
    this.#adopt(kept);
    if (this.#standing.fork !== null) return;
    const head = await this.#verify(text);
    const owner = this.#owner();
    const { heads } = logsOf(kept, owner);
    const outcome =
      head === null
        ? { fits: false as const, reason: 'signature' as const, ...numbersAfter(heads), restored: false }
        : await compareLog(heads, head, source);
    if (outcome.fits && head !== null) {
      const { linked } = outcome;
      const one = { ...head, address: owner.address, text, linked };
      this.#adopt(await changeKeptLogs(config, (now) => keepUnlessForked(now, owner, one)));
      this.#checked(head.seq);
      return;
    }
    if (outcome.fits) return;
    const { fits, ...found } = outcome;
    const fork: LogFork = {
      ...found,
      kept: heads.at(-1)?.text ?? null,
      offered: text,
      seen: this.#options.clock.now(),
      accepted: null,
      address: owner.address,
      broker: this.#options.names().fingerprint,
    };
    // It is shown even where it cannot be written.
    this.#unwritten = fork;
    this.#say({ fork });
    const after = await changeKeptLogs(config, (now) => withFork(now, owner, fork));
    this.#unwritten = null;
    this.#adopt(after);
  }

  /** null where it is not a head that a pinned key of this broker has signed. */
  async #verify(text: string): Promise<AuditHead | null> {
    try {
      const head = verifyAuditHead(text);
      if (this.#owner().pins.includes(head.broker)) return head;
      await this.#options.lookAgain();
      return this.#owner().pins.includes(head.broker) ? head : null;
    } catch (error) {
      // That the broker is out of reach, or another one now, is no word about its log.
      if (error instanceof Problem && NOT_ABOUT_HEADS.includes(error.code)) throw error;
      return null;
    }
  }

  async #readAgain(): Promise<void> {
    this.#adopt(await readKeptLogs(this.#options.config));
  }

  #adopt(kept: KeptLogs): void {
    this.#say({ fork: standingFork(kept, this.#owner()) ?? this.#unwritten, unkept: null });
  }

  /** What the broker did not answer is asked again with the next head; what is wrong here is said. */
  #failed(error: unknown): void {
    const isDamaged = error instanceof Problem && error.code === 'kept-heads-damaged';
    if (error instanceof Problem && !isDamaged) return;
    const { message } = error as Error;
    const hint = isDamaged ? error.hint : 'check the path, its permissions, and the room there';
    this.#say({ unkept: { message, hint, isDamaged } });
  }

  /** An old head that comes again is no sign of life. */
  #checked(seq: number): void {
    if (seq <= this.#signed) return;
    this.#signed = seq;
    this.#cancelAlarm?.();
    this.#cancelAlarm = null;
    this.#say({ unsignedAfter: null });
    this.#awaitHead();
  }

  #awaitHead(): void {
    if (this.#seq <= this.#signed || this.#cancelAlarm !== null) return;
    this.#cancelAlarm = this.#options.clock.after(UNSIGNED_FOR_LONG, () => {
      this.#say({ unsignedAfter: this.#signed });
    });
  }

  #say(change: Partial<LogStanding>): void {
    const next = { ...this.#standing, ...change };
    const isSame =
      isSameFork(next.fork, this.#standing.fork) &&
      next.unkept?.message === this.#standing.unkept?.message &&
      next.unsignedAfter === this.#standing.unsignedAfter;
    if (isSame || this.#isStopped) return;
    this.#standing = next;
    this.#options.onStanding(next);
  }

  #owner(): LogOwner {
    return { address: this.#options.address, pins: this.#options.names().pins };
  }
}

const NOT_ABOUT_HEADS: readonly string[] = [
  'broker-unreachable',
  'broker-changed',
  'broker-reply',
  'draining',
];

const keepUnlessForked = (logs: KeptLogs, owner: LogOwner, head: Parameters<typeof withHead>[2]): KeptLogs =>
  standingFork(logs, owner) === null ? withHead(logs, owner, head) : logs;

/** Where something that nothing can be compared with begins. */
function numbersAfter(kept: readonly AuditHead[]): { readonly from: number; readonly through: number } {
  const next = (kept.at(-1)?.seq ?? 0) + 1;
  return { from: next, through: next };
}

const isSameFork = (a: LogFork | null, b: LogFork | null): boolean =>
  a === b || (a !== null && b !== null && a.offered === b.offered && a.kept === b.kept);
