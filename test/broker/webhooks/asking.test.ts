import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ANYTHING, TestBroker } from '../test-broker.js';
import { type Authority, json, makeAuthority, status, TestReceiver } from './receiver.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
let authority: Authority;
let receiver: TestReceiver;
let broker: TestBroker;
let token = '';

const write = (text: string): void =>
  writeFileSync(join(broker.directory, 'webhooks.yaml'), text, { mode: 0o600 });
const validating = (more = ''): string => `version: 1
validate:
  - name: cmdb
    url: https://localhost:${receiver.port}/
    secret-file: ${join(broker.directory, 'secret')}
    ca-file: ${join(broker.directory, 'receiver.pem')}
${more}`;
const requests = async (): Promise<readonly { digest: string }[]> =>
  (await broker.call('GET', '/v1/requests?state=all', { token })).json.requests;
const webhooks = async () => (await broker.call('GET', '/v1/status', { token })).json.webhooks;

beforeAll(async () => {
  [authority, broker] = await Promise.all([makeAuthority(), TestBroker.start()]);
  receiver = await TestReceiver.start(authority);
  writeFileSync(join(broker.directory, 'secret'), SECRET, { mode: 0o600 });
  writeFileSync(join(broker.directory, 'receiver.pem'), authority.ca);
  write(validating());
  broker.webhooksFile = join(broker.directory, 'webhooks.yaml');
  await broker.restart();
  token = await broker.signIn();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = json({ allowed: true });
});
afterAll(async () => {
  await broker.stop();
  await receiver.stop();
});

