import type { SecureContextOptions } from 'node:tls';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { type Certificate, type CertificateFiles, readCertificate } from './certificate.js';
import type { Issued } from './private-ca.js';
import type { ServerNames } from './server-names.js';

/** Where the certificate comes from: files that somebody else renews, or a CA in `directory` that makes it. */
export type CertificateSource =
  | ({ readonly kind: 'files' } & CertificateFiles)
  | { readonly kind: 'private-ca'; readonly directory: string; readonly names: ServerNames };

/** What is told of a certificate that was taken over, or was not. */
export interface CertificateNews {
  readonly loaded: (validUntil: EpochMs) => void;
  readonly failed: (problem: Error, validUntil: EpochMs) => void;
  /** Once a day within the last two weeks. */
  readonly ending: (validUntil: EpochMs) => void;
}

const DAY = 24 * 3600 * 1000;
const LAST_DAYS = 14 * DAY;

/** The certificate that a running broker shows. A new one that is not good leaves the old one in its place. */
export class ServedCertificate {
  readonly #source: CertificateSource;
  readonly #news: CertificateNews;
  #certificate: Certificate;
  #issued: Issued | null;
  #install: (context: SecureContextOptions) => void = () => {};
  /** When {@link tick} has to look again. */
  #lookAt: EpochMs;
  #loading: Promise<void> = Promise.resolve();

  private constructor(
    source: CertificateSource,
    news: CertificateNews,
    { certificate, issued }: { readonly certificate: Certificate; readonly issued: Issued | null },
  ) {
    this.#source = source;
    this.#news = news;
    this.#certificate = certificate;
    this.#issued = issued;
    this.#lookAt = 0;
  }

  /** @throws Problem `usage` that says what is wrong with the files or the names. */
  static async open(
    source: CertificateSource,
    news: CertificateNews,
    now: EpochMs,
  ): Promise<ServedCertificate> {
    return new ServedCertificate(source, news, await load(source, now));
  }

  get context(): SecureContextOptions {
    const { cert, key } = this.#certificate;
    return { cert, key, minVersion: 'TLSv1.2' };
  }

  get validUntil(): EpochMs {
    return this.#certificate.validUntil;
  }

  /** The file that clients trust, and the names they may use; null for a certificate from elsewhere. */
  get issued(): Issued | null {
    return this.#issued;
  }

  /** @param install gives a server the new context; connections that stand keep theirs */
  onChange(install: (context: SecureContextOptions) => void): void {
    this.#install = install;
  }

  /** Takes the files over as they are now, or issues a new certificate. Never throws: the news say what came of it. */
  reload(now: EpochMs): Promise<void> {
    this.#loading = this.#loading.then(() => this.#load(now));
    return this.#loading;
  }

  /** Issues a new certificate when two thirds of the old one are over, and warns of one that ends. */
  tick(now: EpochMs): void {
    if (now < this.#lookAt) return;
    this.#lookAt = now + DAY;
    const { validFrom, validUntil } = this.#certificate;
    const renewAt = validFrom + ((validUntil - validFrom) * 2) / 3;
    if (this.#source.kind === 'private-ca' && now >= renewAt) void this.reload(now);
    else if (validUntil - now < LAST_DAYS) this.#news.ending(validUntil);
  }

  async #load(now: EpochMs): Promise<void> {
    try {
      const { certificate, issued } = await load(this.#source, now);
      this.#certificate = certificate;
      this.#issued = issued;
      this.#install(this.context);
      this.#news.loaded(this.validUntil);
    } catch (cause) {
      const problem = cause instanceof Problem ? cause : new Problem('internal', String(cause), { cause });
      this.#news.failed(problem, this.validUntil);
    }
  }
}

async function load(source: CertificateSource, now: EpochMs) {
  if (source.kind === 'files') return { certificate: readCertificate(source, now), issued: null };
  // Its libraries are heavy, and only those who have no certificate of their own need them.
  const { issueCertificate } = await import('./private-ca.js');
  const issued = await issueCertificate(source.directory, source.names, now);
  return { certificate: readCertificate(issued, now), issued };
}
