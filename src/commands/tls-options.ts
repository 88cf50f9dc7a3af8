import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { RunningBroker } from '../../broker/broker.js';
import type { CertificateSource } from '../../broker/tls/served-certificate.js';
import { Problem } from '../protocol/problems.js';
import { shellQuote } from '../protocol/shell-quote.js';

export const TLS_FLAGS = { tlsCert: 'text', tlsKey: 'text', tlsName: 'texts' } as const;
export const TLS_FLAGS_HELP = `
  --tls-cert FILE    certificate chain, PEM; read again at SIGHUP
  --tls-key FILE     its key, PEM, without a passphrase
  --tls-name NAME    a name or address that clients use, for the private CA; several times`;

interface TlsFlags {
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsName: readonly string[];
}

/**
 * Where the certificate of a listener comes from.
 *
 * @param privateCa whether the broker makes its own where no files are given
 * @throws Problem `usage` for half a pair, and for names that nobody would certify
 */
export async function certificateSource(
  { tlsCert, tlsKey, tlsName }: TlsFlags,
  place: { readonly host: string; readonly directory: string; readonly privateCa: boolean },
): Promise<CertificateSource | null> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new Problem('usage', '--tls-cert and --tls-key go together');
  }
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { kind: 'files', certificate: tlsCert, key: tlsKey };
  }
  if (!place.privateCa) {
    if (tlsName.length > 0) throw new Problem('usage', '--tls-name goes with a private CA');
    return null;
  }
  const { isServerName, serverNames } = await import('../../broker/tls/server-names.js');
  const bad = tlsName.find((name) => !isServerName(name.toLowerCase()));
  if (bad !== undefined) {
    throw new Problem('usage', `--tls-name ${JSON.stringify(bad)} is neither a host name nor an address`);
  }
  const names = serverNames(place.host, tlsName, { hostname: hostname(), addresses: addresses() });
  return { kind: 'private-ca', directory: join(place.directory, 'tls'), names };
}

/** The addresses of this machine, but for those that mean something on one link only. */
function addresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
}

/** What others paste to reach a broker with a private CA; null for any other. */
export function trustLines(broker: RunningBroker): string | null {
  const { issued, address, fingerprint } = broker;
  if (issued === null || address === null) return null;
  const [name = 'localhost'] = issued.names;
  const url = `https://${name.includes(':') ? `[${name}]` : name}:${new URL(address).port || '443'}`;
  const copy = 'countersign-ca.pem';
  return `TLS with a certificate of this broker's own CA, for ${issued.names.join(', ')}.
Who connects needs the CA's certificate, which is no secret: ${issued.ca}

  copy it       scp ${shellQuote(`${hostname()}:${issued.ca}`)} ${copy}
  console       countersign console --url ${url} --ca ${copy}
  curl          curl --cacert ${copy} ${url}/v1/broker
  a door        install -m 0644 ${copy} /etc/countersign/ca.pem, and in its pam.conf:
                broker=${url}
                ca=/etc/countersign/ca.pem
                fingerprint=${fingerprint}
`;
}
