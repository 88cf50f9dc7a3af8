import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/client/address.js';
import { Asker, type Question, type SubmitCredential } from '../../src/client/ask.js';
import { soleName } from '../../src/client/broker-identity.js';
import { systemClock } from '../../src/client/clock.js';
import { HttpClient } from '../../src/client/http-client.js';
import { checkReceipts } from '../../src/client/own-receipts.js';
import { type StandingAsk, StandingAsks } from '../../src/client/standing-asks.js';
import { parseDocument } from '../../src/protocol/document.js';
import type { BearerToken, Claim, Name, RequestId } from '../../src/protocol/names.js';
import type { Decision } from '../../src/protocol/statements.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { TestBroker } from '../broker/test-broker.js';
import { temporaryDirectory } from '../ssh/openssh.js';
import { codeOf } from '../ssh/problem.js';
import { signInSoftware } from '../ssh/software-keys.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

const question: Question = {
  version: 1,
  action: 'ssh.login' as Name,
  resource: 'web-1',
  door: 'host:web-1' as Name,
  requester: 'alice' as Name,
  details: { user: 'alice' },
  context: { reason: 'INC-1' },
  duration: 0,
};

function setUp(state = temporaryDirectory()) {
  const clock = { ...systemClock, now: () => broker.now };
  const client = new HttpClient(parseAddress(broker.address));
  onTestFinished(() => client.close());
  const asks = new StandingAsks(state, clock);
  const asker = new Asker({ client, ...soleName(broker.fingerprint) }, asks, clock);
  const host: SubmitCredential = {
    kind: 'key',
    submitter: 'host:web-1' as Name,
    signer: {
      publicKey: parsePublicKeyLine(broker.keys.host.line),
      sign: async (namespace, text) => signInSoftware(broker.keys.host, text, { namespace }),
    },
  };
  return { asks, asker, host, state };
}

const boundOf = ({ document }: StandingAsk) => parseDocument({ ...document } as unknown as JsonObject);
const decide = (ask: StandingAsk, change: Partial<Decision> = {}) =>
  broker.decide(ask.id, boundOf(ask), change);
const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('a question with a number', () => {
  const numbered: Question = { ...question, context: { reason: 'INC-1', number: true } };

  test('has six digits that stay with who asked, the same as long as the ask stands', async () => {
    const { asker, host, state } = setUp();
    const { ask } = await asker.ask(numbered, host);
    expect(ask.number).toMatch(/^[0-9]{6}$/);
    expect(ask.document.context).toEqual({ reason: 'INC-1', number: true });
    expect((await setUp(state).asker.ask(numbered, host)).ask.number).toBe(ask.number);
    const [file = ''] = readdirSync(join(state, 'asks'));
    expect(statSync(join(state, 'asks', file)).mode & 0o777).toBe(0o600);
  });

  test('has other digits once it is asked anew', async () => {
    const { asker, asks, host } = setUp();
    const numbers = new Set<string | null>();
    for (let n = 0; n < 5; n += 1) {
      const { ask } = await asker.ask(numbered, host);
      numbers.add(ask.number);
      await asks.forget(ask);
    }
    expect(numbers.size).toBeGreaterThan(1);
  });

  test('is the only one that has any', async () => {
    const { asker, host } = setUp();
    for (const context of [{}, { number: 'true' }, { number: 1 }])
      expect((await asker.ask({ ...question, context }, host)).ask.number).toBeNull();
  });
});

