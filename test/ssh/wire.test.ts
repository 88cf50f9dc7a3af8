import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WireReader, wireMpint, wireString, wireUint32 } from '../../src/ssh/wire.js';
import { codeOf } from './problem.js';

const reader = (hex: string): WireReader => new WireReader(Buffer.from(hex, 'hex'), 'malformed-key');

test('what was written is read back, and nothing is left', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.nat(0xffffffff),
      fc.bigInt({ min: 1n, max: 2n ** 600n }),
      (bytes, count, number) => {
        const hex = number.toString(16);
        const magnitude = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
        const padded = Buffer.concat([Buffer.alloc(3), magnitude]);
        const written = Buffer.concat([wireString(Buffer.from(bytes)), wireUint32(count), wireMpint(padded)]);
        const read = new WireReader(written, 'malformed-key');
        expect(read.string()).toEqual(Buffer.from(bytes));
        expect(read.uint32()).toBe(count);
        expect(read.positiveMpint()).toEqual(magnitude);
        read.end();
      },
    ),
  );
});

test('the examples of RFC 4251 section 5 are written as printed there', () => {
  expect(wireMpint(Buffer.of(0)).toString('hex')).toBe('00000000');
  expect(wireMpint(Buffer.from('09a378f9b2e332a7', 'hex')).toString('hex')).toBe('0000000809a378f9b2e332a7');
  expect(wireMpint(Buffer.of(0x80)).toString('hex')).toBe('000000020080');
  expect(wireString('testing').toString('hex')).toBe('0000000774657374696e67');
  expect(wireUint32(699921578).toString('hex')).toBe('29b7f4aa');
});

test.each([
  ['a length beyond the end', '00000005616263', (r: WireReader) => r.string()],
  ['the largest length', 'ffffffff61', (r: WireReader) => r.string()],
  ['half a length', '000000', (r: WireReader) => r.uint32()],
  ['no byte at all', '', (r: WireReader) => r.uint8()],
  [
    'a left-over byte',
    '0000000061',
    (r: WireReader) => {
      r.string();
      r.end();
    },
  ],
  ['the number zero', '00000000', (r: WireReader) => r.positiveMpint()],
  ['the number zero written as a byte', '0000000100', (r: WireReader) => r.positiveMpint()],
  ['a negative number', '0000000180', (r: WireReader) => r.positiveMpint()],
  ['a needless leading zero', '000000020001', (r: WireReader) => r.positiveMpint()],
  ['a name with NUL', '000000026100', (r: WireReader) => r.text()],
  ['a name with an 8-bit byte', '00000001e9', (r: WireReader) => r.text()],
  ['a name of 257 bytes', `00000101${'61'.repeat(257)}`, (r: WireReader) => r.text()],
])('%s is refused with the code of the reader', (_, hex, read) => {
  expect(codeOf(() => read(reader(hex)))).toBe('malformed-key');
});
