const P = 2n ** 255n - 19n;
/** The curve constant d of RFC 8032 §5.1. */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * Whether 32 bytes are an Ed25519 public key that means something: the canonical encoding (RFC 8032 §5.1.3) of a point
 * on the curve, and not one of the eight points of small order. With a point of small order as key, anybody can make a
 * signature that verifies, and OpenSSL and OpenSSH both let such keys in.
 */
export function isSoundEd25519Key(bytes: Buffer): boolean {
  if (bytes.length !== 32) return false;
  const y = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) & (2n ** 255n - 1n);
  if (y >= P) return false;
  const y2 = (y * y) % P;
  const xNumerator = mod(y2 - 1n);
  const xDenominator = mod(D * y2 + 1n);
  // x² = numerator / denominator is a square exactly where numerator × denominator is one (Euler's criterion).
  if (power((xNumerator * xDenominator) % P, (P - 1n) / 2n) !== 1n) return false;
  // x = 0 (orders 1 and 2) has failed above. y = 0 has order 4; order 8 doubles to it: d·y⁴ + 2·y² − 1 = 0.
  return y !== 0n && mod(D * y2 * y2 + 2n * y2 - 1n) !== 0n;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
