import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { type AuditHead, parseAuditHead } from '../protocol/audit-head.js';
import { type Fingerprint, isFingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parseSignedText } from '../protocol/receipt.js';
import { time } from '../protocol/request-view.js';
import type { EpochMs } from '../protocol/time.js';
import { readIfThere, writePrivately } from './private-file.js';

/** A head of a broker's log that was seen here and fitted what was seen before. */
export interface KeptHead extends AuditHead {
  /** Where that broker was reached. */
  readonly address: string;
  /** Statement and armor. */
  readonly text: string;
  /** Whether the log was followed entry by entry from the head that was kept before: not over a very long way. */
  readonly linked: boolean;
}

/** In what a broker's log is not the one that was seen here before. */
export const FORK_REASONS = ['other', 'shorter', 'epoch', 'signature'] as const;

const forkSchema = z.strictObject({
  /** `other` hash at a number, `shorter` than it was, another `epoch` without a word of a restore, a bad `signature`. */
  reason: z.enum(FORK_REASONS),
  /** The head that does not fit any more, statement and armor; null for a bad signature where nothing was kept. */
  kept: z.nullable(z.string()),
  /** What the broker says instead, as it sent it. */
  offered: z.string(),
  /** The first entry that is not what it was has a number from `from` to `through`. */
  from: z.int().min(1),
  through: z.int().min(1),
  /** The broker's log says that it goes on from a back-up there. */
  restored: z.boolean(),
  seen: time,
  /** When the person here accepted the log as it is now; null while that stands out. */
  accepted: z.nullable(time),
});

/** That a broker's log is not the one that was seen here before. Both heads are evidence, where its key signed both. */
export interface LogFork extends z.output<typeof forkSchema> {
  readonly address: string;
  /** The key of the broker, when that was found. */
  readonly broker: Fingerprint;
}

/** All that was kept here of the logs of all brokers. */
export interface KeptLogs {
  readonly heads: readonly KeptHead[];
  readonly forks: readonly LogFork[];
}

/** The broker that is asked about: where it is reached, and all keys under which it is pinned. */
export interface LogOwner {
  readonly address: string;
  readonly pins: readonly string[];
}

export const keptHeadsPath = (config: string): string => join(config, 'heads');

const lineSchema = z.union([
  z.strictObject({ address: z.string(), head: z.string(), linked: z.boolean() }),
  z.strictObject({
    address: z.string(),
    broker: z.custom<Fingerprint>(isFingerprint, 'not a fingerprint'),
    fork: forkSchema,
  }),
]);

/** @throws Problem `kept-heads-damaged` that names the first bad line: what was seen must not be forgotten silently. */
export async function readKeptLogs(config: string): Promise<KeptLogs> {
  const text = (await readIfThere(keptHeadsPath(config))) ?? '';
  const heads: KeptHead[] = [];
  const forks: LogFork[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    try {
      const parsed = lineSchema.parse(JSON.parse(line));
      if ('fork' in parsed) {
        forks.push({ ...parsed.fork, address: parsed.address, broker: parsed.broker });
      } else {
        const { head, ...rest } = parsed;
        heads.push({ ...rest, ...parseAuditHead(parseSignedText(head).statement), text: head });
      }
    } catch (cause) {
      throw damaged(config, index + 1, cause);
    }
  }
  return { heads, forks };
}

