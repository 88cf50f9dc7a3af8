import { expect, test } from 'vitest';
import type { Name } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const decided = (verdict: 'approve' | 'deny', who = 'bob') =>
  new ConsoleDriver([
    sampleRequest({ n: 1, state: 'denied', votes: [sampleVote({ approver: who as Name, verdict })] }),
    sampleRequest({ n: 2 }),
  ]);
const reveal = (driver: ConsoleDriver) => driver.change(sampleId(1), { canary: NOW });

test('who decided on a canary is told once it is revealed, and only he (A33)', () => {
  expect(reveal(decided('deny')).noticeText).toContain('You caught it');
  expect(reveal(decided('approve')).noticeText).toContain('Nothing was opened');
  expect(reveal(decided('deny', 'carol')).noticeText).toBe('');
});

test('what was told before is not told again', () => {
  const driver = reveal(decided('approve')).press('j');
  expect(driver.change(sampleId(2), { waiting: 0 }).noticeText).toBe('');
});
