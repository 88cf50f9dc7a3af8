import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { formatArmor } from '../../src/ssh/signature.js';
import { wireString } from '../../src/ssh/wire.js';
import { seeded } from './door-shell.js';

/** A key that exists in memory only, and signs as `ssh-keygen -Y sign` does, without starting a program. */
export class MemoryKey {
  readonly #private: KeyObject;
  readonly #blob: Buffer;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const point = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    this.#private = privateKey;
    this.#blob = Buffer.concat([wireString('ssh-ed25519'), wireString(point)]);
  }

  /** `TYPE BASE64` */
  get line(): string {
    return `ssh-ed25519 ${this.#blob.toString('base64')}`;
  }

  sign(text: string, namespace = 'decision@countersign'): string {
    const message = Buffer.concat([
      Buffer.from('SSHSIG'),
      ...[namespace, '', 'sha512'].map((part) => wireString(part)),
      wireString(createHash('sha512').update(text, 'latin1').digest()),
    ]);
    const signature = Buffer.concat([
      wireString('ssh-ed25519'),
      wireString(sign(null, message, this.#private)),
    ]);
    const version = Buffer.from([0, 0, 0, 1]);
    return formatArmor(
      Buffer.concat([
        Buffer.from('SSHSIG'),
        version,
        wireString(this.#blob),
        ...[namespace, '', 'sha512'].map((part) => wireString(part)),
        wireString(signature),
      ]),
    );
  }
}

const TOKENS = [
  ...['', '-', '0', '1', '08', '-1', '+1', '1e3', '0x10', '999999999', '1000000000', '1.0', '00'],
  ...['x[$(touch T)]', '$(touch T)', '`touch T`', '%n', '-oX', '*', '?', '!', '\\', '"', "'", '#', '&', ';'],
  ...[
    'tomorrow',
    'now',
    '2026-02-30T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
  ],
  ...['é', '\xe9', '\r', '\t', '\x7f', '\x1b[31m', '\u2028', ' ', '  ', '\n', '\n\n'],
  ...[
    'request',
    'scope',
    'approve',
    'deny',
    'group:oncall',
    'bob,carol',
    'Bob',
    '""',
    '"\\u00e9"',
    '"\\x"',
    '"\\u12"',
    '123456',
  ],
  ...[
    '-----BEGIN SSH SIGNATURE-----',
    '-----END SSH SIGNATURE-----',
    'countersign-decision 1',
    'countersign-decision 2',
  ],
  ...['=', '==', 'A', 'AAAA', '+/'],
];

/**
 * Endless receipts that are almost right: one to three changes of a good one, signed by `key` after changes of the
 * statement. Latin-1 text, never with a NUL.
 */
export function* mutatedReceipts(
  statements: readonly string[],
  key: MemoryKey,
  seed: number,
): Generator<string> {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const edit = (text: string): string => {
    const at = below(text.length + 1);
    const rows = text.split('\n');
    const row = below(rows.length);
    switch (below(9)) {
      case 0:
        return text.slice(0, at) + pick(TOKENS) + text.slice(at);
      case 1:
        return text.slice(0, at) + text.slice(at + 1);
      case 2:
        return text.slice(0, at) + String.fromCharCode(1 + below(255)) + text.slice(at + 1);
      case 3:
        return rows.toSpliced(row, 1).join('\n');
      case 4:
        return rows.toSpliced(row, 0, rows[row] ?? '').join('\n');
      case 5:
        return rows
          .toSpliced(row, 1)
          .toSpliced(below(rows.length), 0, rows[row] ?? '')
          .join('\n');
      case 6:
        return rows.toSpliced(row, 0, pick(TOKENS)).join('\n');
      default: {
        // Another value on a line of the statement.
        const [name] = (rows[row] ?? '').split(': ');
        return rows.with(row, `${name}: ${pick(TOKENS)}`).join('\n');
      }
    }
  };
  for (;;) {
    let statement = pick(statements);
    for (let count = below(3); count > 0; count -= 1) statement = edit(statement);
    let receipt = statement + key.sign(statement);
    if (random() < 0.4) receipt = edit(receipt);
    if (random() < 0.1) receipt += receipt;
    yield receipt.replaceAll('\0', '0');
  }
}
