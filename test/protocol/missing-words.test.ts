import { expect, test } from 'vitest';
import { alternativeWords, missingPeople, missingWords } from '../../src/protocol/missing-words.js';

test.each<[readonly string[], number | null]>([
  [[missingWords(1, [])], 1],
  [[missingWords(12, [])], 12],
  [[missingWords(1, ['oncall']), missingWords(2, ['db', 'leads'])], 3],
  [[missingWords(1, ['oncall']), missingWords(3, [])], 3],
  [['carol may no longer approve', missingWords(2, ['oncall'])], 2],
  [[alternativeWords([[missingWords(1, ['a'])], [missingWords(2, [])]])], null],
  [['deploy must be a person of the roster'], null],
  [[], null],
])('of %j so many people are missing: %s', (missing, people) => {
  expect(missingPeople(missing)).toBe(people);
  expect(missingPeople(missing.map((words) => `${words}: bob, carol or dave`))).toBe(people);
});
