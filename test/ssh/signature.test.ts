import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KEY_TYPES, parsePublicKeyBlob } from '../../src/ssh/public-key.js';
import { formatArmor, parseSignature, verifySignature } from '../../src/ssh/signature.js';
import { wireMpint, wireString } from '../../src/ssh/wire.js';
import { codeOf } from './problem.js';
import { makeSoftwareKey, signatureBlob, signInSoftware } from './software-keys.js';

const NAMESPACE = 'decision@countersign';
const MESSAGE = 'countersign-decision 1\nverdict: approve\n';
const keys = KEY_TYPES.map((type) => makeSoftwareKey(type));
const keyOf = (type: (typeof KEY_TYPES)[number]) =>
  keys.find((key) => key.type === type) ?? makeSoftwareKey(type);
const ed25519 = keyOf('ssh-ed25519');
const verdict = (armor: string, message = MESSAGE) =>
  codeOf(() => verifySignature(message, armor, NAMESPACE));

test('any text signed with any key verifies, with the key that signed', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('sha256', 'sha512'),
      (key, message, hash) => {
        const verified = verifySignature(message, signInSoftware(key, message, { hash }), NAMESPACE);
        expect(verified.key).toEqual(parsePublicKeyBlob(key.blob));
      },
    ),
  );
});

test('bytes and the text that they encode are the same message', () => {
  const armor = signInSoftware(ed25519, 'é\n');
  expect(verifySignature(Buffer.from('é\n'), armor, NAMESPACE).key.fingerprint).toBe(
    verifySignature('é\n', armor, NAMESPACE).key.fingerprint,
  );
});

test.each([['sk-ssh-ed25519@openssh.com'], ['sk-ecdsa-sha2-nistp256@openssh.com']] as const)(
  'A58 %s tells by its presence bit alone whether somebody touched it',
  (type) => {
    for (const flags of [0x00, 0x01, 0x04, 0x05, 0xfe, 0xff]) {
      const armor = signInSoftware(keyOf(type), MESSAGE, { flags, counter: 0xfffffffe });
      expect(verifySignature(MESSAGE, armor, NAMESPACE).userPresent).toBe(flags % 2 === 1);
    }
  },
);

test('A58 a key that is no security key cannot tell whether somebody touched it', () => {
  for (const key of keys.filter(({ application }) => application === null))
    expect(verifySignature(MESSAGE, signInSoftware(key, MESSAGE), NAMESPACE).userPresent).toBeNull();
});

test('A58 the presence bit cannot be set after signing', () => {
  for (const key of keys.filter(({ application }) => application !== null)) {
    const blob = signatureBlob(key, MESSAGE, { flags: 0 });
    blob.writeUInt8(1, blob.length - 5);
    expect(parseSignature(formatArmor(blob)).authenticator).toEqual({ flags: 1, counter: 7 });
    expect(verdict(formatArmor(blob))).toBe('bad-signature');
  }
});

describe('A23 a signature is good for one text, one key and one namespace', () => {
  test.each(['git', 'file', 'revoke@countersign', 'decision@countersign2', 'Decision@countersign', '*'])(
    'signed for %s',
    (namespace) => {
      for (const key of keys)
        expect(verdict(signInSoftware(key, MESSAGE, { namespace }))).toBe('wrong-namespace');
    },
  );

  test('signed for another text', () => {
    for (const key of keys) {
      const armor = signInSoftware(key, MESSAGE);
      expect(verdict(armor)).toBeNull();
      expect(verdict(armor, `${MESSAGE}\n`)).toBe('bad-signature');
      expect(verdict(armor, MESSAGE.replace('approve', 'deny'))).toBe('bad-signature');
    }
  });

  test('signed with another key than the one inside', () => {
    for (const key of keys) {
      const other = makeSoftwareKey(key.type);
      const armor = signInSoftware({ ...other, blob: key.blob }, MESSAGE);
      expect(verdict(armor)).toBe('bad-signature');
    }
  });

  test('the key of one security key application is not that of another', () => {
    const key = keyOf('sk-ssh-ed25519@openssh.com');
    expect(verdict(signInSoftware({ ...key, application: 'ssh:other' }, MESSAGE))).toBe('bad-signature');
  });

  test('a bare signature of the text, as SSH authentication or a file hash would make it, is not one of ours', () => {
    const blob = signatureBlob(ed25519, MESSAGE, { namespace: 'x' });
    const renamed = Buffer.concat([
      blob.subarray(0, 10 + 4 + ed25519.blob.length),
      wireString(NAMESPACE),
      blob.subarray(10 + 4 + ed25519.blob.length + 5),
    ]);
    expect(verdict(formatArmor(renamed))).toBe('bad-signature');
  });
});

