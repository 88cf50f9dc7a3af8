import { describe, expect, test } from 'vitest';
import type { Link } from '../../../src/client/queue.js';
import type { Name } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, opened, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const own = sampleVote({ approver: 'bob' as Name });
const opening = (given: Partial<RequestView> = {}) => new ConsoleDriver([sampleRequest(given)]);
const change = (driver: ConsoleDriver, given: Partial<RequestView>) =>
  driver.change(sampleId(1), given).noticeText;

describe('in one line the console says', () => {
  test('what is asked newly, while the selected row stays', () => {
    const driver = opening().put(sampleRequest({ n: 2, age: 300, document: { resource: 'db-1' } }));
    expect(driver.noticeText).toBe('New: ssh.login on db-1 for alice');
    expect(driver.state.selected).toBe(sampleId(1));
    driver.put(sampleRequest({ n: 3 }), sampleRequest({ n: 4, document: { resource: 'db-4' } }));
    expect(driver.noticeText).toBe('2 new asks, the last one: ssh.login on db-4 for alice');
  });

  test('nothing of what one asked for oneself, or that nobody waits for', () => {
    const driver = opening().put(
      sampleRequest({ n: 2, document: { requester: 'bob' } }),
      sampleRequest({ n: 3, waiting: 0 }),
    );
    expect(driver.noticeText).toBe('');
  });

  test('who else decided', () => {
    const votes = [sampleVote()];
    expect(change(opening(), { state: 'approved', votes })).toBe(
      'carol approved ssh.login on web-1.example.com for alice',
    );
    expect(change(opening(), { votes })).toBe(
      'carol approved ssh.login on web-1.example.com for alice; it still waits for others',
    );
    const no = { state: 'denied', votes: [sampleVote({ verdict: 'deny' })] } as const;
    expect(change(opening(), no)).toBe('carol denied ssh.login on web-1.example.com for alice');
    expect(change(opening(), { state: 'denied', votes: [{ ...own, verdict: 'deny' }] })).toBe('');
  });

  test.each<[string, Partial<RequestView>, string]>([
    [
      'the door opened',
      opened,
      '✓ ssh.login on web-1.example.com for alice: the door opened, as you approved',
    ],
    [
      'the door refused',
      { state: 'redeemed', report: { outcome: 'refused', code: 'spent', at: NOW } },
      '✗ ssh.login on web-1.example.com for alice: the door refused (spent)',
    ],
    [
      'it was never used',
      { state: 'lapsed', endedAt: NOW },
      '· ssh.login on web-1.example.com for alice: your approval was never used',
    ],
    [
      'somebody took it back',
      { state: 'revoked', endedBy: 'revoked by carol', endedAt: NOW },
      '✗ ssh.login on web-1.example.com for alice: your approval does not count any more: revoked by carol',
    ],
  ])('what became of what one approved: %s (A50)', (_what, given, words) => {
    expect(change(opening({ state: 'approved', votes: [own] }), given)).toBe(words);
  });

  test('that a door opened what is not approved any more, in no good tone (A50)', () => {
    const driver = opening({ state: 'revoked', votes: [own] });
    driver.change(sampleId(1), { report: { outcome: 'opened', code: null, at: NOW } });
    expect(driver.noticeText).toContain(
      '▲ ssh.login on web-1.example.com for alice: opened, though it is revoked',
    );
    expect(driver.state.notice?.map(({ tone }) => tone)).not.toContain('good');
  });

  test('nothing of what the door of others did', () => {
    expect(change(opening({ state: 'approved', votes: [sampleVote()] }), opened)).toBe('');
  });

  test('nothing from a picture that is old, or that an old one turned into (A28)', () => {
    const stale: Link = { state: 'stale', since: NOW, retryAt: null, reason: 'gone' };
    const driver = opening()
      .setLink(stale)
      .put(sampleRequest({ n: 2 }));
    expect(driver.noticeText).toBe('');
    expect(driver.setLink({ state: 'live' }).noticeText).toBe('');
  });
});

test('that an own signature is recorded stays said for a while, whoever asks or decides meanwhile', () => {
  const driver = opening().put(sampleRequest({ n: 2, document: { resource: 'db-1' } }));
  driver.press('enter', 'a', 'tab', 'enter').finish({ type: 'decided' });
  const recorded = 'Your approval is signed and recorded.';
  expect(driver.put(sampleRequest({ n: 3 })).noticeText).toBe(recorded);
  expect(driver.change(sampleId(2), { votes: [sampleVote()] }).noticeText).toBe(recorded);
  driver.wait(3000).put(sampleRequest({ n: 4 }));
  expect(driver.noticeText).toBe('New: ssh.login on web-1.example.com for alice');
});

test('and no longer where our clock was set back meanwhile', () => {
  const driver = opening().put(sampleRequest({ n: 2, document: { resource: 'db-1' } }));
  driver.press('enter', 'a', 'tab', 'enter').finish({ type: 'decided' });
  driver.wait(-3_600_000).put(sampleRequest({ n: 3 }));
  expect(driver.noticeText).toBe('New: ssh.login on web-1.example.com for alice');
});

test('what became of an own yes is said at once, though its signature was recorded just now (A50)', () => {
  const driver = opening();
  driver.press('enter', 'a', 'tab', 'enter').change(sampleId(1), { state: 'approved', votes: [own] });
  driver.finish({ type: 'decided' }).change(sampleId(1), opened);
  expect(driver.noticeText).toContain('the door opened, as you approved');
});

test('how the newest own approval stands is said until its door has reported (A50)', () => {
  const driver = new ConsoleDriver([
    sampleRequest(),
    sampleRequest({ n: 2, document: { resource: 'db-1' } }),
  ]);
  const status = () => driver.statusText;
  driver.press('enter', 'a', 'tab', 'enter').change(sampleId(1), { state: 'approved', votes: [own] });
  driver.finish({ type: 'decided' });
  expect(driver.noticeText).toBe('Your approval is signed and recorded.');
  driver.press('j');
  expect(status()).toBe('○ approved by you, not used yet: ssh.login on web-1.example.com');
  driver.change(sampleId(1), { state: 'redeemed' });
  expect(status()).toBe('○ approved by you, no report yet: ssh.login on web-1.example.com');
  driver.change(sampleId(1), opened);
  expect(driver.noticeText).toContain('the door opened, as you approved');
  expect(driver.press('j').noticeText + status()).toBe('');
});
