import { expect, test } from 'vitest';
import { KEY_TYPES } from '../../src/ssh/public-key.js';
import { formatArmor, parseSignature, verifySignature } from '../../src/ssh/signature.js';
import {
  generateKey,
  readPublicLine,
  signWithOpenSsh,
  temporaryDirectory,
  verifiesWithOpenSsh,
} from './openssh.js';
import { codeOf } from './problem.js';
import { makeSoftwareKey, signatureBlob, signInSoftware } from './software-keys.js';

const NAMESPACE = 'decision@countersign';
const MESSAGE = 'countersign-decision 1\ncomment: "looks right"\n';

test.each([
  ['ssh-ed25519', ['-t', 'ed25519']],
  ['ecdsa-sha2-nistp256', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa-sha2-nistp384', ['-t', 'ecdsa', '-b', '384']],
  ['ecdsa-sha2-nistp521', ['-t', 'ecdsa', '-b', '521']],
  ['rsa-sha2-512', ['-t', 'rsa', '-b', '3072']],
])('what ssh-keygen signs with %s verifies here', (algorithm, args) => {
  const file = generateKey(temporaryDirectory(), 'key', ...args);
  for (const hash of ['sha256', 'sha512']) {
    const armor = signWithOpenSsh(file, MESSAGE, '-n', NAMESPACE, '-O', `hashalg=${hash}`);
    expect(parseSignature(armor)).toMatchObject({ algorithm, hashAlgorithm: hash, namespace: NAMESPACE });
    const { key, userPresent } = verifySignature(MESSAGE, armor, NAMESPACE);
    expect(`${key.type} ${key.base64} test key`).toBe(readPublicLine(file));
    expect(userPresent).toBeNull();
    expect(codeOf(() => verifySignature(`${MESSAGE} `, armor, NAMESPACE))).toBe('bad-signature');
    expect(codeOf(() => verifySignature(MESSAGE, armor, 'revoke@countersign'))).toBe('wrong-namespace');
  }
});

test('the numbers of twenty ECDSA signatures of ssh-keygen are read, short ones among them', () => {
  const file = generateKey(temporaryDirectory(), 'key', '-t', 'ecdsa', '-b', '521');
  for (let count = 0; count < 20; count += 1) {
    const message = `${count}`;
    verifySignature(message, signWithOpenSsh(file, message, '-n', NAMESPACE), NAMESPACE);
  }
});

test.each(KEY_TYPES)('what %s signs in software, ssh-keygen verifies', (type) => {
  const key = makeSoftwareKey(type);
  for (const hash of ['sha256', 'sha512']) {
    const armor = signInSoftware(key, MESSAGE, { hash });
    expect(verifiesWithOpenSsh({ keyLine: key.line, message: MESSAGE, armor })).toBe(true);
    expect(verifiesWithOpenSsh({ keyLine: key.line, message: `${MESSAGE} `, armor })).toBe(false);
  }
});

test('RSA with SHA-256 made in software verifies with ssh-keygen and here, SHA-1 with neither', () => {
  const key = makeSoftwareKey('ssh-rsa');
  const verdicts = ['rsa-sha2-256', 'ssh-rsa'].map((algorithm) => {
    const armor = signInSoftware(key, MESSAGE, { algorithm });
    return [
      verifiesWithOpenSsh({ keyLine: key.line, message: MESSAGE, armor }),
      codeOf(() => verifySignature(MESSAGE, armor, NAMESPACE)),
    ];
  });
  expect(verdicts).toEqual([
    [true, null],
    [false, 'weak-signature'],
  ]);
});

test.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const)(
  'A58 ssh-keygen calls a signature of %s good without a touch; here it is told apart',
  (type) => {
    const key = makeSoftwareKey(type);
    for (const flags of [0, 1]) {
      const armor = signInSoftware(key, MESSAGE, { flags });
      expect(verifiesWithOpenSsh({ keyLine: key.line, message: MESSAGE, armor })).toBe(true);
      expect(verifySignature(MESSAGE, armor, NAMESPACE).userPresent).toBe(flags === 1);
    }
  },
);

test('A59 a second armor that ssh-keygen overlooks is refused here', () => {
  const key = makeSoftwareKey('ssh-ed25519');
  const armor = signInSoftware(key, MESSAGE);
  const doubled = armor + signInSoftware(key, 'another text');
  expect(verifiesWithOpenSsh({ keyLine: key.line, message: MESSAGE, armor: doubled })).toBe(true);
  expect(codeOf(() => verifySignature(MESSAGE, doubled, NAMESPACE))).toBe('malformed-signature');
});

test('A23 what is good here is good for ssh-keygen: no changed byte passes one and not the other', () => {
  for (const type of ['ssh-ed25519', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const) {
    const key = makeSoftwareKey(type);
    const blob = signatureBlob(key, MESSAGE);
    for (let offset = 0; offset < blob.length; offset += 13) {
      const changed = Buffer.from(blob);
      changed[offset] = (changed[offset] ?? 0) ^ 0x80;
      const armor = formatArmor(changed);
      expect(codeOf(() => verifySignature(MESSAGE, armor, NAMESPACE))).not.toBeNull();
      expect(verifiesWithOpenSsh({ keyLine: key.line, message: MESSAGE, armor })).toBe(false);
    }
  }
});
