import { describe, expect, test } from 'vitest';
import { bannerLines } from '../../../components/screen/banner-lines.js';
import type { LogFork } from '../../../src/client/kept-heads.js';
import { type LogStanding, SOUND_LOG } from '../../../src/client/log-standing.js';
import type { Queue } from '../../../src/client/queue.js';
import { PaperLog } from '../../client/paper-log.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW } from '../sample-requests.js';

const log = new PaperLog(480);
const fork: LogFork = {
  reason: 'other',
  kept: log.head(),
  offered: log.head(),
  from: 451,
  through: 451,
  restored: false,
  seen: NOW,
  accepted: null,
  address: 'https://broker.example.com',
  broker: log.fingerprint,
};
const restoration = { backupAt: NOW - 3600_000, restoredAt: NOW - 60_000, ended: 2 };

/** What stands above the queue, and in which tones. */
function banners(standing: Partial<LogStanding>, queue: Partial<Queue> = {}, columns = 120) {
  const { state } = new ConsoleDriver([], { columns, rows: 40 });
  const shown = { ...state, queue: { ...state.queue, ...queue, log: { ...SOUND_LOG, ...standing } } };
  const lines = bannerLines(shown);
  return {
    text: lines.map((line) => line.map(({ text }) => text.trim()).join('')).join(' '),
    tones: [...new Set(lines.flatMap((line) => line.map(({ tone }) => tone)))],
    rows: lines.length,
  };
}

describe('the banner of a log that is not the one seen here (A49)', () => {
  test('is an alarm that names the entry, and what to do', () => {
    const { text, tones } = banners({ fork });
    expect(text).toContain('is not the one seen here: entry 451 is not what it was.');
    expect(text).toContain('countersign audit accept');
    expect(tones).toEqual(['alarm']);
  });

  test.each([
    [{ from: 441, through: 480 }, 'one of the entries 441 to 480 is not what it was'],
    [{ reason: 'shorter', from: 441, through: 480 }, 'it ends before entry 480'],
    [{ reason: 'epoch', from: 481, through: 490 }, 'from entry 481 on it is that of another database'],
    [{ reason: 'signature', from: 481, through: 481 }, 'after entry 480 is not signed with its key'],
    [{ restored: true, from: 451 }, 'goes on from a back-up, and entries 451 to 480 as they were are gone'],
  ] as const)('says what is known of it: %o', (found, words) => {
    expect(banners({ fork: { ...fork, ...found } }).text).toContain(words);
  });

  test('takes no more than three rows of 80 columns', () => {
    expect(banners({ fork: { ...fork, from: 123_441, through: 123_480 } }, {}, 80).rows).toBeLessThan(4);
  });

  test('is one with that of the restore which explains it, and stays when that is acknowledged', () => {
    const restored = { fork: { ...fork, restored: true } };
    const both = banners(restored, { restoration });
    expect(both.text.match(/▲/g)).toHaveLength(1);
    expect(both.text).toMatch(/▲ Restored at .* entries 451 to 480 .* gone\. R takes note/);
    expect(banners(restored).text).toMatch(/^▲ The log of this broker is not the one seen here/);
    expect(banners({}, { restoration }).text).toContain('What happened between is not known here.');
  });

  test('stands beside that of a restore which does not explain it', () => {
    expect(banners({ fork }, { restoration }).text.match(/▲/g)).toHaveLength(2);
  });
});

test('heads that do not come are said calmly, and not while the connection is down or a fork says more', () => {
  const { text, tones } = banners({ unsignedAfter: 480 });
  expect([text.includes('after entry 480'), tones]).toEqual([true, ['warning']]);
  expect(banners({ unsignedAfter: 480, fork }).text.match(/▲/g)).toHaveLength(1);
  const link = { state: 'stale', since: NOW, retryAt: null, reason: 'away' } as const;
  expect(banners({ unsignedAfter: 480 }, { link }).text).not.toContain('480');
});

test('a file of kept heads that is damaged is an alarm, one that cannot be written is not', () => {
  const unkept = {
    message: '/home/bob/heads, line 2, is no kept\u001b[2J head',
    hint: 'mend it',
    isDamaged: true,
  };
  const damaged = banners({ unkept });
  expect([damaged.text.includes('line 2'), damaged.text.includes('\u001b'), damaged.tones]).toEqual([
    true,
    false,
    ['alarm'],
  ]);
  expect(banners({ unkept: { ...unkept, isDamaged: false } }).tones).toEqual(['warning']);
});
