import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatPublicKey,
  KEY_TYPES,
  parseFingerprint,
  parsePublicKeyBlob,
  parsePublicKeyLine,
} from '../../src/ssh/public-key.js';
import { wireMpint, wireString } from '../../src/ssh/wire.js';
import { generateKey, readPublicLine, temporaryDirectory } from './openssh.js';
import { codeOf } from './problem.js';
import { makeSoftwareKey } from './software-keys.js';

const softwareKeys = KEY_TYPES.map((type) => makeSoftwareKey(type));
const ed25519 = makeSoftwareKey('ssh-ed25519');
const line = (type: string, ...fields: (Buffer | string)[]): string =>
  `${type} ${Buffer.concat([type, ...fields].map((field) => wireString(field))).toString('base64')}`;
const rsaLine = (e: Buffer, n: Buffer): string =>
  `ssh-rsa ${Buffer.concat([wireString('ssh-rsa'), wireMpint(e), wireMpint(n)]).toString('base64')}`;

describe('keys made by ssh-keygen', () => {
  test.each([
    ['ssh-ed25519', ['-t', 'ed25519']],
    ['ecdsa-sha2-nistp256', ['-t', 'ecdsa', '-b', '256']],
    ['ecdsa-sha2-nistp384', ['-t', 'ecdsa', '-b', '384']],
    ['ecdsa-sha2-nistp521', ['-t', 'ecdsa', '-b', '521']],
    ['ssh-rsa', ['-t', 'rsa', '-b', '2048']],
  ])('%s is read with its comment, and has the fingerprint that ssh-keygen prints', (type, args) => {
    const file = generateKey(temporaryDirectory(), 'key', ...args);
    const text = readPublicLine(file);
    const key = parsePublicKeyLine(`${text}\n`);
    const printed = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' });
    expect(key).toMatchObject({ type, comment: 'test key', isSecurityKey: false, application: null });
    expect(printed.split(' ')[1]).toBe(key.fingerprint);
    expect(`${formatPublicKey(key)} test key`).toBe(text);
  });

  test('ssh-keygen prints the same fingerprint for security keys', () => {
    for (const { type, line: text } of softwareKeys.filter(({ application }) => application !== null)) {
      const printed = execFileSync('ssh-keygen', ['-l', '-f', '-'], { encoding: 'utf8', input: `${text}\n` });
      const key = parsePublicKeyLine(text);
      expect(printed.split(' ')[1]).toBe(key.fingerprint);
      expect(key).toMatchObject({ type, isSecurityKey: true, application: 'ssh:' });
    }
  });
});

test('blob and line of every type give the same key', () => {
  for (const { type, blob, line: text } of softwareKeys) {
    const key = parsePublicKeyBlob(blob);
    expect(formatPublicKey(key)).toBe(text);
    expect(parsePublicKeyLine(text)).toEqual({ ...key, comment: '' });
    expect(key.type).toBe(type);
  }
});

test('a later change of the given buffer does not reach the key', () => {
  const buffer = Buffer.from(ed25519.blob);
  const key = parsePublicKeyBlob(buffer);
  buffer.fill(0);
  expect(key.blob).toEqual(ed25519.blob);
});

test('a key cut at any byte, or with a byte more, is refused', () => {
  for (const { blob } of softwareKeys) {
    for (let length = 0; length < blob.length; length += 1)
      expect(codeOf(() => parsePublicKeyBlob(blob.subarray(0, length)))).toMatch(
        /^(malformed|unsupported)-key$/,
      );
    expect(codeOf(() => parsePublicKeyBlob(Buffer.concat([blob, Buffer.of(0)])))).toBe('malformed-key');
  }
});

test('A63 whatever bytes are taken for a key, they are its only form', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...softwareKeys),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      ({ blob }, at, change) => {
        const bytes = Buffer.from(blob);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ change;
        const code = codeOf(() => expect(parsePublicKeyBlob(bytes).blob).toEqual(bytes));
        expect([null, 'malformed-key', 'unsupported-key']).toContain(code);
      },
    ),
    { numRuns: 500 },
  );
});

