import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** As the broker starts them: by their path, without a shell. */
const program = (name: string): string =>
  fileURLToPath(new URL(`../../scripts/groups/${name}`, import.meta.url));

let folder: string;
let servers: Server[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-oncall-'));
  servers = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function run(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(program(name), args, { cwd: '/', env: { PATH: process.env.PATH ?? '', ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

/** Covers every moment of this century. */
const ALWAYS = [
  'BEGIN:VCALENDAR',
  'BEGIN:VEVENT',
  'UID:1',
  'DTSTART:20000101T000000Z',
  'DTEND:20991231T000000Z',
  'SUMMARY:Bob\\, carol',
  'ATTENDEE:mailto:Dave@Example.com',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n');

describe('oncall-ical', () => {
  test('prints one name a line', async () => {
    const calendar = file('oncall.ics', ALWAYS);
    expect(await run('oncall-ical', [calendar])).toEqual({
      code: 0,
      stdout: 'dave@example.com\n',
      stderr: '',
    });
    expect((await run('oncall-ical', ['--who', 'summary', calendar])).stdout).toBe('bob\ncarol\n');
  });

  test('prints nothing for an empty schedule, and that is no failure', async () => {
    const empty = file('oncall.ics', 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n');
    expect(await run('oncall-ical', [empty])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('fetches an address that stands in a file of its own', async () => {
    const address = `${await serve((_, reply) => reply.end(ALWAYS))}/private-7f3a/basic.ics`;
    const { stdout } = await run('oncall-ical', ['--url-file', file('url', `${address}\n`)]);
    expect(stdout).toBe('dave@example.com\n');
    const open = await run('oncall-ical', ['--url-file', file('open', address, 0o644)]);
    expect(open).toMatchObject({ code: 1, stdout: '' });
    expect(open.stderr).toMatch(/^oncall-ical: others may read .*: chmod 600 .*\n$/);
  });

  test.each([
    ['an address that is not encrypted', 'http://calendar.example.com/x.ics', /is not an https address/],
    ['a file that is not there', '/nowhere/oncall.ics', /ENOENT/],
  ])('%s: one line on stderr and 1', async (_, source, why) => {
    const { code, stdout, stderr } = await run('oncall-ical', [source]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^oncall-ical: [ -~]+\n$/);
    expect(stderr).toMatch(why);
  });

  test.each([
    ['an error', (reply) => reply.writeHead(500).end(ALWAYS), /status 500/],
    ['a redirect', (reply) => reply.writeHead(302, { location: '/other' }).end(), /a redirect \(302\)/],
    [
      'half of a reply',
      (reply) => {
        reply.writeHead(200, { 'content-length': '9999' }).write(ALWAYS);
        setImmediate(() => reply.destroy());
      },
      /no answer from/,
    ],
    ['other bytes than UTF-8', (reply) => reply.end(Buffer.from([0xff, 0xfe])), /is not UTF-8/],
    ['escapes for the terminal', (reply) => reply.end('\u001b]0;x\u0007\n'), /line 1/],
  ] satisfies readonly [string, (reply: Parameters<RequestListener>[1]) => void, RegExp][])(
    '%s from the server: one line on stderr and 1',
    async (_, answer, why) => {
      const { code, stdout, stderr } = await run('oncall-ical', [await serve((__, reply) => answer(reply))]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^oncall-ical: [ -~]+\n$/);
      expect(stderr).toMatch(why);
    },
  );
});

describe('oncall-pagerduty', () => {
  const TOKEN = 'u+1234567890abcdefghi';
  const reply = {
    oncalls: [
      {
        user: { id: 'U1', email: 'Bob@Example.com' },
        schedule: { id: 'P1A2B3C' },
        escalation_policy: { id: 'P4D5E6F' },
        escalation_level: 1,
        start: null,
        end: null,
      },
    ],
    more: false,
  };

  test('asks with a token from a file or the environment', async () => {
    const seen: string[] = [];
    const api = await serve(({ headers, url = '' }, answer) => {
      seen.push(`${headers.authorization} ${headers.accept}`);
      if (url.startsWith('/proxied/oncalls?')) answer.end(JSON.stringify(reply));
      else answer.writeHead(404).end();
    });
    const asked = ['--schedule', 'P1A2B3C', '--api', `${api}/proxied/`];
    const fromFile = await run('oncall-pagerduty', [...asked, '--token-file', file('token', `${TOKEN}\n`)]);
    expect(fromFile).toEqual({ code: 0, stdout: 'bob@example.com\n', stderr: '' });
    expect(await run('oncall-pagerduty', asked, { PAGERDUTY_TOKEN: TOKEN })).toEqual(fromFile);
    const header = `Token token=${TOKEN} application/vnd.pagerduty+json;version=2`;
    expect(seen).toEqual([header, header]);
  });

  test('never says its token, whatever goes wrong', async () => {
    const api = await serve((_, answer) => answer.writeHead(401).end('{"error":{"code":2006}}'));
    const failed = await run('oncall-pagerduty', ['--schedule', 'P1A2B3C', '--api', api], {
      PAGERDUTY_TOKEN: TOKEN,
    });
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(/^oncall-pagerduty: 127\.0\.0\.1:\d+ answers with status 401\n$/);
  });

  test.each([
    ['no token', ['--schedule', 'P1A2B3C'], /no --token-file, and no PAGERDUTY_TOKEN/],
    ['no rota', [], /name one --schedule or one --escalation-policy/],
    ['an id of another form', ['--schedule', 'P1&x=2'], /no id like P1A2B3C/],
    ['an unknown flag', ['--team', 'T1'], /--team/],
    ['a token on the command line', ['--token', TOKEN, '--schedule', 'P1'], /Unknown option '--token'/],
  ])('%s: one line on stderr and 1', async (_, args, why) => {
    const { code, stdout, stderr } = await run('oncall-pagerduty', args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(why);
    expect(stderr.match(/\n/g)).toHaveLength(1);
  });
});
