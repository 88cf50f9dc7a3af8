import { describe, expect, test } from 'vitest';
import { bannerLines } from '../../../components/screen/banner-lines.js';
import { label } from '../../../components/text/safe-text.js';
import type { Name } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const stale = { state: 'stale', since: NOW, retryAt: null, reason: 'no message for 5 s' } as const;
const unanswered = {
  type: 'failed',
  of: 'unanswered',
  message: label`no answer came`,
  hint: label`look`,
} as const;

const banners = ({ state }: ConsoleDriver): string =>
  bannerLines(state)
    .map((line) => line.map(({ text }) => text).join(''))
    .join('')
    .replaceAll(/\s+/g, ' ');

/** A decision was signed and sent; then nothing came from the broker any more. */
const sent = (key: 'a' | 'd' = 'a'): ConsoleDriver =>
  new ConsoleDriver([sampleRequest()]).press('enter', key, 'tab', 'enter').setLink(stale).finish(unanswered);
const voted = (verdict: 'approve' | 'deny') => ({
  votes: [sampleVote({ approver: 'bob' as Name, verdict })],
});

describe('a decision that was sent and not answered (A50)', () => {
  test('cannot be cancelled any more, and stands on the screen', () => {
    const driver = sent();
    expect(driver.decisions).toHaveLength(1);
    expect(driver.state.confirm).toBeNull();
    const words =
      'No answer came to your approval of ssh.login on web-1.example.com: it was signed and sent, and may count.';
    expect(banners(driver)).toContain(words);
    expect(banners(driver.press('escape', 'j'))).toContain(words);
  });

  test('is said to count once the broker shows it', () => {
    const driver = sent('d').setLink({ state: 'live' });
    expect(banners(driver)).toContain('No answer came to your denial');
    driver.change(sampleId(1), { ...voted('deny'), state: 'denied', endedBy: 'denied by bob' });
    expect(banners(driver)).not.toContain('No answer');
    expect(driver.noticeText).toBe(
      'Your denial of ssh.login on web-1.example.com did arrive, and is recorded.',
    );
  });

  test('is not taken for another one of the same person', () => {
    const driver = sent('a').setLink({ state: 'live' }).change(sampleId(1), voted('deny'));
    expect(banners(driver)).toContain('No answer came to your approval');
  });

  test('is said not to count once the broker would take it no more, and not while the picture is old', () => {
    const driver = sent().wait(61_000);
    expect(banners(driver)).toContain('No answer came');
    driver.setLink({ state: 'live' });
    expect(banners(driver)).not.toContain('No answer');
    expect(driver.noticeText).toBe(
      'Your approval of ssh.login on web-1.example.com did not arrive, and does not count.',
    );
    const soon = sent().setLink({ state: 'live' }).wait(50_000);
    expect(banners(soon)).toContain('No answer came');
    expect(soon.wait(11_000).noticeText).toContain('did not arrive');
  });

  test('of a request that is listed no more is not judged', () => {
    const driver = sent().setLink({ state: 'live' }).remove(sampleId(1));
    expect(driver.noticeText).toContain('stands in the history');
  });

  test('does not keep anybody from deciding again', () => {
    const driver = sent().setLink({ state: 'live' }).press('d', 'tab', 'enter');
    expect(driver.decisions).toHaveLength(2);
    expect(banners(driver.setLink(stale).finish(unanswered))).toContain(
      'No answer came to your approval of ssh.login on web-1.example.com and 1 more:',
    );
  });
});