describe('weak signatures', () => {
  test('RSA with SHA-1 is refused as weak', () => {
    expect(verdict(signInSoftware(keyOf('ssh-rsa'), MESSAGE, { algorithm: 'ssh-rsa' }))).toBe(
      'weak-signature',
    );
  });

  test.each(['sha1', 'md5', 'sha384', 'sha512-256'])('a text hashed with %s is refused as weak', (hash) => {
    for (const key of keys) expect(verdict(signInSoftware(key, MESSAGE, { hash }))).toBe('weak-signature');
  });

  test('RSA takes both SHA-2 algorithms', () => {
    for (const algorithm of ['rsa-sha2-256', 'rsa-sha2-512']) {
      const armor = signInSoftware(keyOf('ssh-rsa'), MESSAGE, { algorithm });
      expect(parseSignature(armor).algorithm).toBe(algorithm);
      expect(verdict(armor)).toBeNull();
    }
  });

  test('the key of the signature must be one that may sign', () => {
    const short = makeSoftwareKey('ssh-rsa', 1024);
    expect(verdict(signInSoftware(short, MESSAGE))).toBe('unsupported-key');
  });
});

describe('A59 the envelope has one form', () => {
  test.each([
    ['version 0', { version: 0 }],
    ['version 2', { version: 2 }],
    ['a reserved field', { reserved: 'x' }],
    ['an empty namespace', { namespace: '' }],
    ['a namespace with NUL', { namespace: `${NAMESPACE}\0` }],
  ])('%s is malformed', (_, forgery) => {
    for (const key of keys)
      expect(verdict(signInSoftware(key, MESSAGE, forgery))).toBe('malformed-signature');
  });

  test.each([
    ...KEY_TYPES,
    'webauthn-sk-ecdsa-sha2-nistp256@openssh.com',
    'rsa-sha2-256',
    'rsa-sha2-512',
    '',
  ])('the algorithm %s is malformed for keys of another type', (algorithm) => {
    for (const key of keys) {
      if (algorithm === key.type || key.type === 'ssh-rsa') continue;
      expect(verdict(signInSoftware(key, MESSAGE, { algorithm }))).toBe('malformed-signature');
    }
    if (algorithm.startsWith('rsa-') || algorithm === 'ssh-rsa') return;
    expect(verdict(signInSoftware(keyOf('ssh-rsa'), MESSAGE, { algorithm }))).toBe('malformed-signature');
  });

  test('a blob cut at any byte, or with a byte more, is malformed', () => {
    for (const key of keys) {
      const blob = signatureBlob(key, MESSAGE);
      for (let length = 0; length < blob.length; length += 1)
        expect(verdict(formatArmor(blob.subarray(0, length)))).toBe('malformed-signature');
      expect(verdict(formatArmor(Buffer.concat([blob, Buffer.of(0)])))).toBe('malformed-signature');
    }
  });

  test('a byte too few or too many in any inner field is malformed', () => {
    for (const key of keys) {
      const blob = signatureBlob(key, MESSAGE);
      const head = blob.subarray(0, blob.lastIndexOf(wireString('sha512')) + 10);
      const inner = blob.subarray(head.length + 4);
      for (const changed of [inner.subarray(0, -1), Buffer.concat([inner, Buffer.of(0)]), Buffer.alloc(0)])
        expect(verdict(formatArmor(Buffer.concat([head, wireString(changed)])))).toBe('malformed-signature');
      const algorithm = key.type === 'ssh-rsa' ? 'rsa-sha2-512' : key.type;
      const bare = inner.subarray(4 + algorithm.length + 4, key.application === null ? inner.length : -5);
      const tail = key.application === null ? Buffer.alloc(0) : inner.subarray(-5);
      const rebuild = (field: Buffer) =>
        formatArmor(
          Buffer.concat([head, wireString(Buffer.concat([wireString(algorithm), wireString(field), tail]))]),
        );
      expect(verdict(rebuild(bare))).toBeNull();
      for (const field of [
        bare.subarray(0, -1),
        bare.subarray(1),
        Buffer.concat([bare, Buffer.of(0)]),
        Buffer.concat([Buffer.of(0), bare]),
      ])
        expect(verdict(rebuild(field))).toBe('malformed-signature');
    }
  });

  test('ECDSA numbers that are zero, negative, too large or padded are malformed, those out of range are bad', () => {
    const key = keyOf('ecdsa-sha2-nistp256');
    const blob = signatureBlob(key, MESSAGE);
    const head = blob.subarray(0, blob.lastIndexOf(wireString('sha512')) + 10);
    const withNumbers = (r: Buffer, s: Buffer) =>
      formatArmor(
        Buffer.concat([
          head,
          wireString(Buffer.concat([wireString(key.type), wireString(Buffer.concat([r, s]))])),
        ]),
      );
    const one = wireMpint(Buffer.of(1));
    for (const number of [
      wireString(''),
      wireString(Buffer.of(0)),
      wireString(Buffer.of(0x80)),
      wireString(Buffer.of(0, 1)),
      wireMpint(Buffer.alloc(33, 0x11)),
    ]) {
      expect(verdict(withNumbers(number, one))).toBe('malformed-signature');
      expect(verdict(withNumbers(one, number))).toBe('malformed-signature');
    }
    expect(verdict(withNumbers(one, one))).toBe('bad-signature');
    expect(verdict(withNumbers(wireMpint(Buffer.alloc(32, 0xff)), one))).toBe('bad-signature');
  });

  test('an Ed25519 signature whose S was raised by the group order is bad', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const blob = signatureBlob(ed25519, MESSAGE);
    const s = BigInt(`0x${Buffer.from(blob.subarray(-32)).reverse().toString('hex')}`) + order;
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
      .reverse()
      .copy(blob, blob.length - 32);
    expect(verdict(formatArmor(blob))).toBe('bad-signature');
  });

  test('a broken key inside is a malformed signature', () => {
    const key = {
      ...ed25519,
      blob: Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(32))]),
    };
    expect(verdict(signInSoftware(key, MESSAGE))).toBe('malformed-signature');
  });

  test('every changed byte of an Ed25519 signature is refused with the code of its field', () => {
    const blob = signatureBlob(ed25519, MESSAGE);
    const fields: [number, string, RegExp][] = [
      [10, 'magic and version', /^malformed-signature$/],
      [4 + 4, 'lengths of the key and its type', /^(malformed-signature|unsupported-key)$/],
      [11, 'key type', /^unsupported-key$/],
      [4, 'length of the point', /^malformed-signature$/],
      [32, 'point', /^(malformed|bad)-signature$/],
      [4, 'length of the namespace', /^malformed-signature$/],
      [NAMESPACE.length, 'namespace', /^wrong-namespace$/],
      [4 + 4, 'reserved and length of the hash', /^malformed-signature$/],
      [6, 'hash', /^weak-signature$/],
      [4 + 4 + 11 + 4, 'algorithm and lengths', /^malformed-signature$/],
      [64, 'signature', /^bad-signature$/],
    ];
    let offset = 0;
    for (const [length, field, code] of fields) {
      for (const end = offset + length; offset < end; offset += 1) {
        const changed = Buffer.from(blob);
        changed[offset] = (changed[offset] ?? 0) ^ 1;
        expect(verdict(formatArmor(changed)), `${field}, offset ${offset}`).toMatch(code);
      }
    }
    expect(offset).toBe(blob.length);
  });

  test('every changed byte of every kind of signature is refused', () => {
    for (const key of keys) {
      const blob = signatureBlob(key, MESSAGE);
      for (let offset = 0; offset < blob.length; offset += 1) {
        const changed = Buffer.from(blob);
        changed[offset] = (changed[offset] ?? 0) ^ 0x20;
        expect(verdict(formatArmor(changed)), `${key.type}, offset ${offset}`).toMatch(
          /^(malformed-signature|bad-signature|wrong-namespace|weak-signature|unsupported-key)$/,
        );
      }
    }
  });
});

