import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readWebhooks } from '../../../broker/webhooks/configuration.js';
import { webhooksJsonSchema } from '../../../broker/webhooks/webhooks-file.js';
import { type Authority, makeAuthority } from './receiver.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(24, 2).toString('base64')}`;
let authority: Authority;
let directory = '';
const path = (name: string): string => join(directory, name);

function write(name: string, text: string, mode = 0o600): string {
  writeFileSync(path(name), text, { mode });
  chmodSync(path(name), mode);
  return path(name);
}

const read = (text: string) => readWebhooks(write('webhooks.yaml', text));

/** What is said of a file, without its path. */
async function mistakes(text: string): Promise<readonly string[]> {
  const error = await read(text).then(
    () => null,
    (cause: unknown) => cause as Error & { code: string },
  );
  expect(error?.code).toBe('bad-webhooks');
  return (error?.message ?? '').split('\n').map((line) => line.replaceAll(`${directory}/`, ''));
}

beforeAll(async () => {
  authority = await makeAuthority();
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-webhooks-'));
  write('secret', `${SECRET}\n`);
  write('ca.pem', authority.ca, 0o644);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const webhook = (more = ''): string =>
  `version: 1\nwebhooks:\n  - name: siem\n    url: https://siem.example.com/in\n    secret-file: ${path('secret')}\n${more}`;

describe('a file of webhooks', () => {
  test('says who is sent what, and who is asked', async () => {
    const { webhooks, validate } = await read(
      `${webhook()}  - { name: chat, url: "http://127.0.0.1:8000/x?y=z", secret-file: ${path('secret')}, events: [request.*, roster.changed], timeout: 3s }
validate:
  - { name: cmdb, url: https://cmdb.example.com/, secret-file: ${path('secret')}, ca-file: ${path('ca.pem')}, actions: [ssh.*] }
`,
    );
    expect(webhooks.map(({ name, events, timeout, ca }) => ({ name, events, timeout, ca }))).toEqual([
      { name: 'siem', events: ['*'], timeout: 10_000, ca: null },
      { name: 'chat', events: ['request.*', 'roster.changed'], timeout: 3000, ca: null },
    ]);
    expect(webhooks[0]?.secrets).toEqual([Buffer.alloc(32, 1)]);
    expect(validate).toMatchObject([{ name: 'cmdb', timeout: 3000, ca: authority.ca, actions: ['ssh.*'] }]);
  });

  test('has two secrets in one file while they are changed', async () => {
    write('secret', `${OTHER}\n${SECRET}\n`);
    const { webhooks } = await read(webhook());
    expect(webhooks[0]?.secrets).toEqual([Buffer.alloc(24, 2), Buffer.alloc(32, 1)]);
  });

  test.each([
    ['', 'webhooks.yaml:1:1: the file is empty: begin with version: 1'],
    ['version: 2', 'webhooks.yaml:1:10: version: write version: 1'],
    ['version: 1\nwebhook: []', 'webhooks.yaml:2:1: there is no key webhook: did you mean webhooks?'],
    [
      'version: 1\nwebhooks:\n  - { name: siem, url: https://siem.example.com }',
      'webhooks.yaml:3:5: webhook 1: secret-file: is missing: write the absolute path of a file',
    ],
  ])('is refused where it is %j, by line and column', async (text, mistake) => {
    expect(await mistakes(text)).toContain(mistake);
  });

  test.each([
    ['    evnts: [request.*]', '6:5: webhook 1: there is no key evnts: did you mean events?'],
    [
      '    events: [request.aproved]',
      '6:14: webhook 1: events.0: there is no event "request.aproved": write kinds of events, such as request.approved or request.*',
    ],
    ['    events: []', '6:13: webhook 1: events: name an event, or leave events out for all'],
    [
      '    timeout: 1h',
      '6:14: webhook 1: timeout: write a time from 1s to 30s as a number and s, m, h or d, such as 30s',
    ],
    ['    ca-file: ca.pem', '6:14: webhook 1: ca-file: write the absolute path of a file'],
    [
      '  - name: siem',
      '6:5: webhook 2: url: is missing: write an https address, or http://127.0.0.1:PORT/PATH',
    ],
  ])('is refused with %j', async (more, mistake) => {
    expect(await mistakes(webhook(more))).toContain(`webhooks.yaml:${mistake}`);
  });

  test.each([
    ['http://siem.example.com/in', 'write an https address, or http://127.0.0.1:PORT/PATH'],
    ['ftp://127.0.0.1/in', 'write an https address, or http://127.0.0.1:PORT/PATH'],
    ['siem.example.com', 'write an https address, or http://127.0.0.1:PORT/PATH'],
    ['https://user:hunter2@siem.example.com/', 'write it without a user: the signature says who sends'],
    ['https://siem.example.com/#top', 'write it without #'],
  ])('does not take %s as an address, and does not repeat it', async (url, mistake) => {
    const [line, ...others] = await mistakes(webhook().replace('https://siem.example.com/in', `"${url}"`));
    expect([line, others]).toEqual([`webhooks.yaml:4:10: webhook 1: url: ${mistake}`, []]);
  });

  test('has each name once, whoever is called', async () => {
    const validator = `validate: [{ name: siem, url: "http://localhost:1/", secret-file: ${path('secret')} }]`;
    expect(await mistakes(webhook(validator))).toEqual([
      'webhooks.yaml:6:20: validate 1: name: the name siem stands twice',
    ]);
  });

  test('pins who validates over https', async () => {
    const validator = `version: 1\nvalidate:\n  - name: cmdb\n    url: https://cmdb.example.com\n    secret-file: ${path('secret')}\n    timeout: 4s`;
    expect(await mistakes(validator.replace('4s', '3s'))).toEqual([
      'webhooks.yaml:3:5: validate 1: ca-file: is missing: name the CA that alone may vouch for who validates',
    ]);
    expect((await mistakes(validator))[0]).toContain('timeout: write a time from 1s to 3s');
  });

  test('is not taken from a file that others may write', async () => {
    const file = write('webhooks.yaml', 'version: 1', 0o666);
    await expect(readWebhooks(file)).rejects.toMatchObject({ code: 'unsafe-file' });
    await expect(readWebhooks(path('none'))).rejects.toMatchObject({ code: 'bad-webhooks' });
  });
});

describe('a secret', () => {
  test.each([
    ['', 0o600, 'it is empty: write one secret, whsec_ and base64'],
    ['hunter2', 0o600, 'secret 1 is not whsec_ and the base64 of 24 to 64 random bytes'],
    [`whsec_${Buffer.alloc(23).toString('base64')}`, 0o600, 'secret 1 is not whsec_'],
    [`whsec_${Buffer.alloc(65).toString('base64')}`, 0o600, 'secret 1 is not whsec_'],
    [`${SECRET}\nhunter2`, 0o600, 'secret 2 is not whsec_'],
    [`${SECRET}\n${SECRET}\n${OTHER}`, 0o600, 'it has more than two secrets'],
    [SECRET, 0o640, 'others may read it: chmod 600'],
    [SECRET, 0o604, 'others may read it: chmod 600'],
  ])('A47: of %j and mode %o is refused, and never shown', async (text, mode, mistake) => {
    write('secret', text, mode);
    const [line = '', ...others] = await mistakes(webhook());
    expect(line).toContain(`webhooks.yaml:5:18: webhook 1: secret-file: secret: ${mistake}`);
    expect(others).toEqual([]);
    expect(line).not.toMatch(/hunter2|AQEB|AgIC/);
  });

  test('that is missing, or no file, is a mistake of its line', async () => {
    rmSync(path('secret'));
    expect(await mistakes(webhook(`    ca-file: ${path('secret')}`))).toEqual([
      'webhooks.yaml:5:18: webhook 1: secret-file: secret: it cannot be read (ENOENT)',
      'webhooks.yaml:6:14: webhook 1: ca-file: secret: it cannot be read (ENOENT)',
    ]);
    execFileSync('mkfifo', ['-m', '600', path('secret')]);
    expect(await mistakes(webhook())).toEqual([
      'webhooks.yaml:5:18: webhook 1: secret-file: secret: it is not a file',
    ]);
    rmSync(path('secret'));
  });

  test('is no certificate', async () => {
    expect(await mistakes(webhook(`    ca-file: ${path('secret')}`))).toEqual([
      'webhooks.yaml:6:14: webhook 1: ca-file: secret: it is not a certificate in PEM',
    ]);
  });
});

test('the JSON Schema that editors read is that of this version, and is in the package', async () => {
  const text = `${JSON.stringify(webhooksJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(root, 'scripts/webhooks.schema.json'));
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).files).toContain(
    'scripts/webhooks.schema.json',
  );
  expect(text.match(/"description"/g)?.length).toBeGreaterThan(12);
});
