import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { HeadWatch, UNSIGNED_FOR_LONG } from '../../src/client/head-watch.js';
import { changeKeptLogs, keptHeadsPath, readKeptLogs, withAccepted } from '../../src/client/kept-heads.js';
import { compareLog, type LogSource, MOST_LINKS } from '../../src/client/log-comparison.js';
import { forkWords, type LogStanding, SOUND_LOG } from '../../src/client/log-standing.js';
import { hashEntry, type LogEntry } from '../../src/protocol/event-log.js';
import type { Digest } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { verifyAuditHead } from '../../src/ssh/audit-head.js';
import { temporaryDirectory } from '../ssh/openssh.js';
import { makeSoftwareKey } from '../ssh/software-keys.js';
import { ManualClock } from './manual-clock.js';
import { PaperLog } from './paper-log.js';

const ADDRESS = 'https://approvals.example.com:7433';

/** One console that watches the heads of a log. */
function watchOf(
  log: PaperLog,
  {
    config = temporaryDirectory(),
    address = ADDRESS,
    pins = [log.fingerprint] as string[],
    lookAgain = async () => {},
  } = {},
) {
  const clock = new ManualClock();
  const said: LogStanding[] = [];
  const watch = new HeadWatch({
    config,
    address,
    names: () => ({
      fingerprint: log.fingerprint,
      former: [],
      pins: pins as never,
    }),
    lookAgain,
    source: log.source,
    clock,
    onStanding: (standing) => said.push(standing),
  });
  onTestFinished(() => watch.stop());
  return {
    watch,
    clock,
    config,
    pins,
    standing: () => said.at(-1) ?? SOUND_LOG,
    /** What it says of the log as it is now. */
    async sees(text = log.head()): Promise<LogStanding['fork']> {
      watch.advance(log.entries.length);
      await watch.offer(text);
      return (said.at(-1) ?? SOUND_LOG).fork;
    },
    kept: async () => (await readKeptLogs(config)).heads.map(({ seq }) => seq),
  };
}

describe('the heads of a log that only grows', () => {
  test('are kept, privately, and nothing stands out (A49)', async () => {
    const log = new PaperLog(10);
    const { sees, kept, config, standing } = watchOf(log);
    expect(await sees()).toBeNull();
    log.grow(5);
    expect(await sees()).toBeNull();
    expect(await sees()).toBeNull();
    expect(await kept()).toEqual([10, 15]);
    expect(statSync(keptHeadsPath(config)).mode & 0o777).toBe(0o600);
    expect(standing()).toEqual(SOUND_LOG);
  });

  test('may come late: another console has kept a newer one', async () => {
    const log = new PaperLog(20);
    const { sees, kept } = watchOf(log);
    await sees();
    expect(await sees(log.head(12))).toBeNull();
    expect(await kept()).toEqual([12, 20]);
  });

  test('are the newest ones and the first of each day, at most 400', async () => {
    const log = new PaperLog(1);
    const { sees, kept } = watchOf(log);
    // An entry a minute, from noon on.
    for (let hours = 0; hours < 40; hours += 1) {
      await sees();
      log.grow(60);
    }
    const seqs = await kept();
    expect(seqs).toHaveLength(18);
    expect(seqs.slice(0, 3)).toEqual([1, 721, 24 * 60 + 1]);
  });

  test('go on through a rotation of the key that the pinned one vouches for', async () => {
    const log = new PaperLog(5);
    const { sees, kept, pins } = watchOf(log);
    await sees();
    log.key = makeSoftwareKey('ssh-ed25519');
    log.grow(3);
    pins.push(log.fingerprint);
    expect(await sees()).toBeNull();
    expect(await kept()).toEqual([5, 8]);
  });

  test('by a key that was rotated this very moment are looked up again before they count as foreign', async () => {
    const log = new PaperLog(5);
    const pins: string[] = [log.fingerprint];
    const { sees, kept } = watchOf(log, { pins, lookAgain: async () => void pins.push(log.fingerprint) });
    await sees();
    log.key = makeSoftwareKey('ssh-ed25519');
    log.grow(1);
    expect(await sees()).toBeNull();
    expect(await kept()).toEqual([5, 6]);
  });

  test('over a way that is too long are compared where they stand, and it is kept that the way was not looked at', async () => {
    const log = new PaperLog(3);
    const kept = verifyAuditHead(log.head());
    log.grow(1);
    const [last] = log.entries.slice(-1);
    const far = { ...(last as LogEntry), seq: kept.seq + MOST_LINKS + 1 };
    far.hash = hashEntry(far);
    const shown = [...log.entries, far];
    const source: LogSource = {
      links: async (after) => shown.filter(({ seq }) => seq === after + 1),
      entry: async () => null,
    };
    const offered = { ...kept, seq: far.seq, hash: `sha256:${far.hash}` as Digest };
    expect(await compareLog([kept], offered, source)).toEqual({ fits: true, linked: false });
    const other = { ...offered, hash: kept.hash };
    expect(await compareLog([kept], other, source)).toMatchObject({ fits: false });
    expect(await compareLog([{ ...kept, hash: offered.hash }], offered, source)).toMatchObject({
      fits: false,
      from: 1,
      through: 3,
    });
  });
});

