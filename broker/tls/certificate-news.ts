import type { Logger } from 'pino';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { CertificateNews } from './served-certificate.js';

/** Tells the log and the metrics what becomes of the certificate. */
export function certificateNews(log: Logger, count: (result: 'loaded' | 'failed') => void): CertificateNews {
  const until = (at: EpochMs) => ({ validUntil: formatTime(at) });
  return {
    loaded(validUntil) {
      count('loaded');
      log.info({ event: 'certificate-loaded', ...until(validUntil) });
    },
    failed({ message }, validUntil) {
      count('failed');
      log.error({ event: 'certificate-refused', why: message, kept: until(validUntil) });
    },
    ending(validUntil) {
      log.warn({ event: 'certificate-ends', ...until(validUntil) });
    },
  };
}
