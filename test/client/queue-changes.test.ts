import { expect, test } from 'vitest';
import { changedAt, queueChanges } from '../../src/client/queue-changes.js';
import { changeLine } from '../../src/commands/list-watch.js';
import type { Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../components/sample-requests.js';

const picture = (...requests: readonly RequestView[]) =>
  new Map(requests.map((request) => [request.id, request]));
const first = sampleRequest({ n: 1, age: 100 });
const second = sampleRequest({ n: 2, age: 90 });

test('a picture after nothing is all of it, the oldest change first', () => {
  expect(queueChanges(new Map(), picture(second, first))).toEqual([first, second]);
});

test('a request that came, a signature, an end and a report are changes, each once', () => {
  const before = picture(first, second);
  const signed = { ...first, votes: [sampleVote()] };
  const denied: RequestView = { ...second, state: 'denied', endedAt: NOW };
  const third = sampleRequest({ n: 3, age: 1 });
  expect(queueChanges(before, picture(signed, second))).toEqual([signed]);
  expect(queueChanges(before, picture(first, denied, third)).map(({ id }) => id)).toEqual([
    sampleId(3),
    sampleId(2),
  ]);
  const opened: RequestView = { ...first, report: { outcome: 'opened', code: null, at: NOW } };
  expect(queueChanges(before, picture(opened, second))).toEqual([opened]);
  expect(changedAt(opened)).toBe(NOW);
  expect(queueChanges(picture(opened), picture(opened))).toEqual([]);
});

test('that what was denied was a canary is a change of its own (A33)', () => {
  const denied: RequestView = { ...first, state: 'denied', endedAt: NOW };
  const revealed = { ...denied, canary: NOW + 5_000 };
  expect(queueChanges(picture(denied), picture(revealed))).toEqual([revealed]);
  expect(changedAt(revealed)).toBe(NOW + 5_000);
  expect(changeLine(revealed, 'UTC')).toMatch(/^\S+ {2}canary {2}/);
});

test('a line of a comment or a ring says so, beside the state and before all that a requester wrote', () => {
  const comment = { by: 'carol' as Name, at: NOW, text: 'I am calling her\u001b[2J' };
  const said = { ...first, comments: [comment] };
  const line = changeLine(said, 'UTC', first);
  expect(line).toMatch(/^\S+ {2}pending \(comment by carol: I am calling her⟨ESC⟩\[2J\) {2}01/);
  expect(line).not.toBe(changeLine(first, 'UTC'));
  expect(changeLine(said, 'UTC', said)).not.toContain('comment');
  const rung = { ...said, escalated: { by: 'dave' as Name, at: NOW } };
  expect(changeLine(rung, 'UTC', first)).toMatch(/; all rung by dave\) {2}01/);
  expect(changeLine({ ...rung, state: 'denied' }, 'UTC', rung)).toMatch(/^\S+ {2}denied {2}01/);
});

test('who waits or is rung, and what is dropped from the picture, is no change', () => {
  const before = picture(first, second);
  expect(queueChanges(before, picture({ ...first, waiting: 7 }, { ...second, ring: [] }))).toEqual([]);
  expect(queueChanges(before, picture(first))).toEqual([]);
  expect(queueChanges(before, before)).toEqual([]);
});