describe('a log that was changed by whoever has the key of the broker (A49, A51)', () => {
  test('stands out at the entry that was edited, where heads were kept around it', async () => {
    const log = new PaperLog(450);
    const { sees } = watchOf(log);
    await sees();
    log.grow(1);
    await sees();
    log.grow(29);
    await sees();
    log.edit(451);
    expect(await sees()).toMatchObject({ reason: 'other', from: 451, through: 451, restored: false });
  });

  test('stands out wherever it was edited, cut or forked, and names numbers between which that is', async () => {
    const lengths = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }));
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(), fc.constantFrom('edit', 'cut', 'fork'), async ([a, b], n, how) => {
        const log = new PaperLog(a);
        const { sees } = watchOf(log);
        await sees();
        log.grow(b);
        await sees();
        const at = 1 + (n % (a + b));
        if (how === 'edit') log.edit(at);
        else log.cut(at - 1);
        if (how === 'fork') {
          log.edit(log.entries.length + 1);
          for (let more = 0; more <= b + a; more += 1) log.grow(1);
          log.edit(at);
        }
        if (log.entries.length === 0) log.grow(1);
        if (how === 'cut' && at === 1) log.edit(1);
        const fork = await sees();
        expect(fork).not.toBeNull();
        expect(fork?.from).toBeLessThanOrEqual(at);
        expect(fork?.through).toBeGreaterThanOrEqual(at);
      }),
      { numRuns: 25 },
    );
  });

  test('stands out when it is shorter than it was', async () => {
    const log = new PaperLog(30);
    const { sees } = watchOf(log);
    await sees();
    log.cut(20);
    const fork = await sees();
    expect(fork).toMatchObject({ reason: 'shorter', through: 30 });
    expect(fork && forkWords(fork)).toBe('it ends before entry 30');
  });

  test('stands out where the broker signs one log and shows another', async () => {
    const log = new PaperLog(10);
    const { sees } = watchOf(log);
    await sees();
    const other = new PaperLog(0);
    other.key = log.key;
    other.entries = log.entries;
    other.grow(2);
    other.edit(12);
    log.grow(2);
    expect(await sees(other.head())).toMatchObject({ reason: 'other', from: 11, through: 12 });
  });

  test('stands out where another key signed, or nothing did', async () => {
    for (const bad of ['no head', 'stranger', 'altered'] as const) {
      const log = new PaperLog(10);
      const { sees } = watchOf(log);
      await sees();
      const stranger = new PaperLog(11);
      const head = log.head();
      const text = { 'no head': 'x', stranger: stranger.head(), altered: head.replace('seq: 10', 'seq: 11') }[
        bad
      ];
      expect(await sees(text), bad).toMatchObject({ reason: 'signature', offered: text });
    }
  });

  test('stands out where it names another life of the database, and no restore', async () => {
    const log = new PaperLog(10);
    const { sees } = watchOf(log);
    await sees();
    log.grow(1);
    log.epoch = 'c'.repeat(32);
    expect(await sees()).toMatchObject({ reason: 'epoch', restored: false });
  });

  test('stands out at a known URL also where the broker comes with another key', async () => {
    const log = new PaperLog(10);
    const { sees, config } = watchOf(log);
    await sees();
    const next = new PaperLog(12);
    expect(await watchOf(next, { config }).sees()).toMatchObject({ from: 1 });
  });

  test('is another one where a data directory was made anew under the same path', async () => {
    const address = 'unix:/tmp/try/broker.sock';
    const log = new PaperLog(10);
    const { sees, config } = watchOf(log, { address });
    await sees();
    const next = new PaperLog(2);
    expect(await watchOf(next, { config, address }).sees()).toBeNull();
  });

  test('keeps standing out: in the next console, and after the broker shows the old log again', async () => {
    const log = new PaperLog(10);
    const { sees, config, kept } = watchOf(log);
    await sees();
    const before = log.entries;
    log.edit(7);
    const fork = await sees();
    log.entries = before;
    log.grow(1);
    expect(await sees()).toEqual(fork);
    const next = watchOf(log, { config });
    next.watch.start();
    expect(await next.sees()).toEqual(fork);
    expect(await kept()).toEqual([10]);
  });
});

