import type { HistoryPage, HistoryQuery } from '../../src/client/history.js';
import type { Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { NOW, opened, sampleRequest, sampleVote } from './sample-requests.js';

const MINUTE = 60;

/** So many requests that have ended, the newest first: of every five one is denied and one expired. */
export function pastRequests(count: number): readonly RequestView[] {
  return Array.from({ length: count }, (_, index) => {
    const age = (index + 10) * 17 * MINUTE;
    const submittedAt = NOW - age * 1000;
    const outcomes: readonly Partial<RequestView>[] = [
      { ...opened, votes: [sampleVote({ decided: submittedAt + 60_000 })] },
      { ...opened, report: null },
      { ...opened, report: { outcome: 'refused', code: 'user-unknown', at: submittedAt + 90_000 } },
      { state: 'denied', votes: [sampleVote({ verdict: 'deny', approver: 'bob' as Name })] },
      { state: 'expired' },
    ];
    return sampleRequest({
      n: 100_000 - index,
      age,
      missing: [],
      endedAt: submittedAt + 240_000,
      document: {
        action: index % 3 === 0 ? 'ci.deploy' : 'ssh.login',
        requester: ['alice', 'dave', 'erin', 'frank'][index % 4] ?? 'alice',
        resource: `web-${index + 1}.example.com`,
        context: { reason: `INC-${5000 - index} look at the logs of nginx` },
      },
      ...outcomes[index % outcomes.length],
    });
  });
}

/** Answers as a broker would, by pages of so many. */
export function answering(requests: readonly RequestView[], size = 50) {
  return ({ cursor }: HistoryQuery): Promise<HistoryPage> => {
    const from = cursor === null ? 0 : Number(cursor);
    const page = requests.slice(from, from + size);
    const isEnd = from + size >= requests.length;
    return Promise.resolve({
      requests: page,
      next: isEnd ? null : String(from + size),
      searchedTo: isEnd ? null : (page.at(-1)?.submittedAt ?? null),
    });
  };
}
