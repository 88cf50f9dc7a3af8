import { describe, expect, test } from 'vitest';
import { readEvents } from '../../src/client/event-pages.js';
import { appendEntry, GENESIS, type LogEntry } from '../../src/protocol/event-log.js';
import type { BearerToken, RequestId } from '../../src/protocol/names.js';
import { answering, serve } from './small-server.js';

const asked = '01KB2X6C9V4T7M3N8QZ5R0EWHD' as RequestId;
const other = '01KB2X6C9V4T7M3N8QZ5R0EWHE' as RequestId;

/** Two entries, one of each request. */
const first = appendEntry(GENESIS, { at: 1, kind: 'request.submitted', request: asked, body: '{}' });
const second = appendEntry(first, { at: 2, kind: 'request.submitted', request: other, body: '{}' });

async function read(events: readonly LogEntry[], request: RequestId | null): Promise<readonly number[]> {
  const { client } = await serve(answering({ events, next: null }));
  const access = { client, token: 'token' as BearerToken };
  const read: number[] = [];
  for await (const { seq } of readEvents(access, { request })) read.push(seq);
  return read;
}

describe('the log, read page by page', () => {
  test('gives what was asked for', async () => {
    expect(await read([first, second], null)).toEqual([1, 2]);
    expect(await read([first], asked)).toEqual([1]);
  });

  test('takes no entry of another request, however well that holds, and none twice', async () => {
    await expect(read([first, second], asked)).rejects.toMatchObject({ code: 'broker-reply' });
    await expect(read([second, first], null)).rejects.toMatchObject({ code: 'broker-reply' });
    await expect(read([first, first], null)).rejects.toMatchObject({ code: 'broker-reply' });
  });
});
