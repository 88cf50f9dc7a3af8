import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseSubmit } from '../../../src/protocol/statements.js';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { approved } from './evil-broker.js';
import { keys, receipt } from './people.js';
import { onMachine } from './stage.js';

const TOOLS_OF_THE_HOOK = [
  'base64',
  'curl',
  'flock',
  'getent',
  'id',
  'logger',
  'mkdir',
  'od',
  'readlink',
  'rm',
  'sha256sum',
  'sleep',
  'ssh-keygen',
  'stat',
  'sync',
];

onMachine('A door on a machine whose tools lie or fail', (stage) => {
  let genuine = '';
  let stubs = 0;
  beforeAll(() => {
    genuine = join(stage.machine.directory, 'ssh-keygen');
    copyFileSync('/usr/bin/ssh-keygen', genuine);
    chmodSync(genuine, 0o755);
  });

  function stub(text: string): string {
    stubs += 1;
    const file = join(stage.machine.directory, `stub-${stubs}`);
    writeFileSync(file, `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    return file;
  }

  /** Puts a stub where the hook finds the tool, for one run. */
  const instead = (tool: string, text: string): string =>
    `mount --bind ${stub(text)} "$(command -v ${tool})"\n`;
  /** An ssh-keygen that signs as ever, and verifies like this. */
  const verifying = (text: string): string =>
    instead('ssh-keygen', `[[ $2 != sign ]] || exec ${genuine} "$@"\n${text}`);

  async function login(before: string, key = keys.bob, environment = {}, logs = true) {
    const { door, broker } = await stage.door();
    broker.conduct = { redeem: (ask) => approved(ask, receipt(broker, ask, { key })) };
    return { door, broker, end: await door.login({ before, environment, logs }) };
  }

  test("A56 a program on the caller's PATH is never run", async () => {
    const directory = stage.machine.makeDirectory();
    for (const tool of [...TOOLS_OF_THE_HOOK, 'bash', 'sh', 'env', 'date', 'cat'])
      writeFileSync(join(directory, tool), `#!/bin/sh\ntouch ${stage.marker}\n`, { mode: 0o755 });
    const { end } = await login('', keys.bob, { PATH: directory });
    expectOpen(end);
    expectShut((await login('', keys.stranger, { PATH: `${directory}:.` })).end, 'bad-signature');
  });

  test('A56 the stub stands where the hook looks: one that passes everything on opens', async () => {
    expectOpen((await login(verifying(`exec ${genuine} "$@"`))).end);
  });

  test('A56 an ssh-keygen that fails, says Good or both never opens, not even for a genuine receipt', async () => {
    const good = (name: string): string =>
      `echo 'Good "decision@countersign" signature for ${name} with ED25519 key SHA256:${'A'.repeat(43)}'`;
    const verdicts = [
      'exit 255',
      'exit 1',
      'exit 137',
      'kill -9 $$',
      'exit 0',
      'echo Good; exit 0',
      'echo Good >&2; exit 0',
      `${good('bob')}; exit 1`,
      `${good('bob')}; exit 255`,
      `${good('bob')}; exit 137`,
      `${good('bob')}; kill -9 $$`,
      `${good('carol')}; exit 0`,
      `${good('bobby')}; exit 0`,
      `echo x; ${good('bob')}; exit 0`,
      `${good('bob')}; echo x; exit 0`,
      `${good('bob').replace('decision@', 'session@')}; exit 0`,
      'rm -f "$0"; exit 126',
    ];
    await eachOf(
      verdicts.flatMap((verdict) => [keys.bob, keys.stranger].map((key) => ({ verdict, key }))),
      ({ verdict, key }) => `${verdict} for ${key === keys.bob ? 'a genuine receipt' : 'a forged one'}`,
      async ({ verdict, key }) => {
        const { door, end } = await login(verifying(verdict), key);
        expectShut(end, 'bad-signature');
        expect(door.uses).toBe(0);
      },
    );
  });

  test('A56 no other tool that fails or says nothing makes a forged receipt open', async () => {
    const failures = ['exit 0', 'exit 1', 'kill -9 $$'];
    await eachOf(
      TOOLS_OF_THE_HOOK.flatMap((tool) => failures.map((text) => ({ tool, text }))),
      ({ tool, text }) => `${tool}: ${text}`,
      async ({ tool, text }) => {
        const { door, end } = await login(instead(tool, text), keys.stranger, {}, tool !== 'logger');
        expect({ exit: end.exit, output: end.output }).toEqual({
          exit: 1,
          output: expect.stringMatching(/^countersign: [ -~]+\n$/),
        });
        expect(door.uses).toBe(0);
      },
    );
  });

  test('A41 a use that cannot be made durable does not open', async () => {
    const { door } = await stage.approvedDoor();
    expectOpen(await door.login());
    for (const tool of ['sync', 'flock']) {
      expectShut(await door.login({ before: instead(tool, 'exit 1') }), 'state-failed');
    }
    expectOpen(await door.login());
  });

  test('A56 the limits and ignored signals of a caller never open without a record, or twice', async () => {
    const limits = [
      '-f 0',
      '-f 1',
      '-f 8',
      '-n 4',
      '-n 8',
      '-n 12',
      '-n 16',
      '-v 4000',
      '-v 8000',
      '-v 20000',
      '-s 64',
      '-t 0',
    ];
    const signals = ['', "trap '' XFSZ PIPE CHLD TERM HUP XCPU\n"];
    const opened = new Set<string>();
    await eachOf(
      limits.flatMap((limit) => signals.map((ignored) => ({ limit, ignored }))),
      ({ limit, ignored }) => `${ignored}ulimit ${limit}`,
      async ({ limit, ignored }) => {
        const { door, broker } = await stage.door({ config: { wait: '3' } });
        let shown = '';
        broker.conduct = {
          redeem: (ask) => {
            shown ||= receipt(broker, ask);
            return approved(ask, shown);
          },
        };
        const first = await door.login({ before: `${ignored}ulimit ${limit}\n`, logs: false });
        if (first.exit === 0) {
          opened.add(limit);
          expect(door.uses).toBe(1);
        }
        const later = [await door.login(), await door.login()].filter(({ exit }) => exit === 0);
        expect(later.length).toBeLessThanOrEqual(first.exit === 0 ? 0 : 1);
        expect(door.uses).toBeLessThanOrEqual(1);
      },
    );
    expect(opened.size).toBeGreaterThan(0);
    expect(opened.size).toBeLessThan(limits.length);
  });

  test('A56 what the caller puts into the environment changes nothing', async () => {
    const hostile = {
      BASH_ENV: stub(`touch ${stage.marker}`),
      ENV: stub(`touch ${stage.marker}`),
      SHELLOPTS: 'noexec:xtrace',
      BASHOPTS: 'extdebug:expand_aliases',
      PS4: `$(touch ${stage.marker})`,
      'BASH_FUNC_curl%%': `() { touch ${stage.marker}; }`,
      'BASH_FUNC_printf%%': `() { touch ${stage.marker}; }`,
      GLOBIGNORE: '*',
      EXECIGNORE: '/nowhere/*',
      IFS: '0123456789:/',
      POSIXLY_CORRECT: '1',
      BASH_COMPAT: '3.1',
      FUNCNEST: '1',
      TMOUT: '1',
      TMPDIR: '/nonexistent',
      TZ: 'America/New_York',
      LC_ALL: 'C.UTF-8',
      EPOCHSECONDS: '1',
      HOME: stage.machine.makeDirectory(),
      CURL_HOME: stage.machine.makeDirectory(),
      http_proxy: 'http://127.0.0.1:9',
      ALL_PROXY: 'http://127.0.0.1:9',
      CURL_CA_BUNDLE: '/nonexistent',
      SSH_AUTH_SOCK: '/nonexistent',
      SSH_SK_PROVIDER: '/nonexistent',
      SSH_ASKPASS: stub(`touch ${stage.marker}`),
    };
    writeFileSync(join(hostile.CURL_HOME, '.curlrc'), 'proxy = "http://127.0.0.1:9"\n');
    const { broker, end: honest } = await login('', keys.bob, hostile);
    expectOpen(honest);
    const { issued } = parseSubmit(broker.ask.statement.statement);
    expect(Math.abs(issued - Date.now())).toBeLessThan(60_000);
    const { door, end } = await login('', keys.stranger, hostile);
    expectShut(end, 'bad-signature');
    expect(door.uses).toBe(0);
  });

  test('A56 the variables of the hook cannot be set from outside', async () => {
    const names = variablesOfTheHook(stage.machine.hook);
    expect(names).toContain('end_status');
    expect(names.length).toBeGreaterThan(100);
    for (const value of [`x[$(touch ${stage.marker})]`, '0', 'yes', '', 'bob']) {
      const hostile = Object.fromEntries(names.map((name) => [name, value]));
      const { door, end } = await login('', keys.stranger, hostile);
      expect(end.exit, end.log).toBe(1);
      expect(door.uses).toBe(0);
      const honest = await login('', keys.bob, hostile);
      expect(honest.end.exit, honest.end.log).toBe(0);
    }
  });
});

/** The names to which the hook assigns anywhere. */
function variablesOfTheHook(hook: string): string[] {
  const names = new Set<string>();
  const modules = join(hook, '../door');
  for (const file of [hook, ...readdirSync(modules).map((name) => join(modules, name))]) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/\b([a-z_][a-z0-9_]*)(?:\+?=|\[)/g))
      names.add(name);
  }
  return [...names].sort();
}
