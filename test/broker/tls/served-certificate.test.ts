import { execFileSync } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../../../broker/broker.js';
import { readCertificate } from '../../../broker/tls/certificate.js';
import type { CertificateSource } from '../../../broker/tls/served-certificate.js';
import { serverNames } from '../../../broker/tls/server-names.js';
import { describeWith } from '../../e2e/tools.js';
import { temporaryDirectory } from '../../ssh/openssh.js';
import { TestBroker } from '../test-broker.js';
import { makeSelfSigned } from './self-signed.js';

const DAY = 86_400;
const ready = Date.now();

/** One that OpenSSL serves to nobody. */
function makeWeakPair(directory: string) {
  const [certificate, key] = [join(directory, 'weak.pem'), join(directory, 'weak.key')];
  const options = ['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-subj', '/CN=weak', '-keyout', key];
  execFileSync('openssl', [...options, '-out', certificate], { stdio: 'ignore' });
  return { certificate, key };
}

/** A broker with TLS whose clock the test moves, on the directory of another one that enrolled people. */
async function brokerWith(tls: CertificateSource, start = ready) {
  const enrolled = await TestBroker.start();
  await enrolled.running.stop();
  let now = start;
  let tick = (): void => {};
  const running = await startBroker(
    {
      directory: enrolled.directory,
      listen: { host: '127.0.0.1', port: 0 },
      socket: enrolled.socket,
      tls,
      insecureHttp: false,
      name: 'test',
      log: 'silent',
    },
    {
      clock: () => now,
      random: (count) => Buffer.alloc(count, 7),
      everySecond: (given) => {
        tick = given;
        return () => {};
      },
    },
  );
  onTestFinished(async () => {
    await running.stop();
    await enrolled.stop();
  });
  return {
    running,
    pass(seconds: number) {
      now += seconds * 1000;
      tick();
    },
    metric: async (line: string) =>
      (await enrolled.call('GET', '/metrics', { viaSocket: true })).text.includes(`\n${line}`),
    port: Number(new URL(running.address ?? '').port),
  };
}

/** The certificate that a new connection is shown. */
const shown = (port: number): Promise<X509Certificate> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) reject(new Error('no certificate'));
      else resolve(certificate);
    });
    socket.on('error', reject);
  });

describeWith(['openssl'], 'a certificate', () => {
  test.each<[string, (directory: string) => { certificate: string; key: string }, number, RegExp]>([
    [
      'that is not there',
      (at) => ({ ...makeSelfSigned(at, 'a'), certificate: join(at, 'none') }),
      0,
      /^cannot read .*none: ENOENT$/,
    ],
    [
      'that is no certificate',
      (at) => ({ ...makeSelfSigned(at, 'a'), certificate: makeSelfSigned(at, 'b').key }),
      0,
      /b\.key holds no certificate/,
    ],
    [
      'with the key of another one',
      (at) => ({ ...makeSelfSigned(at, 'a'), key: makeSelfSigned(at, 'b').key }),
      0,
      /the key .*b\.key is not the one of the certificate .*a\.pem/,
    ],
    [
      'whose key has a passphrase',
      (at) => makeSelfSigned(at, 'a', { protection: ['-passout', 'pass:secret'] }),
      0,
      /a\.key holds no private key without a passphrase/,
    ],
    ['with a weak key', makeWeakPair, 0, /weak\.pem cannot be used for TLS: ee key too small/],
    ['that has expired', (at) => makeSelfSigned(at, 'a'), 2 * DAY, /expired at \d{4}-/],
    ['from the future', (at) => makeSelfSigned(at, 'a'), -2 * DAY, /begins at \d{4}-/],
  ])('%s is refused with its reason', (_, make, later, reason) => {
    const files = make(temporaryDirectory());
    let refusal: unknown;
    try {
      readCertificate(files, Date.now() + later * 1000);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'usage', message: expect.stringMatching(reason) });
  });

  test('is taken over while a door waits, which keeps its connection; new ones get the new one', async () => {
    const directory = temporaryDirectory();
    const files = makeSelfSigned(directory, 'first');
    const { running, port } = await brokerWith({ kind: 'files', ...files }, Date.now() + 1000);
    const standing = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    await new Promise((resolve) => standing.once('secureConnect', resolve));
    const next = makeSelfSigned(directory, 'second');
    copyFileSync(next.certificate, files.certificate);
    copyFileSync(next.key, files.key);
    await running.reload();
    expect((await shown(port)).subject).toBe('CN=second');
    expect(standing.getPeerX509Certificate()?.subject).toBe('CN=first');
    const answer = new Promise<string>((resolve) =>
      standing.once('data', (bytes) => resolve(bytes.toString())),
    );
    standing.write('GET /v1/broker HTTP/1.1\r\nHost: broker\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    standing.destroy();
  });

  test('that is bad leaves the old one in its place, and the metric says so', async () => {
    const directory = temporaryDirectory();
    const files = makeSelfSigned(directory, 'first');
    const { running, port, metric } = await brokerWith({ kind: 'files', ...files }, Date.now() + 1000);
    writeFileSync(files.certificate, 'nonsense\n');
    await running.reload();
    expect((await shown(port)).subject).toBe('CN=first');
    expect(await metric('countersign_tls_reloads_total{result="failed"} 1')).toBe(true);
    copyFileSync(makeSelfSigned(directory, 'second').certificate, files.certificate);
    await running.reload();
    expect((await shown(port)).subject).toBe('CN=first');
    expect(await metric('countersign_tls_reloads_total{result="failed"} 2')).toBe(true);
  });

  test('of a private CA is renewed when two thirds are over, without a restart, and its CA stays', async () => {
    const directory = join(temporaryDirectory(), 'tls');
    const names = serverNames('127.0.0.1', [], { hostname: 'broker-1', addresses: [] });
    const { running, port, pass, metric } = await brokerWith({ kind: 'private-ca', directory, names });
    const ca = readFileSync(running.issued?.ca ?? '', 'utf8');
    const first = await shown(port);
    pass(264 * DAY);
    expect((await shown(port)).serialNumber).toBe(first.serialNumber);
    pass(2 * DAY);
    await running.reload();
    const renewed = await shown(port);
    expect(Date.parse(renewed.validTo)).toBeGreaterThan(Date.parse(first.validTo) + 260 * DAY * 1000);
    expect(await metric('countersign_tls_reloads_total{result="loaded"} 2')).toBe(true);
    expect(readFileSync(running.issued?.ca ?? '', 'utf8')).toBe(ca);
    const status = await new Promise((resolve, reject) =>
      request(
        `https://127.0.0.1:${port}/v1/broker`,
        { ca, agent: false, rejectUnauthorized: false },
        ({ statusCode }) => resolve(statusCode),
      )
        .on('error', reject)
        .end(),
    );
    expect(status).toBe(200);
  });
});
