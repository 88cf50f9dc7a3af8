import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The files of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes a self-signed certificate of one day with the openssl of this machine.
 *
 * @param name of its files, and its common name
 * @param alternative its alternative name as OpenSSL writes it, such as `DNS:localhost`
 * @param protection options that encrypt the key; without any it is not
 */
export function makeSelfSigned(
  directory: string,
  name: string,
  {
    alternative = 'IP:127.0.0.1',
    protection = ['-nodes'],
  }: { readonly alternative?: string; readonly protection?: readonly string[] } = {},
): CertificateFiles {
  const [certificate, key] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-days', '1'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternative}`];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files, ...protection], {
    stdio: 'ignore',
  });
  return { certificate, key };
}