describe('a validating webhook', () => {
  test('that allows a new request stands in the log beside it', async () => {
    const bound = broker.document();
    expect((await broker.submit(bound)).status).toBe(201);
    const { events } = (await broker.call('GET', '/v1/events', { token })).json;
    const submitted = events
      .map(({ body }: { body: string }) => JSON.parse(body))
      .find(
        ({ digest, document }: { digest?: string; document?: object }) => digest === bound.digest && document,
      );
    expect(submitted).toMatchObject({ validated: ['cmdb'], submitter: 'host:web-1' });
    expect(JSON.parse(receiver.received[0]?.body ?? '').data.digest).toBe(bound.digest);
  });

  test('that refuses leaves nothing of the request but its message, as problem and for shells', async () => {
    receiver.answer = json({ allowed: false, message: 'web-1 is frozen\u001b]0;x\u0007 until Monday' });
    const bound = broker.document();
    const answer = await broker.submit(bound);
    expect([answer.status, answer.json.code, answer.json.detail]).toEqual([
      403,
      'validation-refused',
      'cmdb refuses this: web-1 is frozen<U+001B>]0;x<U+0007> until Monday',
    ]);
    const shell = await broker.call('POST', '/v1/requests', {
      body: broker.hostSubmit(bound),
      headers: { accept: 'text/plain' },
    });
    expect(shell.status).toBe(403);
    expect(shell.text).toBe(
      'countersign/1 error -\nwatch: -\ncode: validation-refused\nanswer-by: -\nclaim-by: -\nhint: cmdb refuses this: web-1 is frozen<U+001B>]0;x<U+0007> until Monday; a check of your organisation refuses it: ask again once that is mended\n\n',
    );
    expect((await requests()).some(({ digest }) => digest === bound.digest)).toBe(false);
  });

  test('that cannot be asked keeps the request from being made, and the next try makes it', async () => {
    receiver.answer = status(500);
    const bound = broker.document();
    const answer = await broker.submit(bound);
    expect([answer.status, answer.json.code]).toEqual([503, 'validation-unavailable']);
    expect(answer.headers['retry-after']).toBe('1');
    receiver.answer = json({ allowed: true });
    expect((await broker.submit(bound)).status).toBe(201);
  });

  test('is not asked about a request that stands, nor about one that has ended', async () => {
    const bound = broker.document();
    const { id } = (await broker.submit(bound)).json;
    receiver.answer = status(500);
    expect((await broker.submit(bound)).status).toBe(200);
    await broker.restart();
    token = await broker.signIn();
    expect((await broker.submit(bound)).status).toBe(200);
    await broker.decide(id, bound, { verdict: 'deny' });
    expect((await broker.submit(bound)).status).toBe(403);
    expect(receiver.received).toHaveLength(1);
  });

  test('is not asked about what no rule or limit allows', async () => {
    const answer = await broker.call('POST', '/v1/requests', {
      token: broker.ciToken,
      body: { document: JSON.parse(broker.document().canonical) },
    });
    expect(answer.json.code).toBe('submitter-limits');
    expect(receiver.received).toEqual([]);
  });

  test('has no say in the changes that the broker asks for itself', async () => {
    receiver.answer = json({ allowed: false, message: 'no' });
    const body = { change: 'set', name: 'carol', groups: ['oncall'] };
    const asked = await broker.call('POST', '/v1/roster/changes', { viaSocket: true, body });
    expect([asked.status, receiver.received]).toEqual([202, []]);
  });

  test('that answers one ask while another is made twice at once makes one request of it', async () => {
    const bound = broker.document();
    const answers = await Promise.all([broker.submit(bound), broker.submit(bound)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    expect((await requests()).filter(({ digest }) => digest === bound.digest)).toHaveLength(1);
  });

  test('makes no request of a submitter that was removed while it was asked', async () => {
    const bound = broker.document();
    receiver.answer = (...call) => {
      const removal = broker.change('submitters', { change: 'remove', name: 'host:web-1' });
      void removal.then(() => json({ allowed: true })(...call));
    };
    expect((await broker.submit(bound)).json.code).toBe('unauthenticated');
    expect((await requests()).some(({ digest }) => digest === bound.digest)).toBe(false);
    receiver.answer = json({ allowed: true });
    const credential = { kind: 'key', key: broker.keys.host.line };
    const submitter = { name: 'host:web-1', credential, limits: ANYTHING };
    expect((await broker.change('submitters', { change: 'add', submitter })).status).toBe(200);
    expect((await broker.submit(bound)).status).toBe(201);
  });
});

describe('the file of webhooks', () => {
  test('is taken over at a reload, all of it or nothing', async () => {
    expect(await webhooks()).toEqual({ file: broker.webhooksFile, refused: null });
    receiver.answer = json({ allowed: false, message: 'no' });
    write(validating('  - name: other\n    url: http://example.com/\n'));
    await broker.running.reload();
    expect((await broker.submit()).json.code).toBe('validation-refused');
    const { refused } = await webhooks();
    expect(refused.mistakes).toEqual([
      `${broker.webhooksFile}:7:5: validate 2: secret-file: is missing: write the absolute path of a file`,
      `${broker.webhooksFile}:8:10: validate 2: url: write an https address, or http://127.0.0.1:PORT/PATH`,
    ]);

    write(validating('    actions: [sudo.run]\n'));
    await broker.running.reload();
    expect(await webhooks()).toMatchObject({ refused: null });
    expect((await broker.submit()).status).toBe(201);
  });

  test('has other secrets after a reload', async () => {
    write(validating());
    const signatures = async (): Promise<readonly string[]> => {
      await broker.running.reload();
      await broker.submit();
      return receiver.received.at(-1)?.headers['webhook-signature']?.split(' ') ?? [];
    };
    expect(await signatures()).toHaveLength(1);
    writeFileSync(join(broker.directory, 'secret'), `${SECRET}\n${SECRET.replace('AQEB', 'BBBB')}\n`);
    expect(await signatures()).toHaveLength(2);
    writeFileSync(join(broker.directory, 'secret'), SECRET);
  });

  test('that is wrong at the start keeps the broker from starting', async () => {
    write('version: 1\nwebhook: []\n');
    await expect(broker.restart()).rejects.toMatchObject({ code: 'bad-webhooks' });
    write(validating());
    await broker.restart();
  });
});
