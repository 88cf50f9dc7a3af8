import type { GrantsReply } from '../../../src/protocol/grant-messages.js';
import type { Name } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { NOW, opened, type Sample, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const HOUR = 3_600_000;

/** A grant of carol in use, for an hour and ten times, unless told otherwise. */
export const sampleGrant = ({ n = 50, ...given }: Sample = {}): RequestView =>
  sampleRequest({
    n,
    age: 1800,
    state: 'active',
    missing: [],
    claimBy: NOW - HOUR / 2,
    redeemedAt: NOW - HOUR / 2 - 5000,
    uses: 2,
    votes: [sampleVote({ covers: 'scope', duration: 3600, uses: 10, decided: NOW - HOUR / 2 - 20_000 })],
    ...given,
  });

/** What was opened twelve minutes ago, and is watched. */
export const sampleWatched = ({ n = 20, ...given }: Sample = {}): RequestView =>
  sampleRequest({
    n,
    age: 780,
    ...opened,
    redeemedAt: NOW - 720_000,
    endedAt: NOW - 720_000,
    watchedAt: NOW - 719_000,
    report: { outcome: 'opened', code: 'watched', at: NOW - 719_000 },
    votes: [sampleVote({ decided: NOW - 740_000 })],
    ...given,
  });

/** Three grants: one nearly over, one without a number of uses by two people, one that nobody has used. */
export const grants: readonly RequestView[] = [
  sampleGrant({ n: 53, redeemedAt: NOW - HOUR + 42_000, uses: 9 }),
  sampleGrant({
    n: 52,
    uses: 31,
    votes: ['bob', 'dave'].map((approver) =>
      sampleVote({
        approver: approver as Name,
        covers: 'scope',
        duration: 8 * 3600,
        uses: 0,
        decided: NOW - HOUR,
      }),
    ),
    document: {
      action: 'command.run',
      requester: 'deploy',
      resource: 'orders-database.prod.example.com',
      door: 'run:laptop',
      details: {
        argv: ['/usr/bin/psql', '-f', '/srv/migrations/0042-orders.sql'],
        cwd: '/srv',
        user: 'deploy',
      },
      context: { reason: 'CHG-118 migration window' },
    },
  }),
  sampleGrant({ n: 51, state: 'approved', redeemedAt: null, uses: 0, claimBy: NOW + 190_000 }),
];

/** What a broker tells beside them: the last use of one, and a session that is in no picture of the queue. */
export const told: GrantsReply = {
  uses: [{ id: sampleId(52), at: NOW - 180_000 }],
  watched: [
    sampleWatched({
      n: 20,
      document: { requester: 'erin', resource: 'web-2.example.com', door: 'host:web-2.example.com' },
    }),
  ],
  more: 0,
};
