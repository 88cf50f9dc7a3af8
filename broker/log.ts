import { constants, fstatSync, openSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import { type Logger, pino } from 'pino';

/** Where the log of a broker goes, and how to let go of it. */
export interface BrokerLog {
  readonly logger: Logger;
  /** Lines that nobody took in time. */
  readonly dropped: number;
  /** Returns once everything is written, or {@link LAST_PATIENCE} has passed. */
  close(): Promise<void>;
}

/** Bytes that wait for a reader of the log before lines are dropped. */
const MAX_WAITING = 1024 * 1024;
/** How long a log that nobody reads may hold up the end, in ms. */
const LAST_PATIENCE = 1_000;
const STDERR = 2;

/** One line of JSON for each event to standard error, with its priority in front where the journal reads it. */
export function openLog(kind: 'json' | 'silent', env: NodeJS.ProcessEnv = process.env): BrokerLog {
  const level = kind === 'silent' ? 'silent' : 'info';
  if (kind === 'silent') return { logger: pino({ level }), dropped: 0, close: async () => {} };
  const stats = fstatSync(STDERR);
  const prefix = isJournal(stats, env) ? journalPriority : () => '';
  // A file takes everything at once; a pipe or a socket makes a writer wait for its reader, who may never come.
  const out = stats.isFIFO() || stats.isSocket() ? new PatientPipe(pipeOf(stats)) : null;
  const direct = pino.destination({ fd: STDERR, sync: true });
  const write = (line: string): unknown => (out ?? direct).write(prefix(line) + line);
  return {
    logger: pino({ level, base: null }, { write }),
    get dropped() {
      return out?.dropped ?? 0;
    },
    close: async () => out?.close(),
  };
}

/** As systemd.exec(5) says: the device and inode of the stream that leads to the journal. */
const isJournal = ({ dev, ino }: Stats, { JOURNAL_STREAM }: NodeJS.ProcessEnv): boolean =>
  JOURNAL_STREAM === `${dev}:${ino}`;

/** Levels of pino as priorities of syslog, in the form of sd-daemon(3). */
function journalPriority(line: string): string {
  const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? 30);
  return level >= 60 ? '<2>' : level >= 50 ? '<3>' : level >= 40 ? '<4>' : level >= 30 ? '<6>' : '<7>';
}

/** A pipe is opened anew: that it does not block must not hold for others who write to it (open(2), O_NONBLOCK). */
function pipeOf(stats: Stats): number {
  if (!stats.isFIFO()) return STDERR;
  try {
    return openSync(`/proc/self/fd/${STDERR}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return STDERR;
  }
}

/** Writes to a pipe or socket without ever waiting for who reads it. What does not fit is dropped, counted and told. */
export class PatientPipe {
  dropped = 0;
  #untold = 0;
  #isBroken = false;
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    // Whoever read the log is gone. That is no reason to stop.
    this.#socket.on('error', () => {
      this.#isBroken = true;
    });
    // No other file may ever get the number of standard error: what is written there would end up in it.
    if (fd === STDERR) this.#socket.once('close', () => openSync('/dev/null', 'w'));
  }

  write(line: string): void {
    if (this.#isBroken || this.#socket.writableLength + line.length > MAX_WAITING) {
      this.dropped += 1;
      this.#untold += 1;
      return;
    }
    if (this.#untold > 0) {
      this.#socket.write(`{"level":40,"time":${Date.now()},"event":"log-dropped","lines":${this.#untold}}\n`);
      this.#untold = 0;
    }
    this.#socket.write(line);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const giveUp = setTimeout(() => {
        this.#socket.destroy();
        resolve();
      }, LAST_PATIENCE);
      this.#socket.write('', () => {
        clearTimeout(giveUp);
        resolve();
      });
    });
  }
}
