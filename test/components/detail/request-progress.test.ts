import { expect, test } from 'vitest';
import { requestProgress } from '../../../components/detail/request-progress.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { NOW, sampleRequest, sampleVote } from '../sample-requests.js';

const shown = (given: Partial<RequestView>, isRecord = false): string =>
  requestProgress({ ...sampleRequest(), votes: [sampleVote()], ...given }, [], {
    columns: 100,
    style: { zone: 'UTC', now: NOW },
    isRecord,
  })
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');

test('R is named in a request where it ends something, and only there (A27)', () => {
  const live: readonly Partial<RequestView>[] = [
    { state: 'approved', claimBy: NOW + 60_000 },
    { state: 'redeemed', redeemedAt: NOW, watchedAt: NOW },
  ];
  for (const given of live) {
    expect(shown(given)).toMatch(/What it covers {2}and what R would end(.|\n)*revoking/);
    expect(shown(given, true)).not.toMatch(/\bR\b|revoking/);
  }
  const over = shown({ state: 'redeemed', redeemedAt: NOW });
  expect(over).toContain('What it covered');
  expect(over).not.toMatch(/\bR\b|revoking/);
});
