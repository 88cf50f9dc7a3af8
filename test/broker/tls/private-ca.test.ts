import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { issueCertificate } from '../../../broker/tls/private-ca.js';
import { addressBytes, isServerName, serverNames } from '../../../broker/tls/server-names.js';
import { describeWith } from '../../e2e/tools.js';
import { temporaryDirectory } from '../../ssh/openssh.js';

const DAY = 86_400_000;
const NAMES = serverNames('10.1.2.3', ['approvals.example.com'], { hostname: 'broker-1', addresses: [] });

const issue = (directory = temporaryDirectory(), names = NAMES, now = Date.now()) =>
  issueCertificate(join(directory, 'tls'), names, now);

/** What openssl says about a certificate under a name. */
function verify(ca: string, certificate: string, ...options: string[]): string {
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, ...options, certificate];
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  return status === 0 ? 'ok' : stdout + stderr;
}

describeWith(['openssl'], 'a private CA', () => {
  test('certifies the names that were asked for and those of the machine, and openssl agrees', async () => {
    const { ca, certificate, names } = await issue();
    expect(names).toEqual(['approvals.example.com', '10.1.2.3', 'broker-1', 'localhost', '127.0.0.1', '::1']);
    for (const name of names) {
      const option = /^[\d.]+$|:/.test(name) ? '-verify_ip' : '-verify_hostname';
      expect(verify(ca, certificate, option, name)).toBe('ok');
    }
    expect(verify(ca, certificate, '-verify_hostname', 'other.example.com')).toContain('hostname mismatch');
    expect(verify(ca, certificate, '-verify_ip', '10.1.2.4')).toContain('IP address mismatch');
  });

  test('keeps its keys to itself, and lives ten years where a certificate lives 398 days', async () => {
    const { ca, certificate, key } = await issue();
    for (const file of [key, ca.replace('ca.pem', 'ca.key')]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(ca, '..')).mode & 0o777).toBe(0o700);
    const days = (file: string): number => {
      const { validFrom, validTo } = new X509Certificate(readFileSync(file));
      return Math.round((Date.parse(validTo) - Date.parse(validFrom)) / DAY);
    };
    expect([days(ca), days(certificate)]).toEqual([3650, 398]);
  });

  test('issues anew with a new key, from the same CA', async () => {
    const directory = temporaryDirectory();
    const first = await issue(directory);
    const before = { ca: readFileSync(first.ca, 'utf8'), certificate: readFileSync(first.certificate) };
    const second = await issue(directory);
    expect(readFileSync(second.ca, 'utf8')).toBe(before.ca);
    const keyOf = (pem: Buffer) => createPublicKey(pem).export({ type: 'spki', format: 'pem' });
    expect(keyOf(readFileSync(second.certificate))).not.toBe(keyOf(before.certificate));
    expect(verify(second.ca, second.certificate)).toBe('ok');
  });

  test('cannot vouch for another name, another address, or another CA, even in the hands of a thief', async () => {
    const directory = temporaryDirectory();
    const { ca } = await issue(directory);
    const path = (name: string): string => join(directory, name);
    const forge = (extensions: string): string => {
      const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
      run(
        ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-subj', '/CN=x'],
        ...['-keyout', path('x.key'), '-out', path('x.csr')],
      );
      writeFileSync(path('x.ext'), extensions);
      run(
        ...['x509', '-req', '-in', path('x.csr'), '-CA', ca, '-CAkey', ca.replace('ca.pem', 'ca.key')],
        ...['-days', '1', '-extfile', path('x.ext'), '-out', path('x.pem')],
      );
      return path('x.pem');
    };
    const keyIds = 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';
    expect(verify(ca, forge(`${keyIds}subjectAltName=DNS:broker-1\n`))).toBe('ok');
    for (const name of ['DNS:bank.example', 'IP:192.0.2.1', 'IP:fd00::1']) {
      expect(verify(ca, forge(`${keyIds}subjectAltName=${name}\n`))).toContain('permitted subtree violation');
    }
  });

  test('says which name it was not made for, and leaves out what only the machine calls itself now', async () => {
    const directory = temporaryDirectory();
    await issue(directory);
    const other = serverNames('10.1.2.3', ['new.example.com'], { hostname: 'broker-1', addresses: [] });
    await expect(issue(directory, other)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('cannot vouch for new.example.com'),
      hint: expect.stringMatching(/^make a new one: rm -r /),
    });
    const renamed = serverNames('10.1.2.3', [], { hostname: 'broker-2', addresses: [] });
    expect((await issue(directory, renamed)).names).not.toContain('broker-2');
  });
});

describeWith([], 'the names of a server', () => {
  test('on every address of the machine are those of its interfaces', () => {
    const machine = { hostname: 'Broker-1', addresses: ['192.0.2.7', 'fd00::7'] };
    expect(serverNames('0.0.0.0', ['A.example.com'], machine)).toEqual({
      required: ['a.example.com'],
      also: ['broker-1', 'localhost', '192.0.2.7', 'fd00::7', '127.0.0.1', '::1'],
    });
    expect(serverNames('::', [], { ...machine, hostname: 'not_a_name' }).also).not.toContain('not_a_name');
  });

  test.each([
    '',
    'a b',
    '-a.example',
    'a_b',
    '*.example.com',
    'a..b',
    `${'a'.repeat(64)}.example`,
    'é.example',
  ])('%j is none', (name) => expect(isServerName(name)).toBe(false));

  test('every address has its bytes', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const hex = addressBytes(address).toString('hex');
        const again = new SocketAddress({ family: 'ipv6', address: (hex.match(/.{4}/g) ?? []).join(':') });
        expect(hex).toHaveLength(32);
        expect(again.address).toBe(new SocketAddress({ family: 'ipv6', address }).address);
      }),
    );
    expect(addressBytes('192.0.2.7')).toEqual(Buffer.from([192, 0, 2, 7]));
    expect(addressBytes('::ffff:192.0.2.7').toString('hex')).toBe(`${'0'.repeat(20)}ffffc0000207`);
  });
});
