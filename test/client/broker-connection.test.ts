import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/client/address.js';
import { type BrokerConnection, connectQueue, sendDecision } from '../../src/client/broker-connection.js';
import { soleName } from '../../src/client/broker-identity.js';
import type { Clock } from '../../src/client/clock.js';
import { systemClock } from '../../src/client/clock.js';
import { HttpClient } from '../../src/client/http-client.js';
import type { Link, Suspend } from '../../src/client/queue.js';
import { signIn } from '../../src/client/sign-in.js';
import { webSocketStream } from '../../src/client/websocket.js';
import type { Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { KeySigner } from '../../src/ssh/key-signer.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { TestBroker } from '../broker/test-broker.js';
import { type SoftwareKey, signInSoftware } from '../ssh/software-keys.js';
import { serve } from './small-server.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

/** The broker's clock for what is signed, real alarms for the rest. */
const clock: Clock = { now: () => broker.now, after: (ms, work) => systemClock.after(ms, work) };

const signerOf = (key: SoftwareKey, signed: string[] = []): KeySigner => ({
  publicKey: parsePublicKeyLine(key.line),
  async sign(namespace, text) {
    signed.push(text);
    return signInSoftware(key, text, { namespace });
  },
});

const noTerminal: Suspend = (work) => work();

function clientOf(address: string): HttpClient {
  const client = new HttpClient(parseAddress(address));
  onTestFinished(() => client.close());
  return client;
}

async function connect(
  key = () => broker.keys.bob,
  lookForKey = async () => {},
  time = clock,
): Promise<BrokerConnection> {
  const client = clientOf(broker.socket);
  const connection = await connectQueue({
    broker: { client, ...soleName(broker.fingerprint) },
    identify: async () => ({ client, ...soleName(broker.fingerprint) }),
    lookForKey,
    signerWith: () => signerOf(key()),
    terminal: undefined,
    open: webSocketStream(client),
    clock: time,
    random: () => 0,
    config: join(broker.directory, 'config'),
    invitation: [],
  });
  onTestFinished(() => connection.close());
  return connection;
}

/** Resolves with the first picture that is as wanted. */
function until<Found>(connection: BrokerConnection, find: () => Found | undefined): Promise<Found> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = find();
      if (found === undefined) return;
      stop();
      resolve(found);
    };
    const stop = connection.subscribe(look);
    look();
  });
}

const live = (connection: BrokerConnection): Promise<true> =>
  until(connection, () => (connection.queue().link.state === 'live' ? true : undefined));
const row = (connection: BrokerConnection, wanted: (view: RequestView) => boolean): Promise<RequestView> =>
  until(connection, () => [...connection.queue().requests.values()].find(wanted));