describe('asking the same again', () => {
  test('joins what stands, under the same nonce and claim, without a second asker', async () => {
    const { asker, host } = setUp();
    const first = await asker.ask(question, host);
    const second = await asker.ask(question, host);
    expect(first.isNew).toBe(true);
    expect(second).toMatchObject({ isNew: false, ask: first.ask });
    expect(second.reply.status).toMatchObject({ state: 'pending', waiting: 1 });
  });

  test('joins what stands from another process too, and what another broker has is another question', async () => {
    const { asker, host, state } = setUp();
    const first = await asker.ask(question, host);
    expect((await setUp(state).asker.ask(question, host)).ask).toEqual(first.ask);
    expect(readdirSync(join(state, 'asks'))).toHaveLength(1);
  });

  test.each<[string, Partial<Question>]>([
    ['reason', { context: { reason: 'INC-2' } }],
    ['detail', { details: { user: 'root' } }],
    ['resource', { resource: 'web-2' }],
    ['duration', { duration: 60 }],
  ])('with another %s is another request', async (_what, change) => {
    const { asker, host } = setUp();
    const first = await asker.ask(question, host);
    const second = await asker.ask({ ...question, ...change }, host);
    expect(second.isNew).toBe(true);
    expect(second.ask.id).not.toBe(first.ask.id);
  });

  test.each<[string, (ask: StandingAsk) => Promise<unknown>]>([
    ['denied', (ask) => decide(ask, { verdict: 'deny' })],
    ['expired', async () => broker.pass(301)],
    [
      'used',
      async (ask) => {
        await decide(ask);
        await broker.call('POST', `/v1/requests/${ask.id}/redeem`, {
          token: ask.watch ?? '',
          body: { claim: 'f'.repeat(32) },
        });
      },
    ],
  ])('after it was %s asks anew', async (_how, end) => {
    const { asker, host } = setUp();
    const first = await asker.ask(question, host);
    await end(first.ask);
    const again = await asker.ask(question, host);
    expect(again.isNew).toBe(true);
    expect(again.ask.document.nonce).not.toBe(first.ask.document.nonce);
    expect(again.ask.claim).not.toBe(first.ask.claim);
  });

  test('after this asker detached attaches it again', async () => {
    const { asker, host } = setUp();
    const { ask } = await asker.ask(question, host);
    expect((await asker.detach(ask, { cancel: false })).status.waiting).toBe(0);
    const again = await asker.ask(question, host);
    expect(again).toMatchObject({ isNew: false, ask: { id: ask.id } });
    expect(again.reply.status.waiting).toBe(1);
  });

  test('of a broker that knows the watch token no more submits the same document again', async () => {
    const { asker, asks, host } = setUp();
    const { ask } = await asker.ask(question, host);
    await asks.save({ ...ask, watch: 'A'.repeat(43) as BearerToken });
    const again = await asker.ask(question, host);
    expect(again).toMatchObject({ isNew: false, ask: { id: ask.id, claim: ask.claim } });
  });

  test('with a file that cannot be read asks anew', async () => {
    const { asker, host, state } = setUp();
    await asker.ask(question, host);
    const [file = ''] = readdirSync(join(state, 'asks'));
    writeFileSync(join(state, 'asks', file), '{"claim":');
    expect((await asker.ask(question, host)).isNew).toBe(true);
  });
});

