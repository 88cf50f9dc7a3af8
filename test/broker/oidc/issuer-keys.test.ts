import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { OidcTokens } from '../../../broker/oidc/oidc-tokens.js';
import { Principals } from '../../../broker/roster/principals.js';
import { issueCertificate } from '../../../broker/tls/private-ca.js';
import type { Name } from '../../../src/protocol/names.js';
import { temporaryDirectory } from '../../ssh/openssh.js';
import { ANYTHING, NOON } from '../test-broker.js';
import { type Handler, LocalIssuer, makeKey, type TokenChange } from './local-issuer.js';

const DISCOVERY = '/.well-known/openid-configuration';
let issuer: LocalIssuer;
let now: number;
let tokens: OidcTokens;

const principals = (ca: string | null, ...issuers: LocalIssuer[]): Principals =>
  new Principals({
    people: [],
    submitters: issuers.map((one, at) => ({
      name: `ci:${at}` as Name,
      credential: {
        kind: 'oidc',
        issuer: one.issuer,
        audience: 'countersign',
        claims: [{ name: 'repository', value: 'acme/shop' }],
        requester: null,
        algorithms: ['RS256'],
        ca,
      },
      limits: ANYTHING,
    })),
  });
const identify = async (change: TokenChange = {}, from = issuer): Promise<string> => {
  const found = await tokens.identify(await from.token(now, change), () => principals(null, from));
  return found.submitter.name;
};
const unreachable = (because: RegExp) => ({
  code: 'issuer-unreachable',
  message: expect.stringMatching(because),
});
const count = (path: string): number => issuer.fetched.filter((fetched) => fetched === path).length;

beforeEach(async () => {
  issuer = await LocalIssuer.start();
  now = NOON;
  tokens = new OidcTokens({ clock: () => now, timeout: 5_000 });
});

describe('keys of an issuer (A46)', () => {
  test('are fetched once for many tokens at once, and again when they are ten minutes old', async () => {
    await Promise.all(Array.from({ length: 20 }, () => identify()));
    expect(count('/keys')).toBe(1);
    now += 599_000;
    await identify();
    expect(count('/keys')).toBe(1);
    now += 1_000;
    await identify();
    expect(count('/keys')).toBe(2);
  });

  test('are fetched again for a key id that is new, but not more than twice a minute', async () => {
    await identify();
    const rotated = await makeKey('RS256', 'rotated');
    issuer.keys = [rotated];
    await expect(identify({ key: rotated })).rejects.toMatchObject({ code: 'oidc-token-refused' });
    expect(count('/keys')).toBe(1);
    now += 30_000;
    expect(await identify({ key: rotated })).toBe('ci:0');
    expect(count('/keys')).toBe(2);
    const unknown = await makeKey('RS256', 'unknown');
    for (let attempt = 0; attempt < 10; attempt++) {
      await expect(identify({ key: unknown })).rejects.toThrow('its issuer has no such key');
    }
    expect(count('/keys')).toBe(2);
  });

  test('that the issuer gave up are worth nothing once they are fetched again', async () => {
    const [former] = issuer.keys;
    await identify();
    issuer.keys = [await makeKey('RS256', 'next')];
    now += 600_000;
    await expect(identify({ key: former })).rejects.toThrow('its issuer has no such key');
  });

  test('come from the issuer that was enrolled and from no other one', async () => {
    const other = await LocalIssuer.start();
    const both = () => principals(null, issuer, other);
    const mixed = await issuer.token(now, { claims: { iss: other.issuer } });
    await expect(tokens.identify(mixed, both)).rejects.toThrow('its signature does not hold');
    issuer.instead.set(DISCOVERY, (_, response) =>
      response.end(JSON.stringify({ issuer: other.issuer, jwks_uri: `${other.issuer}/keys` })),
    );
    await expect(identify()).rejects.toMatchObject(unreachable(/names another issuer/));
  });

  test('are not fetched over plain HTTP from another machine, nor from where a redirect leads', async () => {
    issuer.instead.set(DISCOVERY, (_, response) =>
      response.end(JSON.stringify({ issuer: issuer.issuer, jwks_uri: 'http://keys.example/keys' })),
    );
    await expect(identify()).rejects.toMatchObject(unreachable(/not behind https/));
    now += 30_000;
    issuer.instead.set(DISCOVERY, (_, response) =>
      response.writeHead(302, { location: `${issuer.issuer}/elsewhere` }).end(),
    );
    await expect(identify()).rejects.toMatchObject(unreachable(/HTTP 302/));
    expect(count('/elsewhere')).toBe(0);
  });
});

test('an issuer with a private CA is believed by that CA alone (A46)', async () => {
  const names = { required: ['localhost'], also: [] };
  const issued = await issueCertificate(join(temporaryDirectory(), 'tls'), names, Date.now());
  const cert = readFileSync(issued.certificate, 'utf8');
  const behindTls = await LocalIssuer.start({ cert, key: readFileSync(issued.key, 'utf8') });
  const enrolled = (ca: string | null) => () => principals(ca, behindTls);
  const token = await behindTls.token(now);
  const found = await tokens.identify(token, enrolled(readFileSync(issued.ca, 'utf8')));
  expect(found.submitter.name).toBe('ci:0');
  await expect(tokens.identify(token, enrolled(null))).rejects.toMatchObject(
    unreachable(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/),
  );
});

describe('an issuer that fails', () => {
  test.each<[string, RegExp, Handler]>([
    ['answers with 503', /HTTP 503/, (_, response) => response.writeHead(503).end('{}')],
    ['sends no JSON', /does not send what it should/, (_, response) => response.end('<html>')],
    ['sends no key set', /does not send what it should/, (_, response) => response.end('{"keys":7}')],
    [
      'sends without end',
      /more than 256 KiB/,
      (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
        };
        response.on('drain', more);
        more();
      },
    ],
    ['hangs up', /ECONNRESET/, (request) => request.socket.destroy()],
  ])('that %s is named as the reason, and is asked again after half a minute', async (_, because, answer) => {
    issuer.instead.set('/keys', answer);
    await expect(identify()).rejects.toMatchObject(unreachable(because));
    await expect(identify()).rejects.toMatchObject(unreachable(because));
    expect(count('/keys')).toBe(1);
    issuer.instead.clear();
    now += 30_000;
    expect(await identify()).toBe('ci:0');
  });

  test('that never answers is given up', async () => {
    tokens = new OidcTokens({ clock: () => now, timeout: 50 });
    issuer.instead.set('/keys', () => {});
    await expect(identify()).rejects.toMatchObject(unreachable(/does not answer in time/));
  });

  test('that begins to answer and stops is given up', async () => {
    tokens = new OidcTokens({ clock: () => now, timeout: 50 });
    issuer.instead.set('/keys', (_, response) => void response.write('{"keys":'));
    await expect(identify()).rejects.toMatchObject(unreachable(/does not answer in time/));
  });

  test('takes nothing away while its keys are fresh, and nothing of another issuer', async () => {
    await identify();
    issuer.instead.set('/keys', (_, response) => response.writeHead(500).end());
    now += 599_000;
    expect(await identify()).toBe('ci:0');
    now += 1_000;
    await expect(identify()).rejects.toMatchObject(unreachable(/HTTP 500/));
    expect(await identify({}, await LocalIssuer.start())).toBe('ci:0');
  });
});
