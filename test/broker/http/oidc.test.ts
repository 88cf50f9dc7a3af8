import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalIssuer, type TokenChange } from '../oidc/local-issuer.js';
import { type Call, newClaim, TestBroker } from '../test-broker.js';

let broker: TestBroker;
let issuer: LocalIssuer;

beforeEach(async () => {
  issuer = await LocalIssuer.start();
  broker = await TestBroker.start();
  const submitter = {
    name: 'ci:shop',
    credential: {
      kind: 'oidc',
      issuer: issuer.issuer,
      audience: 'countersign',
      claims: [{ name: 'repository', value: 'acme/shop' }],
      requester: null,
      algorithms: ['RS256'],
      ca: null,
    },
    limits: { actions: ['deploy'], resources: ['shop'], doors: ['job:shop'], requesters: ['alice'] },
  };
  const added = await broker.change('submitters', { change: 'add', submitter });
  expect(added.status).toBe(200);
});
afterEach(() => broker.stop());

const deploy = (change = {}) =>
  broker.document({ action: 'deploy', resource: 'shop', door: 'job:shop', details: {}, ...change });

async function submit(bound = deploy(), change: TokenChange & Pick<Call, 'headers'> = {}) {
  return broker.call('POST', '/v1/requests', {
    token: await issuer.token(broker.now, change),
    body: { document: JSON.parse(bound.canonical) },
    headers: change.headers ?? {},
  });
}