describe('A59 the armor has one form', () => {
  const armor = signInSoftware(ed25519, MESSAGE);
  const body = armor.split('\n').slice(1, -2);
  const framed = (lines: readonly string[]) =>
    ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
  const padded = signInSoftware(keyOf('ssh-rsa'), MESSAGE);

  test('as ssh-keygen writes it', () => {
    expect(framed(body)).toBe(armor);
    expect(verdict(armor)).toBeNull();
    expect(padded).toMatch(/=\n-----END/);
  });

  test.each([
    ['empty', ''],
    ['two armors', armor + armor],
    ['text before', `x\n${armor}`],
    ['a blank line before', `\n${armor}`],
    ['text after', `${armor}x`],
    ['a blank line after', `${armor}\n`],
    ['no final newline', armor.slice(0, -1)],
    ['CRLF', armor.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${armor}`],
    ['another kind of armor', armor.replaceAll('SSH', 'PGP')],
    ['lower case frame', armor.replace('BEGIN', 'begin')],
    ['a space after BEGIN', armor.replace('SIGNATURE-----\n', 'SIGNATURE----- \n')],
    ['no body', framed([])],
    ['an empty body line', framed(['', ...body])],
    ['one long line', framed([body.join('')])],
    ['76 columns', framed(body.join('').match(/.{1,76}/g) ?? [])],
    ['a space in the base64', framed([` ${body[0]}`, ...body.slice(1)])],
    ['a tab at a line end', framed([`${body[0]}\t`, ...body.slice(1)])],
    [
      'base64url',
      framed(body.map((line) => line.replaceAll('+', '-').replaceAll('/', '_').replace('U', '_'))),
    ],
    ['padding in the middle', framed([`${body[0]?.slice(0, -1)}=`, ...body.slice(1)])],
    ['padding dropped', padded.replace(/=+\n-----END/, '\n-----END')],
    ['padding added', padded.replace('\n-----END', '=\n-----END')],
    [
      'a spare bit set',
      padded.replace(
        /([A-Za-z0-9+/])(=+\n-----END)/,
        (_, last: string, rest: string) => String.fromCharCode(last.charCodeAt(0) + 1) + rest,
      ),
    ],
    [
      'larger than any signature',
      formatArmor(Buffer.concat([signatureBlob(ed25519, MESSAGE), Buffer.alloc(64 * 1024)])),
    ],
  ])('%s is malformed', (_, text) => {
    expect(text).not.toBe(armor);
    expect(verdict(text)).toBe('malformed-signature');
  });

  test('every changed character of an armor is refused', () => {
    for (const one of [armor, padded]) {
      for (let at = 0; at < one.length; at += 1) {
        for (const other of ['A', '=', '\n', '\0', 'é'].filter((character) => character !== one[at]))
          expect(verdict(one.slice(0, at) + other + one.slice(at + 1)), `${at} ${other}`).not.toBeNull();
      }
    }
  });

  test('whatever is taken for an armor is written again to the same text', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        fc.nat(),
        fc.nat(),
        fc.string({ maxLength: 3 }),
        (key, at, cut, inserted) => {
          const text = signInSoftware(key, MESSAGE);
          const start = at % text.length;
          const mutated = text.slice(0, start) + inserted + text.slice(start + (cut % 4));
          if (mutated !== text) expect(verdict(mutated)).not.toBeNull();
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('any blob is written in lines of at most 70 columns', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), (bytes) => {
        const lines = formatArmor(Buffer.from(bytes)).split('\n').slice(1, -2);
        expect(lines.slice(0, -1).every((line) => line.length === 70)).toBe(true);
        expect(lines.at(-1)).toMatch(/^.{1,70}$/);
        expect(Buffer.from(lines.join(''), 'base64')).toEqual(Buffer.from(bytes));
      }),
    );
  });
});
