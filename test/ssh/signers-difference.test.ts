import { expect, test } from 'vitest';
import { signersDifference } from '../../src/ssh/signers-difference.js';
import { parseSignersFile } from '../../src/ssh/signers-file.js';
import { makeSoftwareKey } from './software-keys.js';

const keys = Array.from({ length: 3 }, () => makeSoftwareKey('ssh-ed25519').line);
const line = (principals: string, key: number, validity = ''): string =>
  `${principals} namespaces="decision@countersign"${validity} ${keys[key]}\n`;
const difference = (before: string, after: string): readonly string[] =>
  signersDifference(parseSignersFile(before), parseSignersFile(after)).map((text) =>
    text.replace(/SHA256:\S{43}/, 'KEY'),
  );

test('the difference of two signers files is who is added, removed and changed', () => {
  const before = line('bob,robert,group:oncall', 0) + line('carol', 1);
  const after =
    line('bob,group:oncall,group:db', 2, ',valid-before="20300101000000Z"') + line('dave,group:db', 1);
  expect(difference(before, after)).toEqual([
    '~ bob loses the name robert',
    '~ bob loses the key ssh-ed25519 KEY',
    '~ bob gets the group db',
    '~ bob gets the key ssh-ed25519 KEY, valid before 2030-01-01T00:00:00Z',
    '- carol may not sign any more',
    '+ dave may sign from now on',
    '+ dave gets the group db',
    '+ dave gets the key ssh-ed25519 KEY',
  ]);
});

test('files that say the same differ in nothing, whatever their comments and order', () => {
  const [one, two] = [line('bob', 0), line('carol', 1)];
  expect(difference(one + two, `# signers of host:web-1\n${two}${one}`)).toEqual([]);
});
