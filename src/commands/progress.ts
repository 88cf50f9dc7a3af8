import type { Clock } from '../client/clock.js';
import type { SubmitReply } from '../protocol/messages.js';
import type { EpochMs } from '../protocol/time.js';
import { prose } from './output.js';

/** Where the progress is drawn: a terminal has columns. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const ERASE_LINE = '\r\u001b[K';

/**
 * How a request stands, for the one who waits: one line that is redrawn on a terminal, elsewhere a line for each change.
 */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #clock: Clock;
  /** null before anything was shown. */
  #standing: string | null = null;
  #answerBy: EpochMs = 0;
  #stopTick: () => void = () => {};

  constructor(output: ProgressOutput, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  show({ status, answerBy }: SubmitReply): void {
    const former = this.#standing;
    const approvers = status.votes.map(({ approver }) => approver);
    const said = approvers.length === 0 ? '' : `; approved by ${approvers.join(', ')}`;
    const missing = status.missing.length === 0 ? '' : `; missing: ${status.missing.map(ascii).join(', ')}`;
    this.#standing = said + missing;
    this.#answerBy = answerBy;
    if (this.#output.isTTY) this.#draw();
    else if (this.#standing !== former) this.#output.write(`countersign: waiting${this.#standing}\n`);
  }

  /** Takes the line away. */
  end(): void {
    this.#stopTick();
    if (this.#output.isTTY && this.#answerBy !== 0) this.#output.write(ERASE_LINE);
  }

  #draw(): void {
    this.#stopTick();
    const left = this.#answerBy - this.#clock.now();
    const text = `countersign: waiting, ${formatLeft(left)} to answer, Ctrl-C stops${this.#standing ?? ''}`;
    this.#output.write(ERASE_LINE + cut(text, (this.#output.columns ?? 80) - 1));
    if (left > 0) this.#stopTick = this.#clock.after(left > 60_000 ? 10_000 : 1_000, () => this.#draw());
  }
}

/** Coarse above a minute, since it is drawn each ten seconds there: `4m 20s`, `45s`. */
function formatLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
}

const cut = (text: string, columns: number): string =>
  text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;

/** One column a character, so that a line can be cut to the width of the terminal. */
const ascii = (text: string): string => prose(text).replace(/[^\x20-\x7e]/g, '?');
