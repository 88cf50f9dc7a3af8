import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CanarySecret, canaryNonce, canarySecret, isCanarySecret } from '../../src/protocol/canary.js';
import { type Claim, type Digest, isNonce } from '../../src/protocol/names.js';
import { formatCanary, parseCanary } from '../../src/protocol/statements.js';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const secret = hex(64) as fc.Arbitrary<CanarySecret>;
const scope = hex(64).map((text) => `sha256:${text}` as Digest);

describe('a canary (A33)', () => {
  test('has a nonce as any other request has', () => {
    fc.assert(fc.property(secret, scope, (one, of) => isNonce(canaryNonce(one, of))));
  });

  test('is bound to its secret and to what it asks for', () => {
    fc.assert(
      fc.property(secret, secret, scope, scope, (one, other, of, another) => {
        fc.pre(one !== other && of !== another);
        const nonces = [
          canaryNonce(one, of),
          canaryNonce(other, of),
          canaryNonce(one, another),
          canaryNonce(other, another),
        ];
        expect(new Set(nonces).size).toBe(4);
      }),
    );
  });

  test('keeps its claim to itself: the secret that is revealed does not tell it', () => {
    fc.assert(
      fc.property(hex(32), (claim) => {
        const revealed = canarySecret(claim as Claim);
        expect(isCanarySecret(revealed)).toBe(true);
        expect(revealed).not.toContain(claim);
      }),
    );
  });

  test('is made and revealed in this form, for ever', () => {
    const revealed = canarySecret('00112233445566778899aabbccddeeff' as Claim);
    expect(revealed).toBe('32a4880ab233cdb7d64589848d1d2c5be25be517356f4cf741d6cd466fbc9572');
    expect(canaryNonce(revealed, `sha256:${'ab'.repeat(32)}` as Digest)).toBe(
      '3d30766ec5d724a1d6a230361e780261',
    );
    const text = [
      'countersign-canary 1',
      'broker: SHA256:jD8kIYzFGbVYWV8u2Cg1+9zdA2Xk0FVB0ov2AAm4xRo',
      'submitter: host:web-1',
      `request: sha256:${'0'.repeat(64)}`,
      `secret: ${revealed}`,
      'issued: 2026-01-31T12:00:00Z',
      '',
    ].join('\n');
    expect(formatCanary(parseCanary(text))).toBe(text);
    expect(() => parseCanary(text.replace(/secret: ./, 'secret: G'))).toThrow('"secret"');
  });
});