const [type, base64 = ''] = ed25519.line.split(' ');
const p256 = makeSoftwareKey('ecdsa-sha2-nistp256');
const point = p256.blob.subarray(-65);
/** Sets a bit of the last character before the padding, which decoders drop. */
const withSpareBit = (text: string): string =>
  text.replace(/(.)=$/, (_, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=`);
const modulus = Buffer.alloc(256, 0xc1);

test.each([
  ['an empty line', ''],
  ['a type alone', 'ssh-ed25519'],
  ['two spaces', `${type}  ${base64}`],
  ['a leading space', ` ${ed25519.line}`],
  ['a tab', `${type}\t${base64}`],
  ['CRLF', `${ed25519.line}\r\n`],
  ['a second line', `${ed25519.line}\n${ed25519.line}\n`],
  ['an empty second line', `${ed25519.line}\n\n`],
  ['options before the type', `restrict ${ed25519.line}`],
  ['NUL', `${ed25519.line} a\0b`],
  ['an escape in the comment', `${ed25519.line} \x1b[2J`],
  ['a C1 control in the comment', `${ed25519.line} \u009b2J`],
  ['a line separator in the comment', `${ed25519.line} a\u2028b`],
  ['a line of 9,000 characters', `${ed25519.line} ${'x'.repeat(9000)}`],
  ['base64url', `${type} ${base64.replaceAll('A', '-')}`],
  ['base64 with a needless bit', withSpareBit(p256.line)],
  ['base64 without padding', p256.line.replace(/=+$/, '')],
  ['base64 with a padding too much', `${ed25519.line}=`],
  ['another type inside than outside', `ssh-rsa ${base64}`],
  ['a security key type around a plain key', `sk-ssh-ed25519@openssh.com ${base64}`],
  ['31 bytes of Ed25519', line('ssh-ed25519', Buffer.alloc(31, 9))],
  ['33 bytes of Ed25519', line('ssh-ed25519', Buffer.alloc(33, 9))],
  ['a curve that is not the one of the type', line('ecdsa-sha2-nistp256', 'nistp384', point)],
  [
    'a compressed point',
    line('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.of(2), point.subarray(1, 33)])),
  ],
  [
    'a hybrid point',
    line('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.of(6), point.subarray(1)])),
  ],
  ['the point at infinity', line('ecdsa-sha2-nistp256', 'nistp256', Buffer.of(0))],
  [
    'the point 0, 0',
    line('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.of(4), Buffer.alloc(64)])),
  ],
  [
    'a point off the curve',
    line(
      'ecdsa-sha2-nistp256',
      'nistp256',
      Buffer.concat([point.subarray(0, 64), Buffer.of((point[64] ?? 0) ^ 1)]),
    ),
  ],
  [
    'a security key without application',
    `sk-ssh-ed25519@openssh.com ${Buffer.concat([wireString('sk-ssh-ed25519@openssh.com'), ed25519.blob.subarray(15)]).toString('base64')}`,
  ],
  [
    'a security key whose application has NUL',
    line('sk-ssh-ed25519@openssh.com', ed25519.blob.subarray(-32), 'ssh:\0'),
  ],
  [
    'an RSA modulus with leading zeros',
    `ssh-rsa ${Buffer.concat([wireString('ssh-rsa'), wireMpint(Buffer.of(3)), wireString(Buffer.concat([Buffer.alloc(2), modulus]))]).toString('base64')}`,
  ],
  [
    'a negative RSA modulus',
    `ssh-rsa ${Buffer.concat([wireString('ssh-rsa'), wireMpint(Buffer.of(3)), wireString(modulus)]).toString('base64')}`,
  ],
])('%s is a malformed key', (_, text) => {
  expect(codeOf(() => parsePublicKeyLine(text))).toBe('malformed-key');
});

test.each([
  ['DSA', line('ssh-dss', 'p', 'q', 'g', 'y')],
  ['a certificate', line('ssh-ed25519-cert-v01@openssh.com', Buffer.alloc(32), Buffer.alloc(32))],
  ['a webauthn key type', line('webauthn-sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', point)],
  ['a type that does not exist', line('ssh-ed448', Buffer.alloc(57))],
  ['RSA of 1024 bits', makeSoftwareKey('ssh-rsa', 1024).line],
  ['RSA of 2047 bits', rsaLine(Buffer.of(1, 0, 1), Buffer.concat([Buffer.of(0x7f), modulus.subarray(1)]))],
  ['RSA with exponent 1', rsaLine(Buffer.of(1), modulus)],
  ['RSA with an even exponent', rsaLine(Buffer.of(4), modulus)],
  ['RSA with an exponent of 40 bits', rsaLine(Buffer.of(1, 0, 0, 0, 1), modulus)],
  ['RSA with an even modulus', rsaLine(Buffer.of(3), Buffer.concat([modulus.subarray(1), Buffer.of(0xc0)]))],
])('%s is an unsupported key', (_, text) => {
  expect(codeOf(() => parsePublicKeyLine(text))).toBe('unsupported-key');
});

test('RSA of exactly 2048 bits is taken', () => {
  expect(
    parsePublicKeyLine(rsaLine(Buffer.of(3), Buffer.concat([Buffer.of(0x80), modulus.subarray(1)]))).type,
  ).toBe('ssh-rsa');
});

/** The points of small order with either sign, encodings of y beyond the field, and a y without an x. */
test.each([
  ['order 1', '0100000000000000000000000000000000000000000000000000000000000000'],
  ['order 1 with the sign bit', '0100000000000000000000000000000000000000000000000000000000000080'],
  ['order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['order 2 with the sign bit', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
  ['order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
  ['order 4 with the sign bit', '0000000000000000000000000000000000000000000000000000000000000080'],
  ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['order 8 with the sign bit', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['the other order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['the other order 8 with the sign bit', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ['y = p', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['y = p + 1', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['y = 2^255 - 1', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['y = 2, off the curve', '0200000000000000000000000000000000000000000000000000000000000000'],
])('the Ed25519 point %s is a malformed key, for anybody could sign with it', (_, hex) => {
  expect(codeOf(() => parsePublicKeyLine(line('ssh-ed25519', Buffer.from(hex, 'hex'))))).toBe(
    'malformed-key',
  );
});

test('the fingerprint has one form', () => {
  const { fingerprint } = parsePublicKeyLine(ed25519.line);
  expect(parseFingerprint(fingerprint)).toBe(fingerprint);
  for (const text of [
    fingerprint.slice(7),
    `${fingerprint}=`,
    fingerprint.slice(0, -1),
    `${fingerprint.slice(0, -1)}B`,
    `MD5:${fingerprint.slice(7)}`,
  ])
    expect(codeOf(() => parseFingerprint(text))).toBe('malformed-key');
});
