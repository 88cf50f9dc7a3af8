import { createHmac } from 'node:crypto';
import { exportSPKI, type JWK } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { OidcTokens } from '../../../broker/oidc/oidc-tokens.js';
import { changeSubmitters, EMPTY_DIRECTORY } from '../../../broker/roster/directory.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Directory } from '../../../broker/store/store.js';
import type { Name } from '../../../src/protocol/names.js';
import type { OidcCredential } from '../../../src/protocol/roster-messages.js';
import { parseVerifiedFacts } from '../../../src/protocol/verified-facts.js';
import { ANYTHING, NOON } from '../test-broker.js';
import { CI_CLAIMS, LocalIssuer, makeKey, type TokenChange } from './local-issuer.js';

let issuer: LocalIssuer;
let tokens: OidcTokens;
let directory: Directory;
let now: number;

const REPOSITORY = { name: 'repository', value: 'acme/shop' };
const ENVIRONMENT = { name: 'environment', value: 'production' };

function enrol(name: string, change: Partial<OidcCredential> = {}): void {
  const submitter = {
    name: name as Name,
    credential: {
      kind: 'oidc' as const,
      issuer: issuer.issuer,
      audience: 'countersign',
      claims: [REPOSITORY, ENVIRONMENT],
      requester: null,
      algorithms: ['RS256' as const],
      ca: null,
      ...change,
    },
    limits: ANYTHING,
  };
  directory = changeSubmitters(directory, { change: 'add', submitter }, NOON).directory;
}

const identify = (token: string) => tokens.identify(token, () => new Principals(directory));
const named = async (change: TokenChange = {}): Promise<string> => {
  const { submitter } = await identify(await issuer.token(now, change));
  return submitter.name;
};
const refused = async (token: string | Promise<string>, because: RegExp): Promise<void> =>
  expect(identify(await token)).rejects.toMatchObject({
    code: 'oidc-token-refused',
    message: expect.stringMatching(because),
  });
const refusedWith = (change: TokenChange, because: RegExp): Promise<void> =>
  refused(issuer.token(now, change), because);

beforeEach(async () => {
  issuer = await LocalIssuer.start();
  now = NOON;
  tokens = new OidcTokens({ clock: () => now, timeout: 5_000 });
  directory = EMPTY_DIRECTORY;
  enrol('ci:shop');
});

describe('a token names its submitter (A46)', () => {
  test('by issuer, audience and claims, once its signature holds', async () => {
    expect(await named()).toBe('ci:shop');
    expect(issuer.fetched).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('and its claims become facts: the enrolled ones first, none of those that only name the token', async () => {
    const claims = {
      id: 7,
      protected: true,
      groups: ['a', 'b'],
      nested: { a: 1 },
      nothing: null,
      long: 'x'.repeat(1025),
      __proto_like: 'x',
      broken: '\ud800',
    };
    const { verified } = await identify(await issuer.token(now, { claims }));
    const facts = parseVerifiedFacts(verified);
    expect(facts.issuer).toBe(issuer.issuer);
    expect(facts.claims.slice(0, 2)).toEqual([REPOSITORY, ENVIRONMENT]);
    expect(Object.fromEntries(facts.claims.map(({ name, value }) => [name, value]))).toEqual({
      ...CI_CLAIMS,
      id: '7',
      protected: 'true',
    });
  });

  test('of which no more are kept than a reader can take', async () => {
    const claims = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`a${n}`, 'x']));
    const { verified } = await identify(await issuer.token(now, { claims }));
    expect(parseVerifiedFacts(verified).claims).toHaveLength(64);
  });

  test('the same facts for two tokens of one job', async () => {
    const one = await identify(await issuer.token(now));
    now += 90_000;
    const other = await identify(await issuer.token(now, { claims: { jti: 'other' } }));
    expect(other.verified).toBe(one.verified);
  });

  test('each of several with its own audience or claim', async () => {
    enrol('ci:blog', { claims: [{ name: 'repository', value: 'acme/blog' }] });
    enrol('ci:shop-tests', { audience: 'countersign-tests', claims: [REPOSITORY] });
    expect(await named()).toBe('ci:shop');
    expect(await named({ claims: { repository: 'acme/blog' } })).toBe('ci:blog');
    expect(await named({ claims: { aud: 'countersign-tests' } })).toBe('ci:shop-tests');
    expect(await named({ claims: { aud: ['countersign'] } })).toBe('ci:shop');
  });

  test('never two: a second one that could take the same token is not enrolled', () => {
    expect(() => enrol('ci:other', { claims: [REPOSITORY] })).toThrow('could be of ci:shop and of ci:other');
    expect(() => enrol('ci:other', { claims: [{ name: 'actor', value: 'alice' }] })).toThrow('could be of');
    enrol('ci:staging', { claims: [REPOSITORY, { name: 'environment', value: 'staging' }] });
  });
});