describe('a submitter with an OIDC token (A46)', () => {
  test('asks, waits, redeems and reports; its claims stand beside the request, also after a restart', async () => {
    const bound = deploy();
    const { status, json } = await submit(bound);
    expect([status, json.digest]).toEqual([201, bound.digest]);
    await broker.restart();
    expect((await broker.decide(json.id, bound)).json.state).toBe('approved');
    const claim = newClaim();
    const call = (path: string, body: object) =>
      broker.call('POST', `/v1/requests/${json.id}/${path}`, { token: json.watch, body });
    expect((await call('redeem', { claim })).json.receipts).toHaveLength(1);
    expect((await call('reports', { claim, outcome: 'opened' })).json.status.report.outcome).toBe('opened');
    const view = await broker.call('GET', `/v1/requests/${json.id}`, { token: await broker.signIn() });
    expect(view.json).toMatchObject({ submitter: 'ci:shop', vouched: null });
    const { issuer: named, claims } = JSON.parse(view.json.verified);
    expect(named).toBe(issuer.issuer);
    expect(claims[0]).toEqual({ name: 'repository', value: 'acme/shop' });
    expect(claims).toContainEqual({ name: 'actor', value: 'alice' });
    const { json: log } = await broker.call('GET', '/v1/events', { token: await broker.signIn() });
    const [logged] = log.events.filter(
      ({ kind, request }: { kind: string; request: string }) =>
        kind === 'request.submitted' && request === json.id,
    );
    expect(JSON.parse(logged.body).verified).toBe(view.json.verified);
    expect(JSON.stringify([view.json, log])).not.toContain('c0ffee');
  });

  test('asks for no more than it is enrolled for', async () => {
    for (const change of [
      { action: 'ssh.login' },
      { resource: 'blog' },
      { door: 'ci' },
      { requester: 'bob' },
    ]) {
      expect((await submit(deploy(change))).json.code).toBe('submitter-limits');
    }
  });

  test('asks for nobody but whom its token names, where that is enrolled (A8)', async () => {
    const { submitters } = (await broker.call('GET', '/v1/submitters', { viaSocket: true })).json;
    const [{ credential }] = submitters.filter(({ name }: { name: string }) => name === 'ci:shop');
    const rotate = (requester: string) =>
      broker.change('submitters', {
        change: 'rotate',
        name: 'ci:shop',
        credential: { ...credential, requester },
      });
    await rotate('actor');
    expect((await submit(deploy(), { claims: { actor: 'Alice' } })).status).toBe(201);
    const other = await submit(deploy(), { claims: { actor: 'bob' } });
    expect([other.status, other.json.code, other.json.detail]).toEqual([
      403,
      'submitter-limits',
      'this token asks for "bob" alone',
    ]);
    expect((await submit(deploy(), { claims: { actor: ['alice'] } })).json.code).toBe('oidc-token-refused');
    // The lower case of the Kelvin sign is a k of ASCII.
    const lookAlike = await submit(deploy({ requester: 'erik' }), { claims: { actor: 'Eri\u212a' } });
    expect(lookAlike.json.code).toBe('oidc-token-refused');
    expect((await rotate('exp')).json.code).toBe('malformed-request');
  });

  test('joins its own request, but not with a token of another run', async () => {
    const bound = deploy();
    const first = await submit(bound);
    const again = await submit(bound, {
      claims: { jti: 'another', exp: Math.floor(broker.now / 1000) + 200 },
    });
    expect([again.status, again.json.id]).toEqual([200, first.json.id]);
    const other = await submit(bound, { claims: { run_id: '9' } });
    expect([other.status, other.json.code]).toEqual([403, 'forbidden']);
  });

  test('hears what is wrong with its token, as JSON and as a door reads it', async () => {
    const wrong = await submit(deploy(), { claims: { repository: 'mallory/shop' } });
    expect([wrong.status, wrong.json.code]).toEqual([401, 'oidc-token-refused']);
    const text = await submit(deploy(), {
      claims: { aud: 'sigstore' },
      headers: { accept: 'text/plain' },
    });
    expect(text.text).toMatch(/^countersign\/1 error -\nwatch: -\ncode: oidc-token-refused\n/);
  });

  test('is refused while its issuer is down, which takes nothing away from others', async () => {
    issuer.instead.set('/keys', (_, response) => response.writeHead(500).end());
    const down = await submit();
    expect([down.status, down.json.code, down.headers['retry-after']]).toEqual([
      503,
      'issuer-unreachable',
      '1',
    ]);
    expect((await broker.submit()).status).toBe(201);
  });

  test('shows its token for a submit and nothing else, over the socket too', async () => {
    const { json } = await submit();
    const token = await issuer.token(broker.now);
    for (const viaSocket of [false, true]) {
      const read = await broker.call('GET', `/v1/requests/${json.id}`, { token, viaSocket });
      expect([read.status, read.json.code]).toEqual([401, 'unauthenticated']);
    }
    expect(issuer.fetched.filter((path) => path === '/keys')).toHaveLength(1);
  });

  test('can no longer redeem once it is removed', async () => {
    const bound = deploy();
    const { json } = await submit(bound);
    await broker.decide(json.id, bound);
    const remove = { change: 'remove', name: 'ci:shop' };
    await broker.change('submitters', remove);
    const redeemed = await broker.call('POST', `/v1/requests/${json.id}/redeem`, {
      token: json.watch,
      body: { claim: newClaim() },
    });
    expect(redeemed.json.code).toBe('unauthenticated');
    expect((await submit()).json.code).toBe('oidc-token-refused');
  });

  test.each([
    ['no claims', { claims: [] }],
    [
      'a claim twice',
      {
        claims: [
          { name: 'sub', value: 'a' },
          { name: 'sub', value: 'b' },
        ],
      },
    ],
    ['only the audience as a claim', { claims: [{ name: 'aud', value: 'countersign' }] }],
    ['no algorithm', { algorithms: [] }],
    ['a symmetric algorithm', { algorithms: ['HS256'] }],
    ['the algorithm none', { algorithms: ['none'] }],
    ['an issuer in clear text', { issuer: 'http://issuer.example' }],
    ['no audience', { audience: '' }],
  ])('is not enrolled with %s (A11, A46)', async (_, change) => {
    const credential = {
      kind: 'oidc',
      issuer: 'https://issuer.example',
      audience: 'countersign',
      claims: [{ name: 'sub', value: 'a' }],
      requester: null,
      algorithms: ['RS256'],
      ca: null,
      ...change,
    };
    const refused = await broker.change('submitters', { change: 'rotate', name: 'ci:shop', credential });
    expect(refused.json.code).toBe('malformed-request');
  });
});
