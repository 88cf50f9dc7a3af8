import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRequiredGroups, REQUIREMENT_KEYS, readRequirements } from '../../src/door/requirements.js';
import { parseSettings } from '../../src/door/settings.js';
import { VECTORS } from '../scripts/door-shell.js';
import { codeOf } from '../ssh/problem.js';
import { REQUIREMENTS } from './asks.js';

const FOLDER = `${VECTORS}/door/config`;
const PAM_KEYS = [
  ...REQUIREMENT_KEYS,
  ...['broker', 'ca', 'fingerprint', 'door', 'resource', 'submitter', 'key', 'signers', 'users', 'groups'],
  ...['revoked-keys', 'offline', 'sessions'],
  ...['exempt-group', 'wait', 'sudo-wait', 'mode', 'state', 'duration'],
];
/** The files of the doors in shell that speak of what both read: the form of lines, and these keys. */
const SHARED = new RegExp(
  `^(?:ok-.*|bad-(?:line|crlf|nul|utf8|tab|escape|unknown|no-final|empty-file|repeated|${REQUIREMENT_KEYS.join('|')})(?:-.*)?)\\.conf$`,
);
const VECTOR_FILES = readFileSync(`${FOLDER}/expected.tsv`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t') as [string, string])
  .filter(([file]) => SHARED.test(file));

const read = (text: string) => readRequirements(parseSettings(text, PAM_KEYS, 'run.conf'));

describe('what a door requires', () => {
  test.each(VECTOR_FILES)('%s is %s, as it is for the doors in shell (A11, A65)', (file, verdict) => {
    const text = readFileSync(`${FOLDER}/${file}`, 'latin1');
    expect(codeOf(() => read(text))).toBe(verdict === 'ok' ? null : 'bad-config');
  });

  test('the vectors speak of every key', () => {
    expect(VECTOR_FILES.length).toBeGreaterThan(60);
    for (const key of REQUIREMENT_KEYS)
      expect([key, VECTOR_FILES.some(([file]) => file.startsWith(`bad-${key}`))]).toEqual([key, true]);
  });

  test('has the defaults of pam.conf where nothing is said', () => {
    expect(read('# nothing\n')).toEqual(REQUIREMENTS);
  });

  test('is what is said', () => {
    const alone = 'alone-group=oncall\nalone-after=900\nalone-reason=80\n';
    expect(read(alone).alone).toEqual({ group: 'oncall', after: 900, reason: 80 });
    expect(read('alone-group=oncall\nalone-after=43200\n').alone).toMatchObject({ reason: 40 });
    const text = 'people=2\nrequired-groups=oncall:1,a:b:2\ntouch=yes\nlongest=60\n';
    expect(read(`${text}longest-duration=3600\ngrants=yes\nshared-requester=refuse\n`)).toEqual({
      people: 2,
      groups: [
        { group: 'oncall', count: 1 },
        { group: 'a:b', count: 2 },
      ],
      touch: true,
      longest: 60,
      longestDuration: 3600,
      grants: true,
      number: false,
      sharedRequester: 'refuse',
      alone: null,
    });
  });

  test('is a number for each ask, but not beside grants, where nobody is there to tell it', () => {
    expect(read('number=yes\n').number).toBe(true);
    expect(() => read('number=yes\ngrants=yes\n')).toThrow('number and grants exclude each other');
  });

  test.each([
    ...[
      'oncall',
      'oncall:',
      ':1',
      'oncall:0',
      'oncall:-1',
      'oncall:01',
      'oncall:100',
      'oncall:x',
      'oncall:1,',
    ],
    ...[
      'oncall:1,oncall:1',
      'a:1,b:1,c:1,d:1,e:1',
      'oncall:1,,db:1',
      'Oncall:1',
      'on call:1',
      'group:x:1',
      '',
    ],
  ])('groups %j are refused (A11)', (text) => {
    expect(parseRequiredGroups(text)).toBeUndefined();
  });

  test('an unknown, repeated or malformed line is named', () => {
    for (const [text, message] of [
      ['peoples=2\n', 'run.conf line 1: unknown key peoples'],
      ['people=2\n\n#\npeople=1\n', 'run.conf line 4: people stands twice'],
      ['people =2\n', 'run.conf line 1: not key=value'],
      ['people=two\n', 'people: "two" is not a value of this key'],
    ] as const)
      expect(() => read(text)).toThrow(message);
  });
});
