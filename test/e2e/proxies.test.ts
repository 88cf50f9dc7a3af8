import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSelfSigned } from '../broker/tls/self-signed.js';
import { BrokerProcess, CLI, countersign, type RunningProgram, start, until } from './programs.js';
import { Readme } from './readme/blocks.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

/** A proxy as the README sets it up, on free ports. */
interface Recipe {
  readonly tool: string;
  /** Language of its block in the README. */
  readonly language: string;
  /** Puts ports, certificate and folders of the test into the recipe. */
  readonly adapt: (recipe: string, setting: Setting) => string;
  readonly command: (file: string, directory: string) => readonly [string, ...string[]];
}

interface Setting {
  readonly port: number;
  readonly broker: number;
  readonly certificate: string;
  readonly key: string;
  readonly directory: string;
}

const NGINX: Recipe = {
  tool: 'nginx',
  language: 'nginx',
  adapt: (recipe, { port, broker, certificate, key, directory }) => {
    const server = recipe
      .replace('listen 443', `listen 127.0.0.1:${port}`)
      .replace('approvals.example.com;', 'localhost;')
      .replace(/\/etc\/letsencrypt\S*fullchain\.pem/, certificate)
      .replace(/\/etc\/letsencrypt\S*privkey\.pem/, key)
      .replace('127.0.0.1:7433', `127.0.0.1:${broker}`);
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${directory}/${name};`)
      .join('\n');
    return `daemon off;\npid ${directory}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${folders}\n${server}}\n`;
  },
  command: (file, directory) => [
    'sh',
    '-c',
    'PATH=$PATH:/usr/sbin; user=$(id -un); exec nginx -p "$1" -g "user $user;" -c "$0"',
    file,
    directory,
  ],
};

const CADDY: Recipe = {
  tool: 'caddy',
  language: 'caddyfile',
  adapt: (recipe, { port, broker, certificate, key, directory }) =>
    `{\nadmin off\nauto_https off\nstorage file_system ${directory}\n}\n` +
    recipe
      .replace('approvals.example.com {', `https://localhost:${port} {\ntls ${certificate} ${key}`)
      .replace('127.0.0.1:7433', `127.0.0.1:${broker}`),
  command: (file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
};

for (const recipe of [NGINX, CADDY]) {
  describeWith(
    [recipe.tool, 'curl', 'openssl', 'tmux'],
    `a broker behind ${recipe.tool}, as the README says`,
    () => {
      let broker: BrokerProcess;
      let bob: string;
      let certificate: string;
      const started: RunningProgram[] = [];
      let url: string;
      let asking: readonly string[];

      beforeAll(async () => {
        broker = new BrokerProcess();
        bob = await broker.enrol('bob');
        const token = join(broker.directory, 'token');
        writeFileSync(
          token,
          await broker.must(
            ...['submitter', 'add', 'ci', '--token', '--action', '*'],
            ...['--resource', '*', '--door', '*', '--requester', '*'],
          ),
          { mode: 0o600 },
        );
        asking = [
          'request',
          'db.migrate',
          '--resource',
          'orders',
          '--door',
          'job',
          '--requester',
          'alice',
          '--token-file',
          token,
        ];
        await broker.start();
        ({ certificate } = makeSelfSigned(broker.directory, 'proxy', { alternative: 'DNS:localhost' }));
        url = await startProxy();
      });
      afterAll(async () => {
        for (const { child, outcome } of started) {
          child.kill('SIGTERM');
          await outcome;
        }
        await broker?.remove();
      });

      /** Starts the proxy of the README, with the recipe changed by `change`, and returns its address. */
      async function startProxy(change: (text: string) => string = (text) => text): Promise<string> {
        const port = await freePort();
        const directory = join(broker.directory, `proxy-${port}`);
        mkdirSync(directory);
        const file = join(directory, 'config');
        const setting = {
          port,
          broker: Number(new URL(broker.address).port),
          certificate,
          key: join(broker.directory, 'proxy.key'),
          directory,
        };
        writeFileSync(
          file,
          recipe.adapt(change(new Readme().take('Behind a proxy', recipe.language)), setting),
        );
        const [command, ...args] = recipe.command(file, directory);
        const proxy = start(command, args, {
          HOME: directory,
          XDG_DATA_HOME: directory,
          XDG_CONFIG_HOME: directory,
        });
        started.push(proxy);
        const address = `https://localhost:${port}`;
        await until(() => {
          if (proxy.child.exitCode !== null) throw new Error(proxy.said.stderr);
          return curl(`${address}/v1/broker`).status === 200;
        });
        return address;
      }

      /** What comes back, and with which status. */
      function curl(...args: string[]): { readonly status: number; readonly text: string } {
        const { stdout } = spawnSync(
          'curl',
          ['-s', '--path-as-is', '--cacert', certificate, '-w', '\n%{http_code}', ...args],
          { encoding: 'utf8' },
        );
        const end = stdout.lastIndexOf('\n');
        return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
      }

      const there = (at = url): string[] => ['--url', at, '--ca', certificate];

      /** Asks through the proxy and waits; approves it on the socket once it waits. */
      async function askAndApprove(at: string, whenWaiting: (asker: RunningProgram) => boolean = () => true) {
        const reason = `through ${at}`;
        const asker = countersign([...asking, '--reason', reason, '--wait', ...there(at)], broker.env);
        await until(() => asker.said.stderr.includes('waiting for the answer') && whenWaiting(asker));
        const id = /asked (\S+),/.exec(asker.said.stderr)?.[1] ?? '';
        const shown = JSON.parse(await broker.must('show', id, '--key', bob, '--json'));
        await broker.must('approve', id, '--yes-i-read-it', (shown.request ?? shown).digest, '--key', bob);
        return asker.outcome;
      }

      test('shows the console live and lets a long wait through', async () => {
        const console = new TmuxPane(
          [process.execPath, CLI, 'console', '--key', bob, ...there()],
          broker.env,
        );
        try {
          await console.shows('● live');
          const { code, stdout, stderr } = await askAndApprove(url);
          expect([code, stdout]).toEqual([0, expect.stringMatching(/^approved \S+ by bob\n$/)]);
          expect(stderr).not.toContain('lost the broker');
          await console.shows('db.migrate');
        } finally {
          console.close();
        }
      });

      test.each([
        '/metrics',
        '/healthz',
        '/readyz',
        '/v1/../metrics',
        '/v1/%2e%2e/metrics',
        '//metrics',
        '/v1//../../metrics',
        '/METRICS',
      ])('passes %s to nobody', (path) => {
        expect(curl(`${broker.address}/metrics`).status).toBe(200);
        const { status, text } = curl(url + path);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(text).not.toContain('countersign_pending');
      });

      test('lets nobody in by a header that names somebody (A10)', () => {
        const headers = [
          'X-Forwarded-For: 127.0.0.1',
          'Forwarded: for=127.0.0.1',
          'X-Real-IP: ::1',
          'X-Remote-User: bob',
          'X-Forwarded-User: bob',
        ];
        const forged = headers.flatMap((header) => ['-H', header]);
        for (const path of ['/v1/requests', '/v1/status', '/v1/roster', '/v1/events']) {
          expect(curl(...forged, url + path).status).toBe(401);
        }
      });

      if (recipe === NGINX) {
        test('with a read time-out far below the wait keeps the asker waiting all the same', async () => {
          const short = await startProxy((text) => text.replace('330s', '2s'));
          const { code, stderr } = await askAndApprove(short, ({ said }) =>
            said.stderr.includes('lost the broker'),
          );
          expect([code, stderr.match(/lost the broker/g)?.length]).toEqual([0, 1]);
        });
      }
    },
  );
}

/** A port that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