describe('a log that a person here has accepted', () => {
  test('is compared from there on, and what stood out stays as evidence', async () => {
    const log = new PaperLog(10);
    const { sees, config, kept } = watchOf(log);
    await sees();
    log.grow(10);
    await sees();
    log.edit(15);
    log.grow(1);
    const fork = await sees();
    const head = { ...verifyAuditHead(log.head()), address: ADDRESS, text: log.head(), linked: false };
    const owner = { address: ADDRESS, pins: [log.fingerprint] };
    await changeKeptLogs(config, (logs) => withAccepted(logs, owner, head, 1e12));
    expect(await kept()).toEqual([10, 21]);
    log.grow(1);
    expect(await sees()).toBeNull();
    expect((await readKeptLogs(config)).forks).toEqual([{ ...fork, accepted: 1e12 }]);
    log.edit(16);
    expect(await sees()).toMatchObject({ from: 11 });
  });

  test('loses its banner in a console that is open, at once', async () => {
    const log = new PaperLog(10);
    const { sees, watch, config, standing } = watchOf(log);
    watch.start();
    await sees();
    log.edit(3);
    expect(await sees()).not.toBeNull();
    const head = { ...verifyAuditHead(log.head()), address: ADDRESS, text: log.head(), linked: false };
    const owner = { address: ADDRESS, pins: [log.fingerprint] };
    await changeKeptLogs(config, (logs) => withAccepted(logs, owner, head, 1e12));
    await vi.waitUntil(() => standing().fork === null);
  });
});

describe('a broker that goes on from a back-up', () => {
  test('says nothing new where all that was seen is still there', async () => {
    const log = new PaperLog(10);
    const { sees, kept } = watchOf(log);
    await sees();
    log.grow(5);
    log.restore(12);
    expect(await sees()).toBeNull();
    expect(await kept()).toEqual([10, 13]);
  });

  test('has lost what was seen: that stands out, and is told apart from a log that was changed', async () => {
    const log = new PaperLog(20);
    const { sees } = watchOf(log);
    await sees();
    log.restore(12);
    log.grow(30);
    const fork = await sees();
    expect(fork).toMatchObject({ restored: true, from: 13 });
    expect(fork && forkWords(fork)).toBe(
      'it goes on from a back-up, and entries 13 to 20 as they were are gone',
    );
  });

  test('does not explain with an old restore what was changed after it', async () => {
    const log = new PaperLog(20);
    log.restore(12);
    log.grow(10);
    const { sees } = watchOf(log);
    await sees();
    log.edit(20);
    log.grow(1);
    expect(await sees()).toMatchObject({ restored: false });
  });
});

