import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/client/address.js';
import { identifyBroker } from '../../src/client/broker-identity.js';
import { HttpClient } from '../../src/client/http-client.js';
import {
  forgetBroker,
  knownBrokersPath,
  parseKnownBrokers,
  pinBroker,
} from '../../src/client/known-brokers.js';
import type { Locations } from '../../src/client/locations.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { temporaryDirectory } from '../ssh/openssh.js';
import { codeOf } from '../ssh/problem.js';
import { makeSoftwareKey } from '../ssh/software-keys.js';
import { answering, serve } from './small-server.js';

const [FIRST, SECOND] = [makeSoftwareKey('ssh-ed25519').line, makeSoftwareKey('ssh-ed25519').line];
const fingerprintOf = (line: string): string => parsePublicKeyLine(line).fingerprint;

const brokerReply = (key: string, fingerprint = fingerprintOf(key)) => ({
  name: 'test',
  fingerprint,
  key,
  version: '0.1.0',
  clock: '2026-01-31T23:00:00Z',
});

function locations(): Locations {
  const directory = temporaryDirectory();
  return {
    data: join(directory, 'data'),
    config: join(directory, 'config'),
    state: join(directory, 'state'),
  };
}

describe('known_brokers', () => {
  const fingerprint = fingerprintOf(FIRST);

  test('is lines of address and fingerprint, with comments and blank lines', () => {
    const text = `# mine\n\nhttps://a.example ${fingerprint}\nunix:/run/a b.sock ${fingerprint}\n`;
    expect([...parseKnownBrokers(text)]).toEqual([
      ['https://a.example', [{ fingerprint, line: 3 }]],
      ['unix:/run/a b.sock', [{ fingerprint, line: 4 }]],
    ]);
  });

  test('may say the same twice, and has a line for each key that a broker has had', () => {
    const line = `https://a.example ${fingerprint}\n`;
    const text = `${line}${line}https://a.example ${fingerprintOf(SECOND)}\n`;
    expect(parseKnownBrokers(text).get('https://a.example')).toEqual([
      { fingerprint, line: 1 },
      { fingerprint: fingerprintOf(SECOND), line: 3 },
    ]);
  });

  test('keeps the last pin where somebody left out the end of its line', async () => {
    const { config } = locations();
    mkdirSync(config);
    writeFileSync(knownBrokersPath(config), `https://a.example ${fingerprint}`);
    await pinBroker(config, 'https://b.example', [fingerprintOf(SECOND) as Fingerprint]);
    await pinBroker(config, 'https://c.example', [fingerprint as Fingerprint]);
    const known = parseKnownBrokers(readFileSync(knownBrokersPath(config), 'utf8'));
    expect([...known.keys()]).toEqual(['https://a.example', 'https://b.example', 'https://c.example']);
  });

  test('forgets one address and leaves everything else as it is', async () => {
    const { config } = locations();
    mkdirSync(config);
    const kept = `# mine\nhttps://b.example ${fingerprint}\n`;
    writeFileSync(
      knownBrokersPath(config),
      `https://a.example ${fingerprint}\n${kept}https://a.example ${fingerprintOf(SECOND)}\n`,
    );
    expect(await forgetBroker(config, 'https://a.example')).toBe(true);
    expect(await forgetBroker(config, 'https://a.example')).toBe(false);
    expect(readFileSync(knownBrokersPath(config), 'utf8')).toBe(kept);
  });

  test.each([
    'https://a.example',
    `${fingerprint}`,
    `https://a.example ${fingerprint}x`,
    'https://a.example *',
  ])('with the line %j is refused as a whole', (line) => {
    expect(codeOf(() => parseKnownBrokers(`${line}\n`))).toBe('usage');
  });
});

describe('a broker over a URL', () => {
  test('is pinned at first use, in a file that only its owner reads', async () => {
    const { client, address } = await serve(answering(brokerReply(FIRST)));
    const where = locations();
    expect(await identifyBroker(client, where)).toMatchObject({
      fingerprint: fingerprintOf(FIRST),
      news: 'pinned',
    });
    expect(readFileSync(knownBrokersPath(where.config), 'utf8')).toBe(`${address} ${fingerprintOf(FIRST)}\n`);
    expect(statSync(knownBrokersPath(where.config)).mode & 0o777).toBe(0o600);
    expect(statSync(where.config).mode & 0o777).toBe(0o700);
    expect(await identifyBroker(client, where)).toMatchObject({
      fingerprint: fingerprintOf(FIRST),
      news: null,
    });
  });

  test('that shows another key later is refused, and stays refused', async () => {
    let key = FIRST;
    const { client } = await serve((request, response) => answering(brokerReply(key))(request, response));
    const where = locations();
    await identifyBroker(client, where);
    key = SECOND;
    const changed = expect.objectContaining({ code: 'broker-changed' });
    await expect(identifyBroker(client, where)).rejects.toEqual(changed);
    await expect(identifyBroker(client, where)).rejects.toEqual(changed);
  });

  test('that shows a fingerprint which is not the one of its key is none', async () => {
    const { client } = await serve(answering(brokerReply(FIRST, fingerprintOf(SECOND))));
    const where = locations();
    await expect(identifyBroker(client, where)).rejects.toEqual(
      expect.objectContaining({ code: 'broker-reply' }),
    );
    await expect(identifyBroker(client, where)).rejects.toThrow();
  });

  test('that shows no key at all is none', async () => {
    const { client } = await serve(answering(brokerReply('ssh-ed25519 AAAA', fingerprintOf(FIRST))));
    await expect(identifyBroker(client, locations())).rejects.toEqual(
      expect.objectContaining({ code: 'broker-reply' }),
    );
  });
});

describe('a broker over its socket', () => {
  async function overSocket(shown: string) {
    const where = locations();
    mkdirSync(where.data);
    const path = join(where.data, 'broker.sock');
    const server = createServer(answering(brokerReply(shown)));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const client = new HttpClient(parseAddress(path));
    onTestFinished(() => {
      client.close();
      server.close();
    });
    return { where, client };
  }

  test('is known by the key in its data directory, without pinning', async () => {
    const { where, client } = await overSocket(FIRST);
    writeFileSync(join(where.data, 'broker.key.pub'), `${FIRST} countersign broker\n`);
    expect(await identifyBroker(client, where)).toMatchObject({
      fingerprint: fingerprintOf(FIRST),
      news: null,
    });
    expect(() => readFileSync(knownBrokersPath(where.config))).toThrow('ENOENT');
  });

  test('that shows another key than the data directory has is refused', async () => {
    const { where, client } = await overSocket(SECOND);
    writeFileSync(join(where.data, 'broker.key.pub'), `${FIRST}\n`);
    await expect(identifyBroker(client, where)).rejects.toEqual(
      expect.objectContaining({ code: 'broker-changed' }),
    );
  });

  test('elsewhere than the data directory is pinned like any other', async () => {
    const { where, client } = await overSocket(FIRST);
    expect((await identifyBroker(client, where)).news).toBe('pinned');
    expect((await identifyBroker(client, where)).news).toBeNull();
  });
});