const formatLogs = ({ heads, forks }: KeptLogs): string =>
  [
    ...heads.map(({ address, text, linked }) => ({ address, head: text, linked })),
    ...forks.map(({ address, broker, ...fork }) => ({ address, broker, fork: z.encode(forkSchema, fork) })),
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');

/** A writer holds the lock for milliseconds; one that is older, in ms, was left behind. */
const STALE_LOCK = 10_000;
const LOCK_PAUSE = 20;

/**
 * Changes what is kept, one process at a time.
 *
 * @param change returns what it was given where nothing is to be written
 * @throws Problem `kept-heads-damaged`; errors of the file system
 */
export async function changeKeptLogs(
  config: string,
  change: (kept: KeptLogs) => KeptLogs,
): Promise<KeptLogs> {
  const path = keptHeadsPath(config);
  const lock = `${path}.lock`;
  await takeLock(lock);
  try {
    const before = await readKeptLogs(config);
    const after = change(before);
    if (after !== before) await writePrivately(path, formatLogs(after));
    return after;
  } finally {
    await rm(lock, { force: true });
  }
}

/** Heads of one broker that stay beside the first of each day. */
const NEWEST = 16;
/** Heads of one broker. */
const MOST = 400;

/**
 * What was kept of one broker: under any key that it is pinned by, and under whatever key at the same URL. A broker that
 * comes with another key to where it was known still has to have the same log; a socket of a directory that was made anew
 * is another broker.
 */
export function logsOf({ heads, forks }: KeptLogs, { address, pins }: LogOwner): KeptLogs {
  const isUrl = !address.startsWith('unix:');
  const isIts = (kept: { readonly address: string; readonly broker: string }): boolean =>
    pins.includes(kept.broker) || (isUrl && kept.address === address);
  return {
    heads: heads.filter(isIts).sort((a, b) => a.seq - b.seq),
    forks: forks.filter(isIts),
  };
}

/** The newest head that was kept of a broker; null where there is none. */
export const newestKept = (logs: KeptLogs, owner: LogOwner): KeptHead | null =>
  logsOf(logs, owner).heads.at(-1) ?? null;

/** That the log of a broker is not what it was, for as long as nobody here has accepted it. */
export const standingFork = (logs: KeptLogs, owner: LogOwner): LogFork | null =>
  logsOf(logs, owner).forks.find(({ accepted }) => accepted === null) ?? null;

/** Keeps a head of a broker: of its heads stay the newest ones, and the first of each day in UTC. */
export function withHead(logs: KeptLogs, owner: LogOwner, head: KeptHead): KeptLogs {
  const { heads } = logsOf(logs, owner);
  if (heads.some(({ seq, hash }) => seq === head.seq && hash === head.hash)) return logs;
  const all = [...heads, head].sort((a, b) => a.seq - b.seq);
  const day = ({ signed }: KeptHead): number => Math.floor(signed / 86_400_000);
  const firsts = all.filter((one, index) => index === 0 || day(one) !== day(all[index - 1] as KeptHead));
  const newest = all.slice(-NEWEST);
  const older = firsts.filter((one) => !newest.includes(one)).slice(-(MOST - NEWEST));
  return { ...logs, heads: [...logs.heads.filter((one) => !heads.includes(one)), ...older, ...newest] };
}

/** Keeps that the log of a broker is not what it was. What stands out already is not said twice. */
export function withFork(logs: KeptLogs, owner: LogOwner, fork: LogFork): KeptLogs {
  return standingFork(logs, owner) === null ? { ...logs, forks: [...logs.forks, fork] } : logs;
}

/**
 * Takes the log of a broker for the right one as it is now. Of the heads before stay those of entries that are still what
 * they were; what stood out stays as evidence.
 */
export function withAccepted(logs: KeptLogs, owner: LogOwner, head: KeptHead, now: EpochMs): KeptLogs {
  const { heads, forks } = logsOf(logs, owner);
  const standing = forks.filter(({ accepted }) => accepted === null);
  const from = Math.min(head.seq, ...standing.map((fork) => fork.from));
  const isGone = (kept: KeptHead): boolean => heads.includes(kept) && kept.seq >= from;
  return {
    heads: [...logs.heads.filter((kept) => !isGone(kept)), head],
    forks: logs.forks.map((fork) => (standing.includes(fork) ? { ...fork, accepted: now } : fork)),
  };
}

async function takeLock(lock: string): Promise<void> {
  await mkdir(dirname(lock), { recursive: true, mode: 0o700 });
  for (let waited = 0; ; waited += LOCK_PAUSE) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const held = await stat(lock).catch(() => null);
    const isLeft = held !== null && Math.abs(Date.now() - held.mtimeMs) > STALE_LOCK;
    if (isLeft || waited > STALE_LOCK) await rm(lock, { force: true });
    else await pause(LOCK_PAUSE);
  }
}

function damaged(config: string, line: number, cause: unknown): Problem {
  return new Problem('kept-heads-damaged', `${keptHeadsPath(config)}, line ${line}, is no kept head`, {
    hint: 'put a copy of that file back; without one move it away, and what was seen before is not compared any more',
    cause,
  });
}
