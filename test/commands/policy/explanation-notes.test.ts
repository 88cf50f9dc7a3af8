import { expect, test } from 'vitest';
import { UNNAMED } from '../../../src/commands/policy/ask.js';
import { notesOn } from '../../../src/commands/policy/explanation-notes.js';
import { name } from '../../broker/requests/world.js';

const told = new Map([
  ['good', { members: [name('bob')], failing: null }],
  ['late', { members: [name('bob')], failing: 'exit status 1: no answer' }],
  ['lost', { members: [], failing: 'exit status 1: no answer' }],
]);
const notes = (groups: readonly string[], submitter = UNNAMED, isEnrolled = false, refused: string[] = []) =>
  notesOn({ told, refused }, groups, { submitter }, isEnrolled);

test('an explanation says which groups are not known, and which no longer are', () => {
  expect(notes(['good', 'late', 'lost', 'unasked'])).toEqual([
    'the command of late fails, what it said before still counts: exit status 1: no answer',
    'the command of lost fails, so nobody is in it: exit status 1: no answer',
    'who is in unasked is for its command to say: --group unasked=NAME,NAME',
  ]);
});

test('an explanation says that a submitter is unknown, or that the file is refused by now', () => {
  expect(notes([], 'web-1')).toEqual(['no submitter web-1 is enrolled']);
  expect(notes([], 'web-1', true)).toEqual([]);
  expect(notes([], UNNAMED, false, ['policy.yaml:3:1: x'])).toEqual([
    'the file holds another policy by now, which is refused: policy.yaml:3:1: x',
  ]);
});