describe('a token is refused (A46)', () => {
  test('for another audience, for several, and without one', async () => {
    const because = /nobody is enrolled with its audience and claims/;
    await refusedWith({ claims: { aud: 'sigstore' } }, because);
    await refusedWith({ claims: { aud: ['countersign', 'sigstore'] } }, because);
    await refusedWith({ claims: { aud: 'countersign ' } }, because);
    await refusedWith({ claims: { aud: undefined } }, because);
    expect(issuer.fetched).toEqual([]);
  });

  test('of another issuer, and of one with another spelling', async () => {
    for (const iss of ['https://evil.example', `${issuer.issuer}/`, issuer.issuer.toUpperCase(), undefined]) {
      await refusedWith({ claims: { iss } }, /nobody is enrolled for its issuer/);
    }
  });

  test('without an enrolled claim, with another value, a list of values, or a value of another kind', async () => {
    const because = /nobody is enrolled with its audience and claims/;
    for (const environment of [
      undefined,
      'staging',
      ['production'],
      { production: true },
      null,
      '',
      'production ',
    ]) {
      await refusedWith({ claims: { environment } }, because);
    }
  });

  test('by patterns in its claims or in what is enrolled: * stands for itself', async () => {
    await refusedWith({ claims: { repository: '*' } }, /nobody is enrolled/);
    directory = EMPTY_DIRECTORY;
    enrol('ci:star', { claims: [{ name: 'sub', value: 'repo:acme/*' }] });
    await refusedWith({}, /nobody is enrolled/);
    expect(await named({ claims: { sub: 'repo:acme/*' } })).toBe('ci:star');
  });

  test('by names that every object has', async () => {
    directory = EMPTY_DIRECTORY;
    enrol('ci:odd', { claims: [{ name: 'constructor', value: 'function Object() { [native code] }' }] });
    await refusedWith({}, /nobody is enrolled/);
  });

  test('unsigned, with alg none in any spelling', async () => {
    const [, payload] = (await issuer.token(now)).split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'first' })).toString('base64url');
      await refused(`${header}.${payload}.`, /./);
      await refused(`${header}.${payload}.AA`, /./);
    }
  });

  test('signed with HS256 under the public key as the secret', async () => {
    const [, payload] = (await issuer.token(now)).split('.');
    const [key] = issuer.keys;
    if (key === undefined) throw new Error('no key');
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'first' })).toString('base64url');
    for (const secret of [await exportSPKI(key.publicKey), JSON.stringify(key.jwk), key.jwk.n ?? '']) {
      const code = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
      await refused(`${header}.${payload}.${code}`, /its algorithm is not the one that is enrolled/);
    }
  });

  test('signed with another algorithm than the enrolled one, or with a key of another kind', async () => {
    const elliptic = await makeKey('ES256', 'second');
    issuer.keys = [...issuer.keys, elliptic];
    await refusedWith({ key: elliptic }, /its algorithm is not the one that is enrolled/);
    // Its header says RS256 and names the elliptic key; then the signature of one under the header of the other.
    await refusedWith({ header: { kid: 'second' } }, /its issuer has no such key/);
    const [header] = (await issuer.token(now, { key: elliptic })).split('.');
    const [, payload, signature] = (await issuer.token(now)).split('.');
    directory = EMPTY_DIRECTORY;
    enrol('ci:shop', { algorithms: ['ES256'] });
    await refused(`${header}.${payload}.${signature}`, /its signature does not hold/);
    expect(await named({ key: elliptic })).toBe('ci:shop');
  });

  test('signed by a key that it brings along itself', async () => {
    const own = await makeKey('RS256', 'first');
    const header = { jwk: own.jwk, jku: 'https://evil.example/keys' } as never;
    await refusedWith({ key: own, header }, /its signature does not hold/);
  });

  test.each<[string, (jwk: JWK) => JWK]>([
    ['that is too short', (jwk) => ({ ...jwk, n: jwk.n?.slice(0, 171) ?? '' })],
    ['that is no text', (jwk) => ({ ...jwk, n: 7 as never })],
    ['that is empty', (jwk) => ({ ...jwk, n: '' })],
    ['that is private', (jwk) => ({ ...jwk, d: 'AQAB' })],
  ])('by a key of its issuer %s', async (_, change) => {
    const [first] = issuer.keys;
    if (first === undefined) throw new Error('no key');
    issuer.keys = [{ ...first, jwk: change(first.jwk) }];
    await refused(issuer.token(now), /the key of its issuer cannot be used/);
  });

  test('with one character of its claims changed', async () => {
    const [header, payload, signature] = (await issuer.token(now)).split('.');
    const text = Buffer.from(payload ?? '', 'base64url')
      .toString()
      .replace('"alice"', '"mallo"');
    await refused(
      `${header}.${Buffer.from(text).toString('base64url')}.${signature}`,
      /its signature does not hold/,
    );
  });

  test('of which the header demands what nobody understands', async () => {
    await refusedWith({ header: { crit: ['exp'], exp: '1' } as never }, /its signature does not hold/);
  });

  test.each([
    ['a.b.c'],
    ['eyJhbGciOiJSUzI1NiJ9.bm90IGpzb24.AA'],
    ['eyJhbGciOiJSUzI1NiJ9.W10.AA'],
    ['..'],
    ['x'.repeat(12_000)],
  ])('that is none: %.40s', (token) => refused(token, /./));
});

