import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { parseDocument } from '../../src/protocol/document.js';
import { parseReceipt } from '../../src/protocol/receipt.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { CLI, User } from './program.js';
import { answerOnTerminal, type Shown } from './real-terminal.js';

// Each test starts programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const user = new User();
afterAll(() => user.remove());
const key = user.makeKey('id_ed25519');
const BROKER = `SHA256:${'A'.repeat(43)}`;
const CONFIG = join(user.home, 'config/countersign');
mkdirSync(CONFIG, { recursive: true, mode: 0o700 });

const DOCUMENT = {
  action: 'ssh.login',
  context: {},
  details: { service: 'sshd', source: '203.0.113.9', user: 'alice' },
  door: 'host:web-1',
  duration: 0,
  nonce: '1'.repeat(32),
  requester: 'alice',
  resource: 'web-1',
  version: 1,
};
const LINE = JSON.stringify(DOCUMENT);
const { digest, scope } = parseDocument(DOCUMENT);
const FLAGS = ['--approver', 'bob', '--broker', BROKER];

const sign = (flags: readonly string[], input = `${LINE}\n`) =>
  user.start(['sign', '-', ...flags], { input }).ended;

/** Signs on a real terminal; the document comes through a pipe. */
function onTerminal(answer: string, receipt: string): Promise<Shown> {
  const document = join(user.home, 'document');
  writeFileSync(document, `${LINE}\n`);
  const verb = ['sign', '-', ...FLAGS].join(' ');
  const line = `cat ${document} | '${process.execPath}' '${CLI}' ${verb} >${receipt}`;
  return answerOnTerminal(line, answer, user.env);
}

test('shows the whole document, takes the start of its digest from the terminal, and prints a receipt', async () => {
  const file = join(user.home, 'receipt');
  const { code, shown } = await onTerminal(`${digest.slice(7, 13)}\r`, file);
  expect(code, shown).toBe(0);
  for (const line of ['"source": "203.0.113.9"', `digest     ${digest}`, `broker     ${BROKER}`])
    expect(shown).toContain(line);
  const { statement, armor, decision } = parseReceipt(readFileSync(file, 'utf8'));
  expect(decision).toMatchObject({ request: digest, scope, covers: 'scope', uses: 1, policy: null });
  expect([decision.approver, decision.notAfter - decision.decided]).toEqual(['bob', 900_000]);
  verifySignature(statement, armor, 'decision@countersign');
});

test.each([
  ['y', 'y\r'],
  ['nothing but Enter (A34)', '\r'],
  ['Ctrl-C', '\u0003'],
])('%s signs nothing', async (_what, answer) => {
  const file = join(user.home, 'nothing');
  const { code, shown } = await onTerminal(answer, file);
  expect([code, readFileSync(file, 'utf8')], shown).toEqual([1, '']);
  expect(shown).toContain('nothing was signed');
});

test('without a terminal the digest of what was read must be given', async () => {
  const signed = await sign([...FLAGS, '--yes-i-read-it', digest, '--for', '90', '--code', '123456']);
  expect(signed.code, signed.stderr).toBe(0);
  const { decision } = parseReceipt(signed.stdout);
  expect([decision.notAfter - decision.decided, decision.code]).toEqual([90_000, '123456']);
  const other = await sign([...FLAGS, '--yes-i-read-it', `sha256:${'0'.repeat(64)}`]);
  expect([other.code, other.stdout]).toEqual([1, '']);
});

test('names the broker and the approver by what was pinned and exported here before', async () => {
  const read = ['--yes-i-read-it', digest];
  const unpinned = await sign(['--approver', 'bob', ...read]);
  expect([unpinned.code, unpinned.stderr]).toEqual([1, expect.stringContaining('--broker')]);
  writeFileSync(join(CONFIG, 'known_brokers'), `https://a.example.com:7433 ${BROKER}\n`, { mode: 0o600 });
  const unknown = await sign(read);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('--approver')]);
  const line = readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(join(CONFIG, 'signers'), `robert namespaces="decision@countersign" ${line}\n`, {
    mode: 0o600,
  });
  const found = parseReceipt((await sign(read)).stdout).decision;
  expect([found.broker, found.approver]).toEqual([BROKER, 'robert']);
  writeFileSync(
    join(CONFIG, 'known_brokers'),
    `https://a.example.com:7433 ${BROKER}\nhttps://b.example.com:7433 SHA256:${'B'.repeat(42)}A\n`,
    { mode: 0o600 },
  );
  const several = await sign(read);
  expect([several.code, several.stderr]).toEqual([1, expect.stringContaining('more than one')]);
  const chosen = await sign([...read, '--url', 'https://a.example.com:7433']);
  expect(parseReceipt(chosen.stdout).decision.broker).toBe(BROKER);
});

test.each([
  ['no JSON', 'hello'],
  ['two keys of one name (A7)', LINE.replace('"version":1', '"version":1,"version":1')],
  ['an unknown field', LINE.replace('"version":1', '"version":1,"wait":2')],
  ['two documents', `${LINE}\n${LINE}\n`],
  ['a number that the requester was shown, and is not said', LINE.replace('{},', '{"number":true},')],
])('signs nothing for %s', async (_what, input) => {
  const { code, stdout } = await sign([...FLAGS, '--yes-i-read-it', digest], input);
  expect([code, stdout]).toEqual([1, '']);
});
