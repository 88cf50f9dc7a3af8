import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { BrokerAddress } from '../../client/address.js';
import { shownTime } from '../../client/shown-time.js';
import type { EpochMs } from '../../protocol/time.js';
import { type Finding, good, warning, wrong } from './finding.js';

/** A certificate that ends sooner is due, in ms. */
const DUE = 21 * 86_400_000;
const TIMEOUT = 5000;

export interface CertificateFacts {
  /** The name in the address, for which the certificate must be. */
  readonly host: string;
  /** Names and addresses that it is for, as in `DNS:a.example.com`. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly begins: EpochMs;
  readonly ends: EpochMs;
  /** Why it is not trusted, in the words of OpenSSL or Node; null where it is. */
  readonly fault: string | null;
}

/** When the certificate ends, whose it is and who vouches for it. Nothing where there is none to look at. */
export function examineCertificate(
  facts: CertificateFacts | null,
  { now, zone, ca }: { readonly now: EpochMs; readonly zone: string; readonly ca: string | null },
): readonly Finding[] {
  if (facts === null) return [];
  const { ends, fault } = facts;
  const end = shownTime(ends, { zone, now });
  if (ends <= now) return [wrong(`the certificate of the broker ended at ${end}`, 'renew it there')];
  if (facts.begins > now) {
    const begin = shownTime(facts.begins, { zone, now });
    return [
      wrong(`the certificate of the broker begins at ${begin} only`, 'compare the clocks of both machines'),
    ];
  }
  if (fault !== null) return [distrust(facts, fault, ca)];
  const days = Math.floor((ends - now) / 86_400_000);
  if (ends - now < DUE) {
    return [warning(`the certificate of the broker ends in ${days} days, at ${end}`, 'renew it there')];
  }
  return [good(`the certificate of the broker is trusted and good for ${days} days`)];
}

function distrust({ host, names, issuer }: CertificateFacts, fault: string, ca: string | null): Finding {
  if (fault === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const own = names.map((name) => name.replace(/^(?:DNS|IP Address):/, ''));
    return wrong(
      `the certificate is for ${own.join(', ') || 'no name at all'}, and not for ${host} as in the address`,
      own.length === 0
        ? `issue one for ${host}`
        : `use the name in the address: --url https://${own[0]}…; or issue one for ${host} as well`,
    );
  }
  const by = `the certificate of the broker is by ${issuer || 'an unknown issuer'}`;
  return ca === null
    ? wrong(`${by}, whom this machine does not trust (${fault})`, 'give the certificate of its CA: --ca FILE')
    : wrong(`${by}, who is not in ${ca} (${fault})`, 'give the CA that issued it: --ca FILE');
}

/** Looks at the certificate without sending anything; null where there is no TLS or nobody answers. */
export function certificateFacts(
  address: BrokerAddress,
  ca: string | undefined,
): Promise<CertificateFacts | null> {
  if (address.kind !== 'url' || address.url.protocol !== 'https:') return Promise.resolve(null);
  const host = address.url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(address.url.port || 443),
      // What is wrong with it is to be told, and nothing is sent.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
      timeout: TIMEOUT,
    });
    const leave = (facts: CertificateFacts | null): void => {
      socket.destroy();
      resolve(facts);
    };
    socket.on('error', () => leave(null));
    socket.on('timeout', () => leave(null));
    socket.on('secureConnect', () => {
      const { subjectaltname = '', issuer, valid_from, valid_to } = socket.getPeerCertificate();
      const text = (value: string | string[] | undefined): string => [value ?? []].flat().join(' ');
      leave({
        host,
        names: subjectaltname === '' ? [] : subjectaltname.split(', '),
        issuer: text(issuer?.CN) || text(issuer?.O),
        begins: Date.parse(valid_from),
        ends: Date.parse(valid_to),
        fault: socket.authorized ? null : String(socket.authorizationError ?? 'not authorised'),
      });
    });
  });
}
