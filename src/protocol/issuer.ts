const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|localhost)$/;

/** Whether keys of an issuer may be fetched from there: over TLS, or without it on this machine. */
export function isKeyAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

/** The identifier of an OpenID provider (OpenID Connect Discovery 1.0, section 3): compared as a text, byte by byte. */
export const isIssuer = (text: string): boolean =>
  text.length <= 256 && /^[!-~]+$/.test(text) && !text.includes('?') && isKeyAddress(text);

/** Where it publishes its configuration (section 4). */
export const discoveryAddress = (issuer: string): string =>
  `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
