import { describe, expect, test } from 'vitest';
import { label } from '../../../components/text/safe-text.js';
import type { Name } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const stale = { state: 'stale', since: NOW, retryAt: null, reason: 'no message for 5 s' } as const;
const live = { state: 'live' } as const;
const votes = [sampleVote({ approver: 'bob' as Name, verdict: 'approve' })];
const approved = (n: number) =>
  sampleRequest({ n, state: 'approved', claimBy: NOW + 60_000, votes, document: { resource: `web-${n}` } });
const opened: Partial<RequestView> = {
  state: 'redeemed',
  report: { outcome: 'opened', code: null, at: NOW },
};
const refused: Partial<RequestView> = {
  state: 'redeemed',
  report: { outcome: 'refused', code: 'bad-signature', at: NOW },
};

describe('what became of an own approval while the console was disconnected', () => {
  test('is said once the picture is live again, and once only (A50)', () => {
    const driver = new ConsoleDriver([approved(1)]).setLink(stale).change(sampleId(1), opened);
    expect(driver.noticeText).toBe('');
    driver.setLink(live);
    expect(driver.noticeText).toBe(
      'Meanwhile: ✓ ssh.login on web-1 for alice: the door opened, as you approved',
    );
    driver.press('j').setLink(stale).setLink(live);
    expect(driver.noticeText).toBe('');
  });

  test('is said of the gravest where there are several, with their number', () => {
    const driver = new ConsoleDriver([1, 2, 3].map(approved)).setLink(stale);
    driver.change(sampleId(1), opened).change(sampleId(2), refused).change(sampleId(3), opened).setLink(live);
    expect(driver.noticeText).toBe(
      'Meanwhile: ✗ ssh.login on web-2 for alice: the door refused (bad-signature), and 2 more of yours have ended',
    );
  });

  test('is also said where it was never used, or counts no more', () => {
    const lapsed = new ConsoleDriver([approved(1)]).setLink(stale).change(sampleId(1), { state: 'lapsed' });
    expect(lapsed.setLink(live).noticeText).toContain('your approval was never used');
    const dropped = { state: 'revoked', endedBy: 'revoked by carol' } as const;
    const taken = new ConsoleDriver([approved(1)]).setLink(stale).change(sampleId(1), dropped).setLink(live);
    expect(taken.noticeText).toContain('does not count any more: revoked by carol');
  });

  test('that one of them was a canary comes first (A33)', () => {
    const driver = new ConsoleDriver([1, 2].map(approved)).setLink(stale);
    driver.change(sampleId(1), refused).change(sampleId(2), { state: 'cancelled', canary: NOW });
    expect(driver.setLink(live).noticeText).toContain('What you approved was a canary');
    expect(driver.press('j').setLink(stale).setLink(live).noticeText).toBe('');
  });

  test('nothing is said of what others approved, of what was known before, nor at the first picture', () => {
    const others = { ...approved(1), votes: [sampleVote({ approver: 'carol' as Name, verdict: 'approve' })] };
    const known = { ...approved(2), ...opened };
    const driver = new ConsoleDriver([others, known])
      .setLink(stale)
      .change(sampleId(1), opened)
      .setLink(live);
    expect(driver.noticeText).toBe('');
  });

  test('an approval whose answer was lost is said to have opened the door, where it did', () => {
    const failure = { message: label`no answer came`, hint: label`look` };
    const driver = new ConsoleDriver([sampleRequest()]).press('enter', 'a', 'tab', 'enter').setLink(stale);
    driver.finish({ type: 'failed', of: 'unanswered', ...failure });
    driver.change(sampleId(1), { ...opened, votes }).setLink(live);
    expect(driver.noticeText).toContain('the door opened, as you approved');
  });
});
