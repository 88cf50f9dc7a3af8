import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupRequests, type RequestGroups } from '../../../components/queue/request-groups.js';
import { orderedRows, requestRows } from '../../../components/queue/request-rows.js';
import { PersistentMap } from '../../../src/client/persistent-map.js';
import type { Name, RequestId } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { NOW, opened, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const STATES: readonly Partial<RequestView>[] = [
  {},
  { waiting: 0 },
  { state: 'approved', votes: [sampleVote()] },
  { state: 'active', votes: [sampleVote()] },
  { state: 'denied', endedAt: NOW - 5000 },
  { state: 'denied', endedAt: NOW - 1000 },
  opened,
];
const request = fc
  .record({
    n: fc.integer({ min: 1, max: 12 }),
    resource: fc.constantFrom('web-1', 'web-2'),
    submitter: fc.constantFrom('web-1' as Name, 'ci' as Name),
    state: fc.constantFrom(...STATES),
  })
  .map(({ n, resource, submitter, state }) =>
    sampleRequest({ n, age: 100 - (n % 5), document: { resource }, submitter, ...state }),
  );
const edit = fc.oneof(
  request.map((one) => [one.id, one] as const),
  fc.integer({ min: 1, max: 12 }).map((n) => [sampleId(n), undefined] as const),
);
const noRequests = PersistentMap.of<RequestId, RequestView>([]);

test('groups made of those before are the groups made of the picture alone, whatever came, changed and went', () => {
  fc.assert(
    fc.property(fc.array(fc.array(edit, { maxLength: 80 })), (steps) => {
      let [requests, groups]: [typeof noRequests, RequestGroups | undefined] = [noRequests, undefined];
      for (const step of steps) {
        requests = requests.with(new Map(step));
        groups = groupRequests(requests, groups);
        const anew = groupRequests(requests);
        expect(groups.ordered).toEqual(anew.ordered);
        expect(new Map(groups.byKey)).toEqual(new Map(anew.byKey));
        const rows = requestRows(groups);
        const members = rows.rows.flatMap((row) => row.members);
        expect(new Set(members)).toEqual(new Set(requests.values()));
        expect([rows.pending, rows.active]).toEqual(
          (['pending', 'active'] as const).map(
            (wanted) => members.filter(({ state }) => state === wanted).length,
          ),
        );
      }
    }),
  );
});

test('what has not changed stays the same object, so that nothing is done for it again', () => {
  const [first, second] = [sampleRequest(), sampleRequest({ n: 2, document: { resource: 'db-1' } })];
  const before = groupRequests(new Map([first, second].map((one) => [one.id, one])));
  const after = groupRequests(
    new Map([first, { ...second, waiting: 0 }].map((one) => [one.id, one])),
    before,
  );
  expect(after.ordered[0]).toBe(before.ordered[0]);
  expect(after.ordered[1]).not.toBe(before.ordered[1]);
  expect(groupRequests(after.requests, after)).toBe(after);
});

test('every member of a row is found at its place, and nobody else', () => {
  const requests = [1, 2, 3].map((n) => sampleRequest({ n, document: { resource: n < 3 ? 'web' : 'db' } }));
  const { ordered } = groupRequests(new Map(requests.map((one) => [one.id, one])));
  const { indexOf } = orderedRows(ordered);
  expect([1, 2, 3, 4].map((n) => indexOf.get(sampleId(n)))).toEqual([0, 0, 1, undefined]);
  expect([1, 4, 4].map((n) => indexOf.has(sampleId(n)))).toEqual([true, false, false]);
});
