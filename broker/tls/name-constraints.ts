import { addressBytes, isAddress } from './server-names.js';

/** Object identifier of the extension that follows (RFC 5280, 4.2.1.10). */
export const NAME_CONSTRAINTS = '2.5.29.30';

/**
 * The extension by which a CA vouches for these names and addresses only, so that whoever trusts it for the broker does
 * not trust it for the rest of the network.
 *
 * @param names at least one host name, one address of version 4 and one of version 6: a kind without any is not limited
 */
export function nameConstraints(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const permitted = names.map((name) => {
    if (!isAddress(name)) return tagged(0x30, tagged(0x82, Buffer.from(name, 'ascii')));
    const bytes = addressBytes(name);
    return tagged(0x30, tagged(0x87, Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)])));
  });
  return new Uint8Array(tagged(0x30, tagged(0xa0, Buffer.concat(permitted))));
}

/** One DER element of at most 65,535 bytes. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
