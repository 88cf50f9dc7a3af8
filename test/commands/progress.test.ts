import { describe, expect, test } from 'vitest';
import { Progress, type ProgressOutput } from '../../src/commands/progress.js';
import { type SubmitReply, submitReply } from '../../src/protocol/messages.js';
import { decodeReply } from '../../src/protocol/request-view.js';
import { formatTime } from '../../src/protocol/time.js';
import { ManualClock } from '../client/manual-clock.js';

function setUp(terminal: Pick<ProgressOutput, 'isTTY' | 'columns'>) {
  const clock = new ManualClock();
  let written = '';
  const output = {
    ...terminal,
    write: (text: string) => {
      written += text;
    },
  };
  const progress = new Progress(output, clock);
  return {
    clock,
    progress,
    /** What was written since this was asked last. */
    written: () => {
      const text = written;
      written = '';
      return text;
    },
    pending: (missing: string[], approvers: string[] = []): SubmitReply =>
      decodeReply(submitReply, {
        id: '01J00000000000000000000000',
        digest: `sha256:${'1'.repeat(64)}`,
        watch: null,
        status: {
          state: 'pending',
          claimBy: null,
          waiting: 1,
          votes: approvers.map((approver) => ({
            approver,
            verdict: 'approve',
            decided: formatTime(clock.now()),
            notAfter: formatTime(clock.now()),
            comment: '',
            receipt: '',
          })),
          missing,
          redeemedAt: null,
          report: null,
          endedAt: null,
          endedBy: null,
        },
        answerBy: formatTime(clock.now() + 65_000),
        receipts: [],
      }),
  };
}

describe('progress at a terminal', () => {
  test('is one line, redrawn each ten seconds, each second in the last minute, and taken away', async () => {
    const { progress, clock, written, pending } = setUp({ isTTY: true, columns: 120 });
    progress.show(pending(['one approval'], ['bob', 'carol']));
    expect(written()).toBe(
      '\r\u001b[Kcountersign: waiting, 1m 5s to answer, Ctrl-C stops; approved by bob, carol; missing: one approval',
    );
    await clock.pass(9_000);
    expect(written()).toBe('');
    await clock.pass(1_000);
    expect(written()).toContain(' 55s to answer');
    await clock.pass(2_000);
    expect(written().match(/\d+s to answer/g)).toEqual(['54s to answer', '53s to answer']);
    progress.end();
    expect(written()).toBe('\r\u001b[K');
    await clock.pass(60_000);
    expect(written()).toBe('');
  });

  test('never runs over the line, and shows no control character of the broker (A52)', () => {
    const { progress, written, pending } = setUp({ isTTY: true, columns: 80 });
    progress.show(pending(['\u001b[2J\r\n\u202e漢字'.repeat(20)]));
    const text = written().slice('\r\u001b[K'.length);
    expect(text).toHaveLength(79);
    expect(text).toMatch(/^[\x20-\x7e]+…$/);
  });
});

describe('progress elsewhere', () => {
  test('is a line for each change, and none for the passing of time', async () => {
    const { progress, clock, written, pending } = setUp({});
    progress.show(pending([]));
    expect(written()).toBe('countersign: waiting\n');
    progress.show(pending([]));
    await clock.pass(70_000);
    expect(written()).toBe('');
    progress.show(pending(['one more'], ['bob']));
    expect(written()).toBe('countersign: waiting; approved by bob; missing: one more\n');
    progress.end();
    expect(written()).toBe('');
  });
});
