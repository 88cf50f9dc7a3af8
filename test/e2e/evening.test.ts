import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { socketAddress } from '../../src/client/address.js';
import { HttpClient } from '../../src/client/http-client.js';
import { submitReply } from '../../src/protocol/messages.js';
import { BrokerProcess, CLI } from './programs.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

const POLICY = `version: 1
rules:
  - name: soon over
    when: action == "demo.quick"
    approvals: { people: 1 }
    shared-requester: accept
    answer-by: 5s
  - name: everything else
    approvals: { people: 1 }
    shared-requester: accept
    answer-by: 10m
`;

/** What somebody signed, as it stood on the screen, or was said to a verb. */
type Signed = `${string} ${'approve' | 'deny'} ${string}`;

describeWith(['tmux'], 'an evening of an approver', () => {
  let broker: BrokerProcess;
  let client: HttpClient;
  let bobKey = '';
  let carolKey = '';
  const ids = new Map<string, string>();

  beforeAll(async () => {
    broker = new BrokerProcess();
    bobKey = await broker.enrol('bob');
    carolKey = await broker.enrol('carol');
    const limits = ['--action', '*', '--resource', '*', '--door', '*', '--requester', '*'];
    await broker.must('submitter', 'add', 'local', '--socket', ...limits);
    const policy = join(broker.directory, 'policy.yaml');
    writeFileSync(policy, POLICY, { mode: 0o600 });
    await broker.start('--policy', policy);
    client = new HttpClient(socketAddress(join(broker.data, 'broker.sock')));
  });
  afterAll(async () => {
    client?.close();
    await broker?.remove();
  });

  /** Asks for one resource each. */
  async function ask(action: string, requester: string, ...resources: readonly string[]): Promise<void> {
    for (const resource of resources) {
      const nonce = randomBytes(16).toString('hex');
      const named = { action, requester, resource, door: 'demo', nonce };
      const document = { ...named, context: {}, details: {}, duration: 0, version: 1 };
      const reply = await client.call(submitReply, {
        method: 'POST',
        path: '/v1/requests',
        body: { document },
      });
      ids.set(resource, reply.id);
    }
  }

  test('ends with a log that says what was done: forty requests, a killed broker, sizes, Ctrl-Z (A4, A28)', async () => {
    const signed: Signed[] = [];
    const pane = new TmuxPane(
      ['bash', '--norc', '-i'],
      { ...broker.env, LC_ALL: 'C.UTF-8', PS1: 'shell:' },
      120,
      40,
    );
    onTestFinished(({ task }) => {
      if (task.result?.state === 'fail') process.stderr.write(pane.screen());
      pane.close();
    });
    const line = (text: string): void => {
      pane.type(text);
      pane.press('Enter');
    };
    /** Presses the button that has the focus, and takes note of what stands on it. */
    const sign = async (): Promise<void> => {
      const [, verdict, resource] = /you sign +(approve|deny) +\S+ on (\S+)/.exec(pane.screen()) ?? [];
      signed.push(`bob ${verdict as 'approve' | 'deny'} ${resource}`);
      pane.press('Enter');
      await pane.shows('signed and recorded');
    };
    const confirmDenial = async (): Promise<void> => {
      await pane.pressUntil('d', /you sign +deny/);
      await pane.pressUntil('Right', 'Enter signs the denial');
    };
    const confirmApproval = async (): Promise<void> => {
      // What stood whole beside the queue was read there; anything else is opened, and read page by page.
      const opened = await pane.pressUntil('a', /you sign +approve|to read: Space|All read: a approves/);
      if (!/you sign +approve/.test(opened)) {
        await pane.pressUntil('Space', 'All read: a approves');
        await pane.pressUntil('a', /you sign +approve/);
      }
      await pane.pressUntil('Right', 'Enter signs the approval');
    };
    const several = (name: string, count: number): string[] =>
      Array.from({ length: count }, (_, at) => `${name}-${at + 1}`);

    await pane.shows('shell:');
    await ask('demo.flood', 'mallory', ...several('flood', 12));
    line(`${process.execPath} ${CLI} console --key ${bobKey}`);
    await pane.shows('12 pending');

    // All of one requester at once.
    await pane.pressUntil('D', 'Deny 12 requests of the requester mallory');
    await pane.pressUntil('Space', 'all seen');
    await pane.pressUntil('Tab', 'Enter ends the number');
    for (const digit of '12') pane.press(digit);
    await pane.shows(/how many +12/);
    pane.press('Enter');
    await pane.pressUntil('Right', 'Enter signs 12 denials');
    pane.press('Enter');
    await pane.shows('nothing pending');
    signed.push(...several('flood', 12).map((resource): Signed => `bob deny ${resource}`));

    // One after the other, while others come and the terminal changes its size.
    await ask('demo.login', 'alice', ...several('web', 4));
    await pane.shows('4 pending');
    await confirmApproval();
    await ask('demo.login', 'dave', ...several('db', 4));
    for (const [columns, rows] of SIZES) pane.resize(columns, rows);
    // A storm may be over before the console has looked: this size it sees, at which not all of it fits.
    pane.resize(100, 24);
    // What was read at other widths is read again.
    await pane.shows('this cannot be signed');
    pane.resize(120, 40);
    await pane.pressUntil('Escape', 'Preview: ');
    await confirmApproval();
    await sign();
    await confirmDenial();
    await sign();
    await pane.shows('6 pending');

    // Stopped, and others go on.
    pane.press('C-z');
    await pane.shows('Stopped');
    await ask('demo.quick', 'erin', ...several('quick', 6));
    await ask('demo.login', 'frank', ...several('app', 6));
    for (const [verb, resource] of [
      ['approve', 'app-1'],
      ['deny', 'app-2'],
    ] as const) {
      const id = ids.get(resource) ?? '';
      const { digest } = JSON.parse(await broker.must('show', id, '--json', '--key', carolKey));
      await broker.must(verb, id, '--yes-i-read-it', digest, '--key', carolKey);
      signed.push(`carol ${verb} ${resource}`);
    }
    line('fg');
    await pane.shows(/● live.* 1\d pending/);

    // The broker dies under a decision, and comes back: then that one is signed, and no other.
    await pane.shows('10 pending');
    await confirmDenial();
    await broker.signal('SIGKILL');
    await pane.shows('▲ not connected');
    pane.press('Enter');
    await broker.start('--policy', join(broker.directory, 'policy.yaml'));
    client.close();
    client = new HttpClient(socketAddress(join(broker.data, 'broker.sock')));
    await pane.pressUntil('C-r', '● live');
    await pane.pressUntil('Right', 'Enter signs the denial');
    const storm = ask('demo.login', 'grace', ...several('late', 8));
    await sign();
    await storm;
    await pane.shows('17 pending');
    await confirmApproval();
    await sign();
    await confirmDenial();
    await sign();
    await pane.shows('15 pending');
    await pane.pressUntil('q', /shell:$/m);

    const file = join(broker.directory, 'log.jsonl');
    await broker.must('audit', 'export', file, '--key', bobKey);
    await broker.must('audit', 'verify', file);
    expect(decisionsOf(file)).toEqual([...signed].sort());
    const states = await statesOf();
    expect(Object.fromEntries(states)).toEqual({ approved: 3, denied: 16, expired: 6, pending: 15 });
  });

  /** Who signed what, by the receipts that the log holds. */
  function decisionsOf(file: string): string[] {
    const resources = new Map([...ids].map(([resource, id]) => [id, resource]));
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((text) => {
        const { kind = '', request, body } = text === '' ? {} : JSON.parse(text);
        if (!kind.startsWith('request.')) return [];
        const { receipt = '' } = JSON.parse(body);
        const [, verdict] = /^verdict: (\w+)$/m.exec(receipt) ?? [];
        const [, approver] = /^approver: (\w+)$/m.exec(receipt) ?? [];
        return verdict === undefined ? [] : [`${approver} ${verdict} ${resources.get(request)}`];
      })
      .sort();
  }

  async function statesOf(): Promise<Map<string, number>> {
    const { requests } = JSON.parse(await broker.must('list', '--state', 'all', '--json', '--key', bobKey));
    const counts = new Map<string, number>();
    for (const { state } of requests) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }
});

const SIZES = [
  [160, 50],
  [60, 15],
  [39, 9],
  [80, 24],
  [40, 10],
  [120, 40],
] as const;
