import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { DoorFixture, type Ended, inSeconds } from './door-fixture.js';
import { type Ask, FakeBroker, reply } from './fake-broker.js';

const TOOLS = ['root', 'mount namespaces', 'curl', 'ssh-keygen', 'flock', 'logger'];
const ID = '01J00000000000000000000000';

describeWith(TOOLS, 'the hook', () => {
  let broker: FakeBroker;
  let door: DoorFixture;
  beforeEach(async () => {
    broker = await FakeBroker.start();
    door = new DoorFixture(broker.port);
  });
  afterEach(async () => {
    await broker.stop();
    door.remove();
  });

  const approvedBy = (...names: string[]) =>
    reply('approved', {}, names.map((name) => door.receipt(broker.ask, name)).join(''));

  /** One line for the user, one for the log, the same id in both. */
  function expectEnd(ended: Ended, status: number, code: string, text: RegExp | string = ''): void {
    expect([ended.status, /code ([a-z0-9-]+)\n$/.exec(ended.log)?.[1]], ended.log).toEqual([status, code]);
    expect(ended.said).toMatch(/^countersign: [ -~]+ \(request (-|[0-9A-Z]{26})\)\n$/);
    expect(ended.said).toMatch(text);
    expect(ended.log.split('\n')).toHaveLength(2);
    expect(ended.log).toContain(/\(request .*\)/.exec(ended.said)?.[0]);
  }

  describe('asks, waits and opens', () => {
    test('opens for a login that is approved at once, and reports it', async () => {
      broker.onSubmit = () => approvedBy('bob');
      const ended = await door.login();
      expectEnd(ended, 0, 'approved', `approved by bob (request ${ID})`);
      expect(ended.log).toMatch(
        /^opened: approved by bob \(request 01J0+\); service sshd user root .* source 203.0.113.9 /,
      );
      expect(broker.of('reports').map(({ body }) => body)).toEqual([
        { claim: broker.ask.claim, code: 'approved', outcome: 'opened' },
      ]);
    });

    test('says what is asked for, and by whom, in its canonical form', async () => {
      door.settings.wait = '1';
      await door.login();
      const { document, canonical } = broker.ask;
      expect(JSON.stringify(document)).not.toBe('');
      expect(document).toMatchObject({
        action: 'ssh.login',
        context: {},
        details: { service: 'sshd', source: '203.0.113.9', tty: 'ssh', user: 'root' },
        door: 'host:web-1.example.com',
        duration: 0,
        requester: 'root',
        resource: 'web-1.example.com',
      });
      expect(canonical).toBe(
        JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(canonical)).sort())),
      );
    });

    test('names the digest of its signers file, so that the broker can tell who has an old one', async () => {
      broker.onSubmit = () => approvedBy('bob');
      await door.login();
      const signers = createHash('sha256')
        .update(readFileSync(door.file('signers')))
        .digest('hex');
      expect(broker.of('requests')[0]?.body).toMatchObject({ signers: `sha256:${signers}` });
    });

    test('waits for the decision with its watch token and the claim of its submit', async () => {
      broker.onRedeem = () => approvedBy('bob', 'carol');
      expectEnd(await door.login(), 0, 'approved', 'approved by bob,carol');
      const [redeem] = broker.of('redeem');
      expect(redeem?.path).toBe(`/v1/requests/${ID}/redeem`);
      expect(redeem?.headers).toMatchObject({
        authorization: `Bearer ${'w'.repeat(43)}`,
        prefer: 'wait=8',
        accept: 'text/plain',
      });
      expect(redeem?.body).toEqual({ claim: broker.ask.claim });
    });

    test('asks again while the broker says pending', async () => {
      broker.onRedeem = () =>
        broker.of('redeem').length < 3 ? reply('pending', { watch: null }) : approvedBy('bob');
      expectEnd(await door.login(), 0, 'approved');
      expect(broker.asks).toHaveLength(1);
    });

    test.each([
      ['denied', 2],
      ['expired', 3],
      ['lapsed', 3],
      ['cancelled', 4],
      ['revoked', 4],
      ['spent', 1],
    ] as const)('ends with a request that is %s while it waits, with status %i', async (state, status) => {
      broker.onRedeem = () => reply(state);
      expectEnd(await door.login(), status, state);
      expect(broker.of('reports')).toEqual([]);
      // The next login asks anew.
      const { nonce } = broker.ask.document;
      broker.onSubmit = () => approvedBy('bob');
      expectEnd(await door.login(), 0, 'approved');
      expect(broker.asks).toHaveLength(2);
      expect(broker.ask.document.nonce).not.toBe(nonce);
    });

    test('a login that timed out leaves its ask, and the next one claims the approval', async () => {
      door.settings.wait = '1';
      expectEnd(await door.login(), 3, 'waiting', /still waiting, log in again/);
      expect(broker.calls.map(({ method }) => method)).not.toContain('DELETE');
      broker.onSubmit = () => approvedBy('bob');
      expectEnd(await door.login(), 0, 'approved');
      const [first, second] = broker.asks;
      expect([second?.canonical, second?.claim]).toEqual([first?.canonical, first?.claim]);
      expect(second?.statement).not.toBe(first?.statement);
    });

    test.each([
      ['unattended', 'nobody who could approve has a console open: tell an approver'],
      ['notified', 'nobody who could approve has a console open, somebody is being notified'],
    ])('who waited in vain is told that the ask was %s, in words of the hook', async (code, words) => {
      door.settings.wait = '1';
      broker.onSubmit = () => reply('pending', { code, hint: 'EVIL' });
      broker.onRedeem = broker.onSubmit;
      const run = await door.login();
      expectEnd(run, 3, 'waiting', /still waiting, log in again/);
      expect(run.said).toContain(words);
      expect(run.said).not.toContain('EVIL');
    });

    test('a kept ask that has ended meanwhile is asked anew, once', async () => {
      door.settings.wait = '1';
      await door.login();
      broker.onSubmit = () => (broker.asks.length === 2 ? reply('denied') : approvedBy('bob'));
      expectEnd(await door.login(), 0, 'approved');
      const [first, second, third] = broker.asks.map(({ document, claim }) => `${document.nonce} ${claim}`);
      expect(second).toBe(first);
      expect(third).not.toBe(first);
    });

    test.each(['denied', 'revoked'] as const)(
      'what was %s while it waited opens nothing again, whatever the broker says later (A27, A61)',
      async (state) => {
        Object.assign(door.settings, { grants: 'yes', 'longest-duration': '3600' });
        broker.onRedeem = () => reply(state);
        await door.login();
        const [refused] = broker.asks;
        const [day = ''] = readdirSync(door.file('state/spent'));
        const record = door.file(`state/spent/${day}/${broker.ask.digest.slice(7)}`);
        expect(readFileSync(record, 'utf8')).toBe(`${state}\n`);
        broker.onSubmit = () =>
          reply(
            'approved',
            {},
            door.receipt(refused ?? broker.ask, 'bob', { covers: 'scope', duration: 3600 }),
          );
        expectEnd(await door.login(), 1, 'spent');
        expect(readFileSync(record, 'utf8')).toBe(`${state}\n`);
      },
    );

    test('a kept ask that was denied meanwhile opens nothing, though another one is made (A61)', async () => {
      Object.assign(door.settings, { wait: '1', grants: 'yes', 'longest-duration': '3600' });
      await door.login();
      const [kept] = broker.asks;
      broker.onSubmit = () =>
        broker.asks.length === 2
          ? reply('denied')
          : reply('approved', {}, door.receipt(kept ?? broker.ask, 'bob', { covers: 'scope', duration: 60 }));
      expectEnd(await door.login(), 1, 'spent');
    });

    test('a grant that was revoked after a use has no other (A27)', async () => {
      Object.assign(door.settings, { grants: 'yes', 'longest-duration': '3600' });
      const grant = (asked: Ask) =>
        reply('approved', {}, door.receipt(asked, 'bob', { covers: 'scope', duration: 3600, uses: 0 }));
      broker.onSubmit = grant;
      expectEnd(await door.login(), 0, 'approved');
      const { ask } = broker;
      broker.onSubmit = () => grant(ask);
      expectEnd(await door.login(), 0, 'approved');
      const [day = ''] = readdirSync(door.file('state/spent'));
      const record = door.file(`state/spent/${day}/${ask.digest.slice(7)}`);
      appendFileSync(record, 'revoked\n');
      expectEnd(await door.login(), 1, 'spent');
    });

    test('an end of the new ask too is the result', async () => {
      door.settings.wait = '1';
      await door.login();
      broker.onSubmit = () => reply('cancelled');
      expectEnd(await door.login(), 4, 'cancelled');
      expect(broker.asks).toHaveLength(3);
    });

    test('logins that differ in anything bound are different asks (A2)', async () => {
      door.settings.wait = '1';
      const ends = await Promise.all(
        [
          {},
          { PAM_RHOST: '203.0.113.10' },
          { PAM_TTY: 'ssh2' },
          { PAM_SERVICE: 'login' },
          { PAM_USER: 'nobody' },
        ].map((env) => door.login(env)),
      );
      for (const ended of ends) expectEnd(ended, 3, 'waiting');
      expect(new Set(broker.asks.map(({ scope }) => scope)).size).toBe(5);
      expect(new Set(broker.asks.map(({ document, claim }) => `${document.nonce}${claim}`)).size).toBe(5);
    });

    test('of two equal logins one uses the approval, and the other asks anew (A55)', async () => {
      const claims = new Map<string, string>();
      broker.onSubmit = (ask) => {
        const isFirst = (claims.size === 0 && claims.set(ask.digest, ask.claim)) || claims.has(ask.digest);
        return isFirst ? approvedBy('bob') : reply('pending');
      };
      broker.onRedeem = () => reply('denied');
      door.settings.wait = '1';
      const both = await Promise.all([door.login(), door.login()]);
      expect(both.map(({ status }) => status).sort()).toEqual([0, 2]);
      expect(new Set(broker.asks.map(({ document }) => document.nonce)).size).toBe(2);
    });

    test('an approval that was used here opens nothing again, even if a killed run left its ask', async () => {
      broker.onSubmit = () => approvedBy('bob');
      expectEnd(await door.login(), 0, 'approved');
      const { document, claim } = broker.ask;
      const [day] = readdirSync(door.file('state/asks'));
      const scope = broker.ask.scope.slice(7);
      writeFileSync(door.file(`state/asks/${day}/${scope}`), `${document.nonce}\n${claim}\n`);
      expectEnd(await door.login(), 0, 'approved');
      expect(broker.ask.document.nonce).not.toBe(document.nonce);
    });
  });

  describe('a broker that is not well', () => {
    test('is tried three times if it was never reached (A41)', async () => {
      let connections = 0;
      const mute = createServer((socket) => {
        connections += 1;
        socket.destroy();
      }).listen(0, '127.0.0.1');
      await once(mute, 'listening');
      door.settings.broker = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
      expectEnd(await door.login(), 1, 'unreachable', /the broker cannot be reached/);
      expect(connections).toBe(3);
      mute.close();
    });

    test.each([
      ['that breaks off while the login waits', 'break'],
      ['that forgot the watch token', 'unauthenticated'],
      ['that is stopping', 'draining'],
      ['behind a gateway that fails', 'gateway'],
    ])('%s is asked again with the same ask', async (_, how) => {
      broker.onRedeem = (_ask, response) => {
        if (broker.of('redeem').length > 1) return approvedBy('bob');
        if (how === 'break') return void response.destroy();
        if (how === 'gateway') return void response.writeHead(502).end('<html>bad gateway</html>');
        return reply('error', { code: how as 'draining', hint: 'hint' });
      };
      expectEnd(await door.login(), 0, 'approved');
      const [first, second] = broker.asks;
      expect([second?.canonical, second?.claim]).toEqual([first?.canonical, first?.claim]);
      expect(second?.statement).not.toBe(first?.statement);
    });

    test('whose reply is cut at any place is asked again, and the door opens once (A60)', async () => {
      const cuts = [0, 1, 40, 700, -1];
      broker.onRedeem = (_, response) => {
        const whole = Buffer.from(approvedBy('bob'));
        const cut = cuts.shift();
        response.setHeader('content-length', whole.length);
        if (cut === undefined) return whole;
        response.write(whole.subarray(0, cut), () => response.destroy());
        return undefined;
      };
      door.settings.wait = '30';
      expectEnd(await door.login(), 0, 'approved');
      expect(broker.of('redeem')).toHaveLength(6);
      expect(new Set(broker.of('redeem').map(({ body }) => body.claim)).size).toBe(1);
      expect(broker.of('reports')).toHaveLength(1);
    });

    test('that refuses the submitter says so with its code, and the log has its hint', async () => {
      broker.onSubmit = () =>
        reply('error', { id: null, watch: null, code: 'submitter-limits', hint: 'widen it; rm -rf $(x)' });
      const ended = await door.login();
      expectEnd(ended, 1, 'submitter-limits', 'the broker refuses: submitter-limits');
      expect(ended.said).not.toContain('rm -rf');
      expect(ended.log).toContain('widen\\ it');
    });

    test.each([
      ['an empty reply', ''],
      ['a NUL', `${reply('pending')}\0`],
      ['a reply of 64 KiB and one byte', reply('pending') + 'x'.repeat(65_536)],
      ['no final newline', reply('pending').slice(0, -1)],
      ['approved without receipts', reply('approved')],
      ['a web page', '<!doctype html>\n'],
    ])('%s keeps the door shut (A52)', async (_, text) => {
      broker.onSubmit = () => text;
      const ended = await door.login();
      expect([ended.status, ended.log]).toEqual([1, expect.stringMatching(/code (bad-reply|no-receipt)\n$/)]);
    });

    test('what was approved but does not hold is reported as refused, and asked anew next time', async () => {
      broker.onSubmit = (ask) => reply('approved', {}, door.receipt(ask, 'bob', {}, 'carol'));
      expectEnd(await door.login(), 1, 'bad-signature');
      expect(broker.of('reports').map(({ body }) => body)).toEqual([
        { claim: broker.ask.claim, code: 'bad-signature', outcome: 'refused' },
      ]);
      const { nonce } = broker.ask.document;
      broker.onSubmit = () => approvedBy('bob');
      expectEnd(await door.login(), 0, 'approved');
      expect(broker.ask.document.nonce).not.toBe(nonce);
    });
  });

  describe('what a receipt must say', () => {
    test.each([
      ['of a no', { verdict: 'deny' }, 'deny-receipt'],
      ['for another broker', { broker: `SHA256:${'b'.repeat(42)}A` }, 'wrong-broker'],
      ['for another door', { door: 'host:web-2.example.com' }, 'wrong-door'],
      ['for another scope', { scope: `sha256:${'0'.repeat(64)}` }, 'wrong-scope'],
      ['for another request', { request: `sha256:${'0'.repeat(64)}` }, 'wrong-request'],
      ['for another requester', { requester: 'alice' }, 'wrong-requester'],
      ['of somebody who is not enrolled', { approver: 'mallory' }, 'unknown-approver'],
      ['that is a grant', { covers: 'scope' }, 'grant-refused'],
      ['that ended', () => ({ decided: inSeconds(-700), notAfter: inSeconds(-1) }), 'too-late'],
      ['that is good until 2099', { notAfter: Date.UTC(2099, 0, 1) }, 'too-long'],
      [
        'of a clock that is two minutes ahead',
        () => ({ decided: inSeconds(120), notAfter: inSeconds(500) }),
        'clock-skew',
      ],
      ['for work without a limit', { duration: 3600 }, 'too-long'],
    ])('one %s keeps the door shut (A22, A61)', async (_, changes, code) => {
      broker.onSubmit = (ask) =>
        reply('approved', {}, door.receipt(ask, 'bob', typeof changes === 'function' ? changes() : changes));
      expectEnd(await door.login(), 1, code);
    });

    test('one bad receipt among good ones keeps the door shut', async () => {
      broker.onSubmit = (ask) =>
        reply('approved', {}, door.receipt(ask, 'bob') + door.receipt(ask, 'carol', { door: 'host:x' }));
      expectEnd(await door.login(), 1, 'wrong-door');
    });

    test('the same person twice is one person (A14)', async () => {
      door.settings.people = '2';
      broker.onSubmit = (ask) =>
        reply('approved', {}, door.receipt(ask, 'bob') + door.receipt(ask, 'bob', { comment: 'again' }));
      expectEnd(await door.login(), 1, 'no-quorum', '1 of 2 people');
    });

    test('a requester who is one person does not approve himself; a shared one needs one more (A8, A56)', async () => {
      door.enrol('bob', 'carol', 'alice,root');
      broker.onSubmit = (ask) => reply('approved', {}, door.receipt(ask, 'alice'));
      expectEnd(await door.login(), 1, 'no-quorum', 'alice is the requester');
      door.enrol('bob', 'carol', 'alice');
      door.settings['shared-requester'] = 'one-more';
      broker.onSubmit = () => approvedBy('alice');
      expectEnd(await door.login(), 1, 'no-quorum');
      broker.onSubmit = () => approvedBy('alice', 'bob');
      expectEnd(await door.login(), 0, 'approved');
    });

    test('nobody is asked where nobody can approve', async () => {
      door.settings['required-groups'] = 'oncall:1,nosuch:1';
      expectEnd(await door.login(), 1, 'no-quorum', 'nobody can approve this: 0 of 1 people of nosuch');
      expect(broker.calls).toEqual([]);
    });

    test('the signers file counts as it is when the approval comes', async () => {
      broker.onRedeem = () => {
        door.enrol('carol');
        return approvedBy('bob');
      };
      expectEnd(await door.login(), 1, 'unknown-approver');
    });

    test('a grant, where the door takes them, is used as often as it says, whatever the nonce (A53)', async () => {
      Object.assign(door.settings, { grants: 'yes', 'longest-duration': '3600' });
      let grant = '';
      broker.onSubmit = (ask) => {
        grant ||= door.receipt(ask, 'bob', { covers: 'scope', duration: 3600, uses: 2 });
        return reply('approved', {}, grant);
      };
      expectEnd(await door.login(), 0, 'approved');
      expectEnd(await door.login(), 0, 'approved');
      expectEnd(await door.login(), 1, 'spent');
    });
  });

  describe('who is asked about', () => {
    const command = {
      PAM_SERVICE: 'sudo',
      PAM_USER: 'nobody',
      PAM_RUSER: 'nobody',
      PAM_RHOST: '',
      PAM_TTY: '/dev/pts/7',
    };

    test('sudo binds command line, directory, terminal and what decides which program runs (A64)', async () => {
      broker.onSubmit = () => approvedBy('bob');

      // Nothing is said: it would stand in the output of the command.
      expect(await door.login(command)).toMatchObject({ status: 0, said: '' });
      const { action, requester, details } = broker.ask.document;
      // The parent of the hook is this process.
      expect([action, requester]).toEqual(['sudo.run', 'nobody']);
      expect(details).toEqual({
        argv: readFileSync('/proc/self/cmdline', 'utf8').split('\0').slice(0, -1),
        cwd: process.cwd(),
        environment: expect.arrayContaining([expect.stringMatching(/^PATH=/)]),
        ruser: 'nobody',
        service: 'sudo',
        source: '',
        tty: '/dev/pts/7',
        user: 'nobody',
      });
    });

    test('root passes sudo and su unasked, but not by name alone', async () => {
      const asRoot = { ...command, PAM_RUSER: 'root' };
      const { status, said, log } = await door.login(asRoot);
      expect([status, said, broker.calls]).toEqual([0, '', []]);
      expect(log).toMatch(/^opened: root needs no approval .* code root\n$/);
      broker.onSubmit = () => reply('denied');
      expectEnd(await door.login({ ...asRoot, PAM_SERVICE: 'sshd' }), 2, 'denied');
    });

    test.each([
      [{ users: 'nobody' }, { PAM_USER: 'root' }, 'unlisted'],
      [{ groups: 'daemon' }, { PAM_USER: 'root' }, 'unlisted'],
      [{ 'exempt-group': 'root' }, { PAM_USER: 'root' }, 'exempt'],
      [{ users: 'root', 'exempt-group': 'root' }, { PAM_USER: 'root' }, 'exempt'],
    ])('%j lets %j in unasked, even with a broken signers file', async (settings, env, code) => {
      Object.assign(door.settings, settings);
      writeFileSync(door.file('signers'), 'garbage');
      const { status, said, log } = await door.login(env);
      expect([status, said, broker.calls]).toEqual([0, '', []]);
      expect(log).toContain(`code ${code}\n`);
    });

    test.each([
      [{ users: 'root,nobody' }, { PAM_USER: 'nobody' }],
      [{ groups: 'daemon,root' }, { PAM_USER: 'root' }],
      [{ 'exempt-group': 'daemon' }, { PAM_USER: 'root' }],
      [{ users: 'nobody' }, { PAM_SERVICE: 'su', PAM_USER: 'nobody', PAM_RUSER: 'daemon' }],
    ])('%j asks about %j', async (settings, env) => {
      Object.assign(door.settings, settings);
      broker.onSubmit = () => reply('denied');
      expectEnd(await door.login(env), 2, 'denied');
    });

    test.each([
      ['another type of PAM', { PAM_TYPE: 'auth' }, 'wrong-type'],
      ['no type', { PAM_TYPE: '' }, 'wrong-type'],
      ['no service', { PAM_SERVICE: '' }, 'bad-service'],
      ['a service that is a path', { PAM_SERVICE: '../sshd' }, 'bad-service'],
      ['no user', { PAM_USER: '' }, 'bad-name'],
      ['a number for a user', { PAM_USER: '0' }, 'bad-name'],
      ['a user that nobody knows', { PAM_USER: 'x[$(touch T)]' }, 'unknown-user'],
      ['a user that looks like an option', { PAM_USER: '--help' }, 'unknown-user'],
      ['sudo without its caller', { PAM_SERVICE: 'sudo' }, 'bad-name'],
      ['a name of 1,025 bytes', { PAM_RHOST: 'a'.repeat(1025) }, 'bad-name'],
    ])('%s keeps the door shut, and nobody is asked (A65)', async (_, env, code) => {
      expectEnd(await door.login(env), 1, code);
      expect(broker.calls).toEqual([]);
    });

    test.each([
      ['a user', { users: 'nosuchuser' }, 'unknown-user'],
      ['a group', { groups: 'nosuchgroup' }, 'unknown-group'],
      ['an exempt group', { 'exempt-group': 'nosuchgroup' }, 'unknown-group'],
    ])('%s of the configuration that does not exist keeps the door shut (A65)', async (_, settings, code) => {
      Object.assign(door.settings, settings);
      expectEnd(await door.login(), 1, code);
    });

    test('names are bound as they are, and the log escapes them', async () => {
      broker.onSubmit = () => approvedBy('bob');
      const source = '"; touch T #\n\u001b[31m\\ é \u202e %n $(x) `x`';
      const bytes = Buffer.from(source).toString('latin1');
      const { status, said, log } = await door.login({ PAM_RHOST: bytes, PAM_TTY: "'\t" });
      expect(status).toBe(0);
      expect(broker.ask.document.details).toMatchObject({ source, tty: "'\t" });
      expect(said).toBe(`countersign: approved by bob (request ${ID})\n`);
      expect(log).toMatch(/^[ -~]+\n$/);
    });

    test('bytes that are not UTF-8 keep the door shut', async () => {
      const { status, log } = await door.login({ PAM_RHOST: 'a\xe9' });
      expect([status, log]).toEqual([1, expect.stringMatching(/source \$'a\\351' .* code bad-name\n$/)]);
    });
  });

  describe('a client that goes away', () => {
    test('ends the wait, and the broker is told that nobody waits', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const client = dial(port, '127.0.0.1');
      const [accepted] = (await once(server, 'connection')) as [Socket];
      const { ended } = door.start({ SSH_CONNECTION: `127.0.0.1 ${client.localPort} 127.0.0.1 ${port}` });
      await broker.hears(({ path }) => path.endsWith('/redeem'));
      client.end();
      const end = await ended;
      expect([end.status, end.log]).toEqual([4, expect.stringMatching(/code client-gone\n$/)]);
      expect(broker.calls.at(-1)).toMatchObject({ method: 'DELETE', path: `/v1/requests/${ID}` });
      accepted.destroy();
      server.close();
    });

    test('so does a signal that ends the hook', async () => {
      const { pid, ended } = door.start();
      await broker.hears(({ path }) => path.endsWith('/redeem'));
      process.kill(pid, 'SIGTERM');
      expectEnd(await ended, 1, 'killed');
      expect(broker.calls.at(-1)).toMatchObject({ method: 'DELETE', path: `/v1/requests/${ID}` });
    });

    test('no approval is used for it', async () => {
      const { ended } = door.start({ SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 2' });
      broker.onRedeem = () => approvedBy('bob');
      expect((await ended).status).toBe(4);
      expect(readdirSync(door.file('state/spent'), { recursive: true })).toHaveLength(1);
      broker.onSubmit = () => approvedBy('bob');
      const [{ claim } = broker.ask] = broker.asks;
      expectEnd(await door.login(), 0, 'approved');
      expect(broker.ask.claim).toBe(claim);
    });
  });

  describe('observe', () => {
    beforeEach(() => {
      door.settings.mode = 'observe';
    });

    test('asks once, lets in, and never waits', async () => {
      const { status, said, log } = await door.login();
      expect([status, said]).toEqual([0, '']);
      expect(log).toMatch(/^observed: enforce would exit 3: nobody has answered yet .* code pending\n$/);
      expect([broker.of('requests').length, broker.of('redeem').length]).toEqual([1, 0]);
      expect(broker.of('reports').map(({ body }) => body)).toEqual([
        { claim: broker.ask.claim, code: 'pending', outcome: 'observed' },
      ]);
      await door.login();
      expect(new Set(broker.asks.map(({ digest }) => digest)).size).toBe(2);
    });

    test('is never green, even where the door would have opened', async () => {
      broker.onSubmit = () => approvedBy('bob');
      expect((await door.login()).log).toMatch(/^observed: enforce would exit 0: approved by bob/);
      expect(broker.of('reports').map(({ body }) => body.outcome)).toEqual(['observed']);
    });

    test.each([
      ['a broken signers file', () => writeFileSync(door.file('signers'), 'garbage'), 'bad-signers'],
      [
        'a broker that is not there',
        () => Object.assign(door.settings, { broker: 'http://127.0.0.1:1' }),
        'unreachable',
      ],
      ['a state that others can write', () => chmodSync(door.file('state'), 0o777), 'unsafe-file'],
    ])('lets in and logs %s', async (_, spoil, code) => {
      spoil();
      const { status, said, log } = await door.login();
      expect([status, said]).toEqual([0, '']);
      expect(log).toMatch(new RegExp(`^observed: enforce would exit 1: .* code ${code}\n$`));
    });

    test('counts only in a configuration that root alone can have written, and that is whole (A65)', async () => {
      door.settings.nonsense = 'yes';
      expectEnd(await door.login(), 1, 'bad-config');
      delete door.settings.nonsense;
      expectEnd(await door.login({}, `chmod 666 ${door.file('pam.conf')}`), 1, 'unsafe-file');
    });
  });

  describe('a careless or hostile host (A65)', () => {
    test.each([
      ['signers', 'chmod 664 DIR/signers'],
      ['state', 'chmod 1777 DIR/state'],
      ['configuration', 'chown nobody DIR/pam.conf'],
      ['directory', 'chmod g+w DIR'],
      ['key', 'chmod 602 DIR/host-key'],
      ['module', 'chmod o+w DIR/libexec/door/quorum.sh'],
      ['directory of modules', 'chown daemon DIR/libexec/door'],
      ['hook', 'chmod o+w DIR/libexec/countersign-pam'],
      ['signers that are a link', 'mv DIR/signers DIR/real && ln -s DIR/real DIR/signers'],
      ['missing signers', 'rm DIR/signers'],
      ['missing state', 'rmdir DIR/state'],
    ])('%s: shut, and nobody is asked', async (_, spoil) => {
      const { status, log } = await door.login({}, spoil.replaceAll('DIR', door.directory));
      expect([status, log]).toEqual([1, expect.stringMatching(/code (unsafe|missing)-file\n$/)]);
      expect(broker.calls).toEqual([]);
    });

    test('no variable of the environment changes anything', async () => {
      broker.onSubmit = () => reply('denied');
      const file = door.file('T');
      writeFileSync(door.file('env.sh'), `touch ${file}\n`);
      const ended = await door.login({
        BASH_ENV: door.file('env.sh'),
        ENV: door.file('env.sh'),
        'BASH_FUNC_curl%%': '() { exit 0; }',
        SHELLOPTS: 'xtrace',
        PS4: `$(touch ${file})`,
        PATH: door.directory,
        LC_ALL: 'tr_TR.UTF-8',
        POSIXLY_CORRECT: '1',
        FUNCNEST: '1',
        TMOUT: '1',
        BASH_SOURCE: `${door.directory}/elsewhere`,
        EUID: '7',
        EPOCHSECONDS: '1',
        end_status: '0',
        end_code: 'approved',
        observing: 'yes',
        here: door.directory,
        run: '/etc/x',
        known_keys_file: '/dev/null',
        https_proxy: 'http://127.0.0.1:1',
        http_proxy: 'http://127.0.0.1:1',
        ALL_PROXY: 'http://127.0.0.1:1',
        CURL_HOME: door.directory,
        HOME: door.directory,
        SSH_AUTH_SOCK: '/nonexistent',
        SSH_ASKPASS: '/nonexistent',
      });
      expectEnd(ended, 2, 'denied');
      expect(readdirSync(door.directory)).not.toContain('T');
    });

    test('a clock before the latest use keeps the door shut (A41)', async () => {
      broker.onSubmit = () => approvedBy('bob');
      expectEnd(await door.login(), 0, 'approved');
      const clock = door.file('state/clock');
      writeFileSync(clock, `${String(inSeconds(3600) / 1000).padStart(12, '0')}\n`);
      expectEnd(await door.login(), 1, 'clock-back');
      writeFileSync(clock, 'x[$(touch T)]\n');
      expectEnd(await door.login(), 1, 'clock-unknown');
    });

    test('a state that cannot be written keeps the door shut (A41)', async () => {
      const readOnly = `mount --bind ${door.file('state')} ${door.file('state')} && mount -o remount,bind,ro ${door.file('state')}`;
      expectEnd(await door.login({}, readOnly), 1, 'state-failed');
      const full = `mount -t tmpfs -o size=4k,nr_inodes=9,mode=700 full ${door.file('state')}`;
      broker.onSubmit = () => approvedBy('bob');
      expectEnd(await door.login({}, full), 1, 'state-failed');
    });

    test('a run that was killed in the middle of writing leaves nothing that opens', async () => {
      broker.onSubmit = () => approvedBy('bob');
      expectEnd(await door.login(), 0, 'approved');
      const day = readdirSync(door.file('state/spent'))[0];
      const [used = ''] = readdirSync(door.file(`state/spent/${day}`));
      writeFileSync(door.file(`state/spent/${day}/${used}`), '');
      const [scope] = [broker.ask.scope.slice(7)];
      writeFileSync(door.file(`state/asks/${day}/${scope}`), broker.ask.document.nonce.slice(0, 7));
      expectEnd(await door.login(), 0, 'approved');
      expect(`sha256:${used}`).not.toBe(broker.ask.digest);
    });

    test('wired with other arguments it stays shut', async () => {
      expectEnd(await door.login({}, '', ['--verbose']), 1, 'usage');
    });
  });
});