describe('the answer', () => {
  test('comes to who waits, and again for the same claim', async () => {
    const { asker, host } = setUp();
    const { ask } = await asker.ask(question, host);
    const waiting = asker.redeem(ask, 30);
    await decide(ask);
    const reply = await waiting;
    expect(reply.status.state).toBe('redeemed');
    expect(checkReceipts(reply.receipts, ask, broker.now)).toHaveLength(1);
    expect((await asker.redeem(ask, 1)).receipts).toEqual(reply.receipts);
    expect((await asker.ask(question, host)).reply.status.state).toBe('redeemed');
  });

  test('is pending where nobody decides in time', async () => {
    const { asker, host } = setUp();
    const { ask } = await asker.ask(question, host);
    expect((await asker.redeem(ask, 0)).status.state).toBe('pending');
  });

  test('is how it ended', async () => {
    const { asker, host } = setUp();
    const { ask } = await asker.ask(question, host);
    await decide(ask, { verdict: 'deny' });
    await expect(asker.redeem(ask, 1)).rejects.toEqual(code('denied'));
  });

  test('is not waited for after the caller gave up', async () => {
    const { asker, host } = setUp();
    const { ask } = await asker.ask(question, host);
    await expect(asker.redeem(ask, 30, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

describe('cancelling', () => {
  test('ends the request at once', async () => {
    const { asker, host } = setUp();
    const { ask } = await asker.ask(question, host);
    expect((await asker.detach(ask, { cancel: true })).status.state).toBe('cancelled');
  });

  test('leaves the request to others who wait for it', async () => {
    const [mine, theirs] = [setUp(), setUp()];
    const { ask } = await mine.asker.ask(question, mine.host);
    await theirs.asks.save({ ...ask, watch: null });
    await theirs.asker.ask(question, theirs.host);
    expect((await mine.asker.detach(ask, { cancel: true })).status).toMatchObject({
      state: 'pending',
      waiting: 1,
    });
  });
});

describe('what is remembered', () => {
  test('is found by its id, privately, until it is forgotten', async () => {
    const { asker, asks, host, state } = setUp();
    const { ask } = await asker.ask(question, host);
    expect(await asks.findById(ask.id)).toEqual(ask);
    const [file = ''] = readdirSync(join(state, 'asks'));
    expect(statSync(join(state, 'asks', file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(state, 'asks')).mode & 0o777).toBe(0o700);
    await asks.forget(ask);
    await expect(asks.findById(ask.id)).rejects.toEqual(code('not-found'));
    expect(existsSync(join(state, 'asks', file))).toBe(false);
  });

  test('is nothing where nothing was asked', async () => {
    const asks = new StandingAsks(join(temporaryDirectory(), 'none'), systemClock);
    expect(await asks.find(broker.fingerprint, question)).toBeNull();
    await expect(asks.findById('01KG8J0PX0ABCDEF0000000001' as RequestId)).rejects.toEqual(code('not-found'));
  });

  test('is forgotten after forty days', async () => {
    const { asker, host, state } = setUp();
    await asker.ask(question, host);
    const [old = ''] = readdirSync(join(state, 'asks'));
    const then = new Date(broker.now - 41 * 24 * 3600 * 1000);
    utimesSync(join(state, 'asks', old), then, then);
    await asker.ask({ ...question, resource: 'web-2' }, host);
    expect(readdirSync(join(state, 'asks'))).not.toContain(old);
  });
});

describe('a receipt that the broker returns', () => {
  async function approved() {
    const { asker, host } = setUp();
    const { ask } = await asker.ask(question, host);
    await decide(ask);
    return { ask, receipts: (await asker.redeem(ask, 1)).receipts };
  }

  test.each<[string, Partial<Decision>]>([
    ['a no', { verdict: 'deny' }],
    ['another request', { request: `sha256:${'0'.repeat(64)}` as Decision['request'] }],
    ['another scope', { scope: `sha256:${'0'.repeat(64)}` as Decision['scope'] }],
    ['another door', { door: 'host:web-2' as Name }],
    ['another requester', { requester: 'mallory' as Name }],
    ['another broker', { broker: `SHA256:${'A'.repeat(43)}` as Decision['broker'] }],
  ])('is refused where it is about %s, though its signature holds', async (_what, change) => {
    const { ask, receipts } = await approved();
    const forged = broker.decision(boundOf(ask), `sha256:${'1'.repeat(64)}`, change);
    expect(codeOf(() => checkReceipts([forged], ask, broker.now))).toBe('broker-reply');
    expect(codeOf(() => checkReceipts([...receipts, forged], ask, broker.now))).toBe('broker-reply');
  });

  test('is refused where its signature does not hold, or it is too old, or there is none', async () => {
    const { ask, receipts } = await approved();
    const [receipt = ''] = receipts;
    const changed = receipt.replace('comment: "looks right"', 'comment: "looks wrong"');
    expect(codeOf(() => checkReceipts([changed], ask, broker.now))).toBe('bad-signature');
    expect(codeOf(() => checkReceipts(receipts, ask, broker.now + 900_000))).toBe('broker-reply');
    expect(codeOf(() => checkReceipts([], ask, broker.now))).toBe('broker-reply');
    expect(codeOf(() => checkReceipts(receipts, ask, broker.now))).toBeNull();
  });
});

test('a token asks without a statement', async () => {
  const { asker } = setUp();
  const token = broker.ciToken as BearerToken;
  const asked = await asker.ask(
    { ...question, action: 'ci.deploy' as Name, resource: 'prod/web', door: 'ci' as Name },
    { kind: 'token', token },
  );
  expect(asked.ask.claim satisfies Claim).toMatch(/^[0-9a-f]{32}$/);
  const { json } = await broker.call('GET', `/v1/requests/${asked.ask.id}`, { token: await broker.signIn() });
  expect(json).toMatchObject({ submitter: 'ci', vouched: null });
});