describe('the times of a token (A46)', () => {
  const at = (claims: Record<string, number | undefined>) =>
    issuer.token(NOON, {
      claims: Object.fromEntries(
        Object.entries(claims).map(([name, offset]) => [
          name,
          offset === undefined ? undefined : NOON / 1000 + offset,
        ]),
      ),
    });

  test('its end counts until 60 seconds later', async () => {
    const token = await at({ exp: 300 });
    now = NOON + 359_000;
    expect((await identify(token)).submitter.name).toBe('ci:shop');
    now = NOON + 360_000;
    await refused(token, /it has expired/);
  });

  test('its beginning counts from 60 seconds before', async () => {
    await refused(at({ nbf: 61 }), /it is not valid yet/);
    expect((await identify(await at({ nbf: 60 }))).submitter.name).toBe('ci:shop');
  });

  test('it may be issued 60 seconds ahead, and an hour and 60 seconds ago', async () => {
    await refused(at({ iat: 61 }), /it is not valid yet/);
    expect((await identify(await at({ iat: 60 }))).submitter.name).toBe('ci:shop');
    await refused(at({ iat: -3661, nbf: -3661, exp: 9000 }), /more than an hour old/);
    expect((await identify(await at({ iat: -3660, nbf: -3660, exp: 9000 }))).submitter.name).toBe('ci:shop');
  });

  test('it has an end and a time of issue', async () => {
    await refused(at({ exp: undefined }), /its claim exp is missing or wrong/);
    await refused(at({ iat: undefined }), /its claim iat is missing or wrong/);
  });

  test('that are no numbers are refused', async () => {
    await refused(issuer.token(NOON, { claims: { exp: '9999999999' } }), /exp/);
  });
});
