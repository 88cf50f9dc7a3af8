import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';

/** What clients may call a broker that listens somewhere. */
export interface ServerNames {
  /** Asked for by the operator: the certificate has them or is not made. */
  readonly required: readonly string[];
  /** Of this machine as it is now: the certificate has them if it can. */
  readonly also: readonly string[];
}

const WILDCARDS = new BlockList();
WILDCARDS.addAddress('0.0.0.0', 'ipv4');
WILDCARDS.addAddress('::', 'ipv6');

export const isAddress = (name: string): boolean => isIP(name) !== 0;

/** True for 0.0.0.0 and ::, which stand for every address of the machine. */
export const isWildcard = (host: string): boolean =>
  isAddress(host) && WILDCARDS.check(host, isIPv4(host) ? 'ipv4' : 'ipv6');

/**
 * The names of a broker that listens on `host`.
 *
 * @param extra names that the operator gives beside, which come first
 * @param machine its host name, and the addresses of its interfaces
 */
export function serverNames(
  host: string,
  extra: readonly string[],
  machine: { readonly hostname: string; readonly addresses: readonly string[] },
): ServerNames {
  const required = [...extra, ...(isWildcard(host) ? [] : [host])].map(normal);
  const local = [
    machine.hostname,
    'localhost',
    ...(isWildcard(host) ? machine.addresses : []),
    '127.0.0.1',
    '::1',
  ];
  const also = local.map(normal).filter((name) => isServerName(name) && !required.includes(name));
  return { required: [...new Set(required)], also: [...new Set(also)] };
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/** A host name in lower case, or an address. */
export const isServerName = (name: string): boolean => isAddress(name) || HOST_NAME.test(name);

/** The bytes of an address, 4 or 16. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // Node writes an address of version 6 in its canonical form (RFC 5952) but has no way to its bytes.
  const { address: canonical } = new SocketAddress({ address, family: 'ipv6' });
  const [head = '', tail] = canonical.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, dottedToGroups).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

const dottedToGroups = (_: string, ...bytes: string[]): string => {
  const hex = (at: number): string => Number(bytes[at]).toString(16).padStart(2, '0');
  return `${hex(0)}${hex(1)}:${hex(2)}${hex(3)}`;
};

const normal = (name: string): string => name.toLowerCase().replace(/%.*$/, '');