describe('a broker that keeps its heads back', () => {
  test('is named after five minutes in which the log grew, and not before', async () => {
    const log = new PaperLog(10);
    const { sees, watch, clock, standing } = watchOf(log);
    await sees();
    await clock.pass(UNSIGNED_FOR_LONG * 3);
    expect(standing().unsignedAfter).toBeNull();
    watch.advance(11);
    await clock.pass(UNSIGNED_FOR_LONG - 1);
    watch.advance(12);
    expect(standing().unsignedAfter).toBeNull();
    await clock.pass(1);
    expect(standing().unsignedAfter).toBe(10);
    log.grow(2);
    await sees();
    expect(standing().unsignedAfter).toBeNull();
  });

  test('is named too where it sends old ones again, or shows no entries to check them by', async () => {
    const log = new PaperLog(10);
    const { sees, watch, clock, standing } = watchOf(log);
    const old = log.head();
    await sees();
    log.grow(5);
    watch.advance(15);
    await clock.pass(UNSIGNED_FOR_LONG / 2);
    await watch.offer(old);
    log.source.links = async () => {
      throw new Problem('broker-unreachable', 'away');
    };
    await watch.offer(log.head());
    await clock.pass(UNSIGNED_FOR_LONG / 2);
    expect(standing()).toMatchObject({ unsignedAfter: 10, fork: null });
  });
});

describe('the file of kept heads', () => {
  test('loses nothing to many consoles that write it at once, and never goes back', async () => {
    const log = new PaperLog(40);
    const config = temporaryDirectory();
    const consoles = Array.from({ length: 8 }, () => watchOf(log, { config }));
    const seqs = Array.from({ length: 40 }, (_, index) => index + 1);
    await Promise.all(seqs.map((seq) => consoles[seq % 8]?.watch.offer(log.head(seq))));
    const { heads, forks } = await readKeptLogs(config);
    expect(forks).toEqual([]);
    expect(heads.at(-1)?.seq).toBe(40);
    expect(existsSync(`${keptHeadsPath(config)}.lock`)).toBe(false);
  });

  test('that is damaged is said, with its line and what to do, and stays as it is', async () => {
    const log = new PaperLog(10);
    const { sees, config, standing } = watchOf(log);
    await sees();
    const path = keptHeadsPath(config);
    const damaged = `${readFileSync(path, 'utf8')}{"address":"x"`;
    writeFileSync(path, damaged);
    log.edit(3);
    await sees();
    expect(standing().unkept).toMatchObject({ isDamaged: true });
    expect(standing().unkept?.message).toContain(`${path}, line 2`);
    expect(readFileSync(path, 'utf8')).toBe(damaged);
    writeFileSync(path, damaged.slice(0, damaged.indexOf('\n') + 1));
    expect(await sees()).toMatchObject({ through: 10 });
    expect(standing().unkept).toBeNull();
  });

  test('that cannot be written is said, and a fork is shown all the same', async () => {
    const log = new PaperLog(10);
    const { sees, config, standing } = watchOf(log);
    await sees();
    const path = keptHeadsPath(config);
    // Below a file is no directory, whoever runs this test.
    const blocked = watchOf(log, { config: join(path, 'below') });
    await blocked.sees();
    expect(blocked.standing().unkept).toMatchObject({ isDamaged: false });
    expect(standing().unkept).toBeNull();
  });

  test('is not lost to a writer that was killed while it held the lock', async () => {
    const config = temporaryDirectory();
    writeFileSync(`${keptHeadsPath(config)}.lock`, '');
    utimesSync(`${keptHeadsPath(config)}.lock`, 1, 1);
    expect(await changeKeptLogs(config, (kept) => kept)).toEqual({ heads: [], forks: [] });
  });
});
