import { describe, expect, test } from 'vitest';
import type { Asker } from '../../src/client/ask.js';
import type { Clock } from '../../src/client/clock.js';
import { redeemPatiently } from '../../src/client/patient-redeem.js';
import type { StandingAsk, StandingAsks } from '../../src/client/standing-asks.js';
import { type SubmitReply, submitReply } from '../../src/protocol/messages.js';
import { Problem } from '../../src/protocol/problems.js';
import { serve } from './small-server.js';

/** A clock that moves by itself to whatever is waited for. */
function leapingClock(): Clock & { pass(ms: number): void } {
  let now = Date.parse('2026-01-31T12:00:00Z');
  return {
    now: () => now,
    after(ms, action) {
      now += ms;
      queueMicrotask(action);
      return () => {};
    },
    pass(ms) {
      now += ms;
    },
  };
}

const pending = { status: { state: 'pending' } } as SubmitReply;
const approved = { status: { state: 'redeemed' } } as SubmitReply;

/** Waits for an answer that comes after `minutes`, behind a proxy that cuts off calls after `cut` seconds. */
async function behindProxy({ cut, minutes }: { readonly cut: number; readonly minutes: number }) {
  const clock = leapingClock();
  const answerAt = clock.now() + minutes * 60_000;
  const calls: number[] = [];
  let lost = 0;
  const asker: Pick<Asker, 'redeem'> = {
    async redeem(_ask, given) {
      const seconds = Math.min(given, 60);
      calls.push(seconds);
      if (seconds > cut) {
        clock.pass(cut * 1000);
        throw new Problem('broker-unreachable', 'a gateway answers with HTTP 504');
      }
      clock.pass(seconds * 1000);
      return clock.now() >= answerAt ? approved : pending;
    },
  };
  const reply = await redeemPatiently({} as StandingAsk, {
    asker: asker as Asker,
    asks: {} as StandingAsks,
    clock,
    patience: 3_600_000,
    onLost: () => {
      lost += 1;
    },
    signal: new AbortController().signal,
  });
  return { reply, calls, lost };
}

describe('a wait behind a proxy', () => {
  test.each([2, 10, 30, 59])('that cuts off after %i s outlives it, in calls that fit', async (cut) => {
    const { reply, calls, lost } = await behindProxy({ cut, minutes: 10 });
    expect([reply, lost]).toEqual([approved, 1]);
    expect(calls.filter((seconds) => seconds > cut)).toHaveLength(1);
  });

  test('with room for the longest call is not cut into pieces', async () => {
    const { calls, lost } = await behindProxy({ cut: 60, minutes: 10 });
    expect([lost, calls.length]).toEqual([0, 10]);
  });

  test.each([502, 503, 504])('that answers with HTTP %i for a broker is tried again', async (status) => {
    const { client } = await serve((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html' }).end('<html>gateway</html>');
    });
    await expect(client.call(submitReply, { method: 'GET', path: '/v1/requests' })).rejects.toMatchObject({
      code: 'broker-unreachable',
      message: expect.stringContaining(`HTTP ${status}`),
    });
  });
});
