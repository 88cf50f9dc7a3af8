import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { folder } from './modules.js';

/** A program in a process of its own, seen from whoever measures it. */
export class MeasuredProcess<Facts> {
  /** What the program said when it was ready. */
  readonly facts: Facts;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, facts: Facts) {
    this.#child = child;
    this.facts = facts;
  }

  /**
   * Starts a program of this folder, which calls {@link beMeasured}, and waits until it is ready.
   *
   * @param args follow the folder of the compiled program on its command line
   * @param log file for what it writes to stderr; null shows it
   */
  static async start<Facts>(
    file: string,
    args: readonly string[],
    log: string | null = null,
  ): Promise<MeasuredProcess<Facts>> {
    const child = fork(new URL(file, import.meta.url), [folder, ...args], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'inherit', log === null ? 'inherit' : openSync(log, 'a'), 'ipc'],
    });
    return new MeasuredProcess(child, await nextMessage<Facts>(child));
  }

  /** Processor time so far, in ms. */
  processorTime(): Promise<number> {
    return this.#ask('processor time');
  }

  /** Resident memory after a full garbage collection, in bytes. */
  residentMemory(): Promise<number> {
    return this.#ask('resident memory');
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.send('stop');
    await exit;
  }

  #ask(question: Question): Promise<number> {
    this.#child.send(question);
    return nextMessage(this.#child);
  }
}

type Question = 'processor time' | 'resident memory';

const ANSWERS: Readonly<Record<Question, () => number>> = {
  'processor time': () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  'resident memory': () => {
    // Twice: what the first one finalises is freed by the second.
    globalThis.gc?.();
    globalThis.gc?.();
    return process.memoryUsage.rss();
  },
};

/**
 * The other side: tells that this process is ready, and answers until it is told to stop.
 *
 * @param facts what the measuring process needs to know, as JSON
 */
export function beMeasured(facts: object, stop: () => Promise<void> | void): void {
  process.on('message', async (question) => {
    if (question === 'stop') {
      await stop();
      process.disconnect();
      return;
    }
    process.send?.(ANSWERS[question as Question]());
  });
  // Whoever measured is gone, by its own fault or not.
  process.once('disconnect', () => process.exit());
  process.send?.(facts);
}

function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the measured process ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Message);
    });
  });
}
