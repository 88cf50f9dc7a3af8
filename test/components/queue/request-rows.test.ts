import { describe, expect, test } from 'vitest';
import { groupRequests } from '../../../components/queue/request-groups.js';
import { requestRows, shownRequest } from '../../../components/queue/request-rows.js';
import type { Name } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { NOW, opened, sampleId, sampleRequest } from '../sample-requests.js';

const rowsOf = (...requests: readonly RequestView[]) =>
  requestRows(groupRequests(new Map(requests.map((request) => [request.id, request]))));
const ids = (...requests: readonly RequestView[]) =>
  rowsOf(...requests).rows.map(({ request }) => request.id);
const other = (n: number) => ({ resource: `web-${n}.example.com` });

describe('the rows of the queue', () => {
  test('stand oldest first while they are pending, then the last changed first', () => {
    const young = sampleRequest({ n: 1, age: 10, document: other(1) });
    const old = sampleRequest({ n: 2, age: 200, document: other(2) });
    const longEnded = sampleRequest({
      n: 3,
      age: 900,
      document: other(3),
      ...opened,
      endedAt: NOW - 600_000,
      redeemedAt: NOW - 600_000,
      report: null,
    });
    const justEnded = sampleRequest({
      n: 4,
      age: 950,
      document: other(4),
      state: 'denied',
      endedAt: NOW - 1000,
    });
    expect(ids(young, longEnded, old, justEnded)).toEqual([old.id, young.id, justEnded.id, longEnded.id]);
  });

  test('collapse where the scope is equal, and count (A31)', () => {
    const asks = [5, 4, 3].map((n) => sampleRequest({ n, age: n * 10 }));
    const { rows, pending } = rowsOf(...asks, sampleRequest({ n: 9, document: other(9) }));
    expect(rows.map(({ members }) => members.length)).toEqual([1, 3]);
    expect(pending).toBe(4);
  });

  test('keep what others ask within reach of the first rows, whatever one submitter floods (A32)', () => {
    const flood = Array.from({ length: 150 }, (_, n) =>
      sampleRequest({ n: n + 10, age: 280 - n, submitter: 'ci-1' as Name, document: other(n) }),
    );
    const [late, later] = [2, 1].map((n) =>
      sampleRequest({ n, age: n, document: { resource: `db-${n}.example.com` } }),
    );
    const ordered = ids(...flood, late!, later!);
    const flooded = flood.map(({ id }) => id);
    expect(ordered).toEqual([...flooded.slice(0, 5), late!.id, later!.id, ...flooded.slice(5)]);
    // Alone it stands oldest first, as ever.
    expect(ids(...flood)).toEqual(flooded);
  });

  test('show the oldest of equal asks that somebody waits for', () => {
    const left = sampleRequest({ n: 1, age: 90, waiting: 0 });
    const waits = sampleRequest({ n: 2, age: 60 });
    expect(ids(left, waits, sampleRequest({ n: 3, age: 30 }))).toEqual([waits.id]);
  });

  test('never show another request of the row than the selected one', () => {
    const [row] = rowsOf(sampleRequest({ n: 1, age: 90 }), sampleRequest({ n: 2, age: 60 })).rows;
    expect(shownRequest(row!, sampleId(2)).id).toBe(sampleId(2));
    expect(shownRequest(row!, null).id).toBe(sampleId(1));
    expect(shownRequest(row!, sampleId(7)).id).toBe(sampleId(1));
  });

  test('keep apart what ended differently, and everything that can still open', () => {
    const ended = { endedAt: NOW };
    const rows = ids(
      sampleRequest({ n: 1, state: 'denied', ...ended }),
      sampleRequest({ n: 2, state: 'denied', ...ended }),
      sampleRequest({ n: 3, ...opened }),
      sampleRequest({ n: 4, state: 'redeemed', ...ended }),
      sampleRequest({ n: 5, state: 'approved' }),
      sampleRequest({ n: 6, state: 'approved' }),
    );
    expect(rows).toHaveLength(5);
  });

  test('find the row of any member', () => {
    const { indexOf } = rowsOf(
      sampleRequest({ n: 1 }),
      sampleRequest({ n: 2 }),
      sampleRequest({ n: 3, age: 10, document: other(3) }),
    );
    expect([sampleId(1), sampleId(2), sampleId(3)].map((id) => indexOf.get(id))).toEqual([0, 0, 1]);
  });
});