const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('a console on a real broker', () => {
  test('signs in under the name of its key, and sees what stands and what comes', async () => {
    await broker.submit();
    const connection = await connect();
    expect(connection).toMatchObject({ approver: 'bob', fingerprint: broker.fingerprint });
    await live(connection);
    expect(connection.queue().requests.size).toBe(1);
    await broker.submit();
    await until(connection, () => (connection.queue().requests.size === 2 ? true : undefined));
  });

  test('decides what it shows, and sees its own decision', async () => {
    const connection = await connect();
    await broker.submit();
    const pending = await row(connection, ({ state }) => state === 'pending');
    await connection.decide(pending, { verdict: 'approve', comment: 'looks right', code: null }, noTerminal);
    const approved = await row(connection, ({ state }) => state === 'approved');
    expect(approved.votes).toMatchObject([{ approver: 'bob', verdict: 'approve', comment: 'looks right' }]);
  });

  test('passes on why the broker does not take a decision', async () => {
    const connection = await connect(() => broker.keys.alice);
    await broker.submit();
    const pending = await row(connection, ({ state }) => state === 'pending');
    await expect(
      connection.decide(pending, { verdict: 'approve', comment: '', code: null }, noTerminal),
    ).rejects.toEqual(code('self-approval'));
  });

  test('signs nothing about a request that is not what its digests say (A62)', async () => {
    const connection = await connect();
    await broker.submit();
    const view = await row(connection, () => true);
    const changed = { ...view, document: { ...view.document, resource: 'web-2' } };
    await expect(
      connection.decide(changed, { verdict: 'approve', comment: '', code: null }, noTerminal),
    ).rejects.toEqual(code('shown-differs'));
    expect(connection.queue().requests.get(view.id)?.votes).toEqual([]);
  });

  test('comes back after the broker restarted, and decides nothing meanwhile (A28)', async () => {
    const connection = await connect();
    await broker.submit();
    const pending = await row(connection, ({ state }) => state === 'pending');
    const links: Link['state'][] = [];
    connection.subscribe(() => links.push(connection.queue().link.state));
    const restarted = broker.restart();
    await until(connection, () => (connection.queue().link.state === 'stale' ? true : undefined));
    await expect(
      connection.decide(pending, { verdict: 'deny', comment: '', code: null }, noTerminal),
    ).rejects.toEqual(code('broker-unreachable'));
    await restarted;
    await live(connection);
    await connection.decide(pending, { verdict: 'deny', comment: '', code: null }, noTerminal);
    await row(connection, ({ state }) => state === 'denied');
    expect(connection.queue().requests.size).toBe(1);
  });

  test('does not call a decision undone whose answer was lost (A50)', async () => {
    const connection = await connect();
    await broker.submit();
    const pending = await row(connection, ({ state }) => state === 'pending');
    const { server, client } = await serve((request) => request.socket.destroy());
    const decider = {
      broker: { client, ...soleName(broker.fingerprint) },
      approver: 'bob' as Name,
      signer: signerOf(broker.keys.bob),
      clock,
    };
    const decide = () => sendDecision(decider, pending, { verdict: 'deny', comment: '', code: null });
    await expect(decide()).rejects.toMatchObject({
      code: 'unanswered',
      hint: `look before you sign again: countersign show ${pending.id}`,
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(decide()).rejects.toEqual(code('broker-unreachable'));
  });

  test('sends no signature that was cancelled before it came, and says when one is on its way', async () => {
    const connection = await connect();
    await broker.submit();
    const pending = await row(connection, ({ state }) => state === 'pending');
    const calls: (string | undefined)[] = [];
    const { client } = await serve((request, response) => {
      calls.push(request.url);
      response.writeHead(500).end();
    });
    const cancel = new AbortController();
    let isSent = false;
    const decider = {
      broker: { client, ...soleName(broker.fingerprint) },
      approver: 'bob' as Name,
      signer: signerOf(broker.keys.bob),
      clock,
      cancelling: {
        signal: cancel.signal,
        onSending: () => {
          isSent = true;
        },
      },
    };
    const late: KeySigner = {
      ...decider.signer,
      sign: async (...given) => {
        const armor = await decider.signer.sign(...given);
        cancel.abort();
        return armor;
      },
    };
    const deny = { verdict: 'deny', comment: '', code: null } as const;
    await expect(sendDecision({ ...decider, signer: late }, pending, deny)).rejects.toEqual(
      code('signing-failed'),
    );
    expect([calls, isSent]).toEqual([[], false]);
    const cancelling = { ...decider.cancelling, signal: new AbortController().signal };
    await expect(sendDecision({ ...decider, cancelling }, pending, deny)).rejects.toThrow();
    expect([calls, isSent]).toEqual([[`/v1/requests/${pending.id}/decisions`], true]);
  });

  test('signs in again by itself when its session ended', async () => {
    const connection = await connect();
    await live(connection);
    broker.pass(13 * 3600);
    await until(connection, () => (connection.queue().link.state === 'stale' ? true : undefined));
    await live(connection);
  });

  test('is refused once its key is removed, and comes back by hand with the new one', async () => {
    let key = broker.keys.bob;
    const connection = await connect(
      () => key,
      async () => {
        key = broker.keys.stranger;
      },
    );
    await live(connection);
    await broker.change('roster', { change: 'remove', name: 'bob' });
    const refused = () =>
      until(connection, () => {
        const { link } = connection.queue();
        return link.state === 'refused' ? link : undefined;
      });
    expect((await refused()).reason).toContain('not enrolled');
    connection.reconnect(noTerminal);
    await until(connection, () => (connection.queue().link.state === 'stale' ? true : undefined));
    expect((await refused()).hint).toContain('roster add');
    const keys = [{ key: key.line, validAfter: null, validBefore: null }];
    await broker.change('roster', { change: 'add', person: { name: 'bob', aliases: [], groups: [], keys } });
    connection.reconnect(noTerminal);
    await live(connection);
  });

  test('does not go on under another name with a key that has become somebody else’s', async () => {
    let key = broker.keys.bob;
    const connection = await connect(
      () => key,
      async () => {
        key = broker.keys.carol;
      },
    );
    await live(connection);
    await broker.change('roster', { change: 'remove', name: 'bob' });
    await until(connection, () => (connection.queue().link.state === 'refused' ? true : undefined));
    connection.reconnect(noTerminal);
    const why = await until(connection, () => {
      const { link } = connection.queue();
      return link.state === 'refused' && !link.reason.includes('not enrolled') ? link.reason : undefined;
    });
    expect(why).toBe("this key is carol's now, and this console bob's");
  });

  test('decides nothing on a picture that is old because the clock has jumped (A28)', async () => {
    let jumped = 0;
    const connection = await connect(
      () => broker.keys.bob,
      async () => {},
      { ...clock, now: () => broker.now + jumped },
    );
    await broker.submit();
    const pending = await row(connection, ({ state }) => state === 'pending');
    jumped = 3_600_000;
    await expect(
      connection.decide(pending, { verdict: 'deny', comment: '', code: null }, noTerminal),
    ).rejects.toEqual(code('broker-unreachable'));
    expect(connection.queue().link.state).toBe('stale');
  });

  test('borrows the terminal only for what is signed in front of it', async () => {
    const terminals: (Suspend | undefined)[] = [];
    const client = clientOf(broker.socket);
    const terminal: Suspend = (work) => work();
    const connection = await connectQueue({
      broker: { client, ...soleName(broker.fingerprint) },
      identify: async () => ({ client, ...soleName(broker.fingerprint) }),
      lookForKey: async () => {},
      signerWith: (given) => {
        terminals.push(given);
        return signerOf(broker.keys.bob);
      },
      terminal,
      open: webSocketStream(client),
      clock,
      random: () => 0,
      config: join(broker.directory, 'config'),
      invitation: [],
    });
    onTestFinished(() => connection.close());
    await live(connection);
    broker.pass(13 * 3600);
    await until(connection, () => (connection.queue().link.state === 'stale' ? true : undefined));
    await live(connection);
    expect(terminals).toEqual([terminal, undefined]);
  });
});

describe('signing in', () => {
  test('signs nothing for a broker that is not the pinned one', async () => {
    const signed: string[] = [];
    const pinned = {
      client: clientOf(broker.address),
      ...soleName(`SHA256:${'A'.repeat(43)}` as Fingerprint),
    };
    await expect(signIn(pinned, signerOf(broker.keys.bob, signed), clock)).rejects.toEqual(
      code('broker-changed'),
    );
    expect(signed).toEqual([]);
  });

  test('is refused for a key that nobody enrolled', async () => {
    const here = { client: clientOf(broker.address), ...soleName(broker.fingerprint) };
    await expect(signIn(here, signerOf(broker.keys.stranger), clock)).rejects.toEqual(code('unknown-key'));
  });

  test('passes on that nothing was signed', async () => {
    const signer: KeySigner = {
      ...signerOf(broker.keys.bob),
      async sign() {
        throw new Problem('signing-failed', 'the agent refused');
      },
    };
    const here = { client: clientOf(broker.address), ...soleName(broker.fingerprint) };
    await expect(signIn(here, signer, clock)).rejects.toEqual(code('signing-failed'));
  });
});
