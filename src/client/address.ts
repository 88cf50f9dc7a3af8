import { isAbsolute, resolve } from 'node:path';
import { Problem } from '../protocol/problems.js';

/** Where a broker listens: an HTTP base URL, or the path of its Unix socket. */
export type BrokerAddress =
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'socket'; readonly path: string };

const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|localhost)$/;

/**
 * Reads `http://…`, `https://…`, `unix:PATH` or the path of a socket.
 *
 * @throws Problem `usage` for any other scheme, and for credentials, a query or a fragment in a URL.
 */
export function parseAddress(text: string): BrokerAddress {
  if (text.startsWith('unix:')) return socketAddress(text.slice('unix:'.length));
  if (isAbsolute(text) || text.startsWith('.')) return socketAddress(text);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw notAnAddress();
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Problem('usage', 'the address of a broker has no credentials, query or fragment');
  }
  return { kind: 'url', url };
}

export function socketAddress(path: string): BrokerAddress {
  if (path === '' || /\p{Cc}/u.test(path)) throw notAnAddress();
  return { kind: 'socket', path: resolve(path) };
}

/** The one spelling under which a broker is pinned and shown. */
export function formatAddress(address: BrokerAddress): string {
  if (address.kind === 'socket') return `unix:${address.path}`;
  return address.url.origin + basePath(address.url);
}

/** Path of the base URL without its last slash. */
export const basePath = (url: URL): string => url.pathname.replace(/\/+$/, '');

/** Whether what is sent to this address crosses a network unencrypted. */
export function isCleartext(address: BrokerAddress): boolean {
  return address.kind === 'url' && address.url.protocol === 'http:' && !LOOPBACK.test(address.url.hostname);
}

const notAnAddress = (): Problem =>
  new Problem(
    'usage',
    'the address of a broker is http://HOST:PORT, https://HOST[:PORT] or the path of a socket',
  );
