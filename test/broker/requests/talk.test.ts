import { beforeEach, describe, expect, test } from 'vitest';
import { commented, escalated } from '../../../broker/requests/talk-steps.js';
import { talkedOnWire, viewOnWire } from '../../../broker/requests/view.js';
import {
  ESCALATION_PAUSE,
  isCommentText,
  MAX_COMMENTS,
  MAX_COMMENTS_OF_ONE,
  MAX_ESCALATIONS,
} from '../../../src/protocol/talk.js';
import { codeOf, rejectionCode } from '../../ssh/problem.js';
import { bind, claim, keys, name, ruled, World } from './world.js';

const bob = name('bob');
const carol = name('carol');

let world: World;
beforeEach(() => {
  world = new World(ruled({}));
});
const ask = async () => (await world.submit(bind())).request;

describe('a comment', () => {
  test('stands with its words and its author in the request and in the log, and changes nothing else', async () => {
    const request = await ask();
    const step = commented(request, bob, 'I am calling her', world.now);
    expect(step).toEqual({
      request: { ...request, comments: [{ by: 'bob', at: world.now, text: 'I am calling her' }] },
      events: [
        {
          kind: 'request.commented',
          at: world.now,
          body: { id: request.id, digest: request.digest, approver: 'bob', text: 'I am calling her' },
        },
      ],
    });
  });

  test('that is sent again because its reply was lost is one, and may be said again after another one', async () => {
    const request = await ask();
    const say = (who: typeof bob, text: string) => world.requests.comment(request.id, who, text);
    await say(bob, 'wait');
    await say(bob, 'wait');
    await say(carol, 'wait');
    const { comments } = await say(bob, 'wait');
    expect(comments.map(({ by }) => by)).toEqual(['bob', 'carol', 'bob']);
  });

  test(`is one of at most ${MAX_COMMENTS}, then a clear no`, async () => {
    let request = await ask();
    const say = (by: string, text: string) =>
      commented(request, name(by), text, world.now)?.request ?? request;
    for (let count = 0; count < MAX_COMMENTS; count += 1) request = say(`approver-${count % 4}`, `${count}`);
    expect(request.comments).toHaveLength(MAX_COMMENTS);
    expect(codeOf(() => say('bob', 'one more'))).toBe('too-many-comments');
  });

  test(`is one of at most ${MAX_COMMENTS_OF_ONE} of one approver, who leaves room for the others`, async () => {
    const request = await ask();
    for (let count = 0; count < MAX_COMMENTS_OF_ONE; count += 1) {
      await world.requests.comment(request.id, bob, `number ${count}`);
    }
    await expect(world.requests.comment(request.id, bob, 'one more')).rejects.toMatchObject({
      code: 'too-many-comments',
      message: 'one approver says at most 8 things about a request, and bob has said them',
    });
    expect((await world.requests.comment(request.id, carol, 'my turn')).comments).toHaveLength(9);
  });

  test('is said while the request lives, approved or not, and no more when it has ended', async () => {
    const request = await ask();
    await world.requests.decide(request.id, world.decision(request));
    await world.requests.comment(request.id, carol, 'approved by bob, fine with me');
    await world.requests.redeem(request.id, claim('a'), { seconds: 0, hangUp: new AbortController().signal });
    expect(await rejectionCode(world.requests.comment(request.id, carol, 'late'))).toBe('request-ended');
  });

  test('comes from nobody who has left the roster in the same commit', async () => {
    const request = await ask();
    expect(await rejectionCode(world.requests.comment(request.id, name('erin'), 'x'))).toBe(
      'unauthenticated',
    );
  });

  test.each([
    ['', false],
    [' \n\t', false],
    ['a', true],
    ['é'.repeat(512), true],
    [`${'é'.repeat(512)}a`, false],
  ])('is 1 to 1,024 bytes of text: %j', (text, isGood) => {
    expect(isCommentText(text)).toBe(isGood);
  });
});

describe('an escalation', () => {
  test('is written down, once a minute for a request whoever asks for it (A31)', async () => {
    const request = await ask();
    const { request: rung, events } = escalated(request, bob, world.now);
    expect(rung).toEqual({ ...request, escalated: { by: 'bob', at: world.now } });
    expect(events).toMatchObject([{ kind: 'request.escalated', body: { approver: 'bob' } }]);
    const again = (seconds: number) => codeOf(() => escalated(rung, carol, world.now + seconds * 1000));
    expect(again(0)).toBe('escalated-lately');
    expect(again(ESCALATION_PAUSE - 1)).toBe('escalated-lately');
    expect(again(ESCALATION_PAUSE)).toBe(null);
    expect(again(-3600), 'the clock was set back').toBe(null);
  });

  test('is for a few requests a minute by one approver, however many are pending (A31)', async () => {
    const asked = await Promise.all(
      Array.from({ length: MAX_ESCALATIONS + 1 }, (_, n) => world.submit(bind({ nonce: `${n}`.repeat(32) }))),
    );
    const ids = asked.map(({ request }) => request.id);
    const [last = ids[0]] = ids.slice(-1);
    const codes = await Promise.all(ids.map((id) => rejectionCode(world.requests.escalate(id, bob))));
    expect(codes.filter((code) => code === 'escalated-lately')).toHaveLength(1);
    if (last === undefined) throw new Error('nothing was asked');
    expect((await world.requests.escalate(last, carol)).escalated?.by).toBe('carol');
    await world.pass(ESCALATION_PAUSE);
    expect((await world.requests.escalate(last, bob)).escalated?.by).toBe('bob');
  });

  test('says after how many seconds it can be had again', async () => {
    const { request } = escalated(await ask(), bob, world.now);
    expect(() => escalated(request, carol, world.now + 20_500)).toThrow(
      expect.objectContaining({ code: 'escalated-lately', retryAfter: 40 }),
    );
  });

  test('is for pending requests alone', async () => {
    const request = await ask();
    await world.requests.decide(request.id, world.decision(request));
    expect(await rejectionCode(world.requests.escalate(request.id, carol))).toBe('request-ended');
  });

  test('is not for who asked, under whatever name: nobody rings others until one gives in (A8, A31)', async () => {
    const { request } = await world.submit(bind({ requester: 'bob-admin' }));
    expect(await rejectionCode(world.requests.escalate(request.id, bob))).toBe('forbidden');
    expect((await world.requests.escalate(request.id, carol)).escalated?.by).toBe('carol');
  });
});

test('what was said costs nothing on the wire where nothing was, and no row of the store', async () => {
  const request = await ask();
  expect(Object.keys(viewOnWire(request, null))).not.toContain('comments');
  expect(Object.keys(talkedOnWire(request))).not.toContain('escalated');
  const talked = await world.requests.comment(request.id, bob, 'x');
  expect(talkedOnWire(talked).comments).toEqual([{ by: 'bob', at: '2026-01-31T12:00:00Z', text: 'x' }]);
});

test('votes and the state of a request know nothing of what was said about it', async () => {
  const request = await ask();
  await world.requests.comment(request.id, bob, 'yes, approved');
  await world.requests.escalate(request.id, carol);
  const { comments, escalated: rung, ...standing } = await world.read(request.id);
  expect({ ...standing, comments: [], escalated: null }).toEqual(request);
  expect([comments.length, rung?.by]).toEqual([1, 'carol']);
  const decided = await world.requests.decide(request.id, world.decision(request, {}, keys.bob));
  expect(decided.state).toBe('approved');
});
