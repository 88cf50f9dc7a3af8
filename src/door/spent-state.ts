import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { EpochMs } from '../protocol/time.js';
import { admitUse, type PastUses } from './use.js';
import type { Approval } from './verification.js';

/** A use is remembered for as long as any receipt for it could be taken, 32 days, and a month more; in ms. */
const KEEP = 62 * 24 * 3600 * 1000;
const MARK = /^\d{12}$/;

/**
 * What a door has opened for, in a directory of its own:
 *
 *     uses/DIGEST-N   the N-th use of what was signed for that digest: its second
 *     uses/DIGEST-no  it was denied or revoked, so that nothing opens for it any more: which of them
 *     clock/SECOND    a use of this door, the latest one only: the name is its second, in twelve digits
 *
 * A use is on the disk before the door opens. Each use is a file that must not have been there (`O_EXCL`), which is lock
 * and record in one: of two runs only one makes it, and a crash leaves no lock behind.
 */
export class SpentState {
  readonly #uses: string;
  readonly #marks: string;
  readonly #clock: () => EpochMs;

  /** @param directory is made where it is missing, mode 0700 */
  constructor(directory: string, clock: () => EpochMs) {
    this.#uses = join(directory, 'uses');
    this.#marks = join(directory, 'clock');
    this.#clock = clock;
  }

  /**
   * Records a use, durably.
   *
   * @returns false where the approval is used up
   * @throws Problem `clock-back` where the clock is before the latest use; `state-failed`; those of {@link admitUse}
   */
  async spend(approval: Approval): Promise<boolean> {
    return keepingState(this.#uses, async () => {
      for (const directory of [this.#uses, this.#marks])
        await mkdir(directory, { recursive: true, mode: 0o700 });
      const now = this.#clock();
      const latest = await this.#latestUse();
      if (now < latest) {
        throw new Problem('clock-back', 'the clock of this machine is before the latest use of this door');
      }
      let past = await this.#usesOf(approval.request);
      for (;;) {
        if (!admitUse(approval, past, now)) return false;
        if (await createDurably(this.#path(approval.request, past.count + 1), secondOf(now))) break;
        past = await this.#usesOf(approval.request);
      }
      await this.#markClock(now);
      await this.#forgetOld(latest);
      return true;
    });
  }

  /**
   * Records that nothing opens for this digest any more, durably: a broker that says no now could hide it later.
   *
   * @throws Problem `state-failed`
   */
  async refuse(request: Digest, end: 'denied' | 'revoked'): Promise<void> {
    await keepingState(this.#uses, async () => {
      await mkdir(this.#uses, { recursive: true, mode: 0o700 });
      await createDurably(this.#path(request, 'no'), end);
    });
  }

  async #usesOf(request: Digest): Promise<PastUses> {
    if ((await readIfThere(this.#path(request, 'no'))) !== null) return { count: 1, first: null };
    const first = await readIfThere(this.#path(request, 1));
    if (first === null) return { count: 0, first: null };
    let count = 1;
    while ((await readIfThere(this.#path(request, count + 1))) !== null) count += 1;
    return { count, first: /^\d{12}\n$/.test(first) ? Number(first) * 1000 : null };
  }

  async #latestUse(): Promise<EpochMs> {
    const marks = (await readdir(this.#marks)).filter((name) => MARK.test(name));
    return Math.max(0, ...marks.map(Number)) * 1000;
  }

  async #markClock(now: EpochMs): Promise<void> {
    const mark = secondOf(now);
    await createDurably(join(this.#marks, mark), '');
    const older = (await readdir(this.#marks)).filter((name) => MARK.test(name) && name < mark);
    for (const name of older) await rm(join(this.#marks, name), { force: true });
  }

  /** Counted from the latest use before this one, so that a clock that runs ahead forgets nothing. */
  async #forgetOld(latest: EpochMs): Promise<void> {
    for (const name of await readdir(this.#uses)) {
      const path = join(this.#uses, name);
      const found = await stat(path).catch(() => null);
      if (found !== null && found.mtimeMs < latest - KEEP) await rm(path, { force: true });
    }
  }

  #path(request: Digest, use: number | 'no'): string {
    return join(this.#uses, `${request.slice('sha256:'.length)}-${use}`);
  }
}

const secondOf = (time: EpochMs): string => String(Math.floor(time / 1000)).padStart(12, '0');

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Makes a file that must not be there, with its entry in the directory on the disk too. False where it is there. */
async function createDurably(path: string, line: string): Promise<boolean> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    await file.writeFile(line === '' ? '' : `${line}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const directory = await open(join(path, '..'), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return true;
}

async function keepingState<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('state-failed', `cannot keep the state in ${JSON.stringify(directory)}`, {
      cause: error,
    });
  }
}
