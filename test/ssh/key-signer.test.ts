import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createKeySigner, type KeySignerOptions, signWithSshKeygen } from '../../src/ssh/key-signer.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { generateKey, readPublicLine, startAgent, temporaryDirectory } from './openssh.js';
import { makeSoftwareKey } from './software-keys.js';

const NAMESPACE = 'decision@countersign';
/** Its first line is the passphrase of the locked key: ssh-keygen must never read the text as an answer to a prompt. */
const TEXT = 'correct horse\ncountersign-decision 1\ncomment: "é"\n';
const PASSPHRASE = 'correct horse';

/** No agent; and, for programs of their own, a place for temporary files in which a test can see what is left. */
function environment(): { env: NodeJS.ProcessEnv; leftOver: () => string[] } {
  const directory = temporaryDirectory();
  const { SSH_AUTH_SOCK: _agent, ...env } = process.env;
  return { env: { ...env, TMPDIR: directory }, leftOver: () => readdirSync(directory) };
}

function fileKey(directory: string, ...args: string[]) {
  const path = generateKey(directory, 'key', '-t', 'ed25519', ...args);
  return { path, publicKey: parsePublicKeyLine(readPublicLine(path)), source: 'file' as const };
}

/** A directory with an ssh-keygen that runs `script` instead, first in PATH. */
function withStub(script: string): NodeJS.ProcessEnv {
  const directory = temporaryDirectory();
  const stub = join(directory, 'ssh-keygen');
  writeFileSync(stub, `#!/bin/bash\n${script}\n`);
  chmodSync(stub, 0o755);
  return { ...process.env, PATH: `${directory}${delimiter}${process.env.PATH}` };
}

test('an unencrypted key file signs without a terminal', async () => {
  const { env } = environment();
  const key = fileKey(temporaryDirectory());
  const armor = await createKeySigner(key, { env }).sign(NAMESPACE, TEXT);
  expect(verifySignature(TEXT, armor, NAMESPACE).key.fingerprint).toBe(key.publicKey.fingerprint);
});

test('a key that only the agent has signs, by itself and by its public file', async () => {
  const { path, publicKey } = fileKey(temporaryDirectory());
  const env = startAgent(path);
  const publicFile = join(temporaryDirectory(), 'moved.pub');
  writeFileSync(publicFile, `${readPublicLine(path)}\n`);
  for (const place of [null, publicFile]) {
    const signer = createKeySigner({ path: place, publicKey, source: 'agent' }, { env });
    expect(verifySignature(TEXT, await signer.sign(NAMESPACE, TEXT), NAMESPACE).key.base64).toBe(
      publicKey.base64,
    );
  }
});

test('an agent that refuses is a failure: no terminal would help', async () => {
  const { path, publicKey } = fileKey(temporaryDirectory());
  const env = startAgent();
  execFileSync('ssh-add', ['-q', '-c', path], { env });
  const signer = createKeySigner({ path: null, publicKey, source: 'agent' }, { env });
  await expect(signer.sign(NAMESPACE, TEXT)).rejects.toMatchObject({
    code: 'signing-failed',
    message: expect.stringContaining('agent refused operation'),
  });
});

test('an agent that is gone is named, and once it is back the key signs', async () => {
  const { path, publicKey } = fileKey(temporaryDirectory());
  const socket = join(temporaryDirectory(), 'agent');
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  const signer = createKeySigner({ path: null, publicKey, source: 'agent' }, { env });
  await expect(signer.sign(NAMESPACE, TEXT)).rejects.toMatchObject({
    code: 'no-agent',
    message: `no ssh agent answers at ${socket}`,
  });
  symlinkSync(startAgent(path).SSH_AUTH_SOCK ?? '', socket);
  expect(verifySignature(TEXT, await signer.sign(NAMESPACE, TEXT), NAMESPACE).key.base64).toBe(
    publicKey.base64,
  );
});

test('an agent that has lost the key is told apart from none', async () => {
  const { path, publicKey } = fileKey(temporaryDirectory());
  const env = startAgent(path);
  execFileSync('ssh-add', ['-q', '-D'], { env, stdio: 'ignore' });
  const signer = createKeySigner({ path: null, publicKey, source: 'agent' }, { env });
  await expect(signer.sign(NAMESPACE, TEXT)).rejects.toMatchObject({
    code: 'signing-failed',
    message: `the agent does not show the key ${publicKey.fingerprint} any more`,
    hint: expect.stringContaining('ssh-add FILE'),
  });
});

test('a key file with a passphrase asks for a terminal, and never takes the text for the passphrase', async () => {
  const { env } = environment();
  const key = fileKey(temporaryDirectory(), '-N', PASSPHRASE);
  await expect(createKeySigner(key, { env }).sign(NAMESPACE, TEXT)).rejects.toMatchObject({
    code: 'signing-needs-terminal',
  });
});

test('no window of the desktop is opened to ask for a passphrase', async () => {
  const directory = temporaryDirectory();
  const askpass = join(directory, 'askpass');
  writeFileSync(askpass, `#!/bin/bash\ntouch '${directory}/asked'; echo '${PASSPHRASE}'\n`);
  chmodSync(askpass, 0o755);
  const env = { ...environment().env, DISPLAY: ':none', SSH_ASKPASS: askpass };
  const key = fileKey(temporaryDirectory(), '-N', PASSPHRASE);
  await expect(createKeySigner(key, { env }).sign(NAMESPACE, TEXT)).rejects.toMatchObject({
    code: 'signing-needs-terminal',
  });
  expect(readdirSync(directory)).toEqual(['askpass']);
});

test('the terminal is borrowed once, and only when the key asks for it', async () => {
  const { env } = environment();
  const borrowed: string[] = [];
  const options = (name: string): KeySignerOptions => ({
    env,
    withTerminal: () => {
      borrowed.push(name);
      return Promise.reject(new Error('kept'));
    },
  });
  await createKeySigner(fileKey(temporaryDirectory()), options('open')).sign(NAMESPACE, TEXT);
  const locked = fileKey(temporaryDirectory(), '-N', PASSPHRASE);
  await expect(createKeySigner(locked, options('locked')).sign(NAMESPACE, TEXT)).rejects.toThrow('kept');
  expect(borrowed).toEqual(['locked']);
});

test('a security key in a file goes straight to the terminal, because it blinks and may ask for a PIN', async () => {
  const { env } = environment();
  const publicKey = parsePublicKeyLine(makeSoftwareKey('sk-ssh-ed25519@openssh.com').line);
  const signer = createKeySigner({ path: '/nonexistent', publicKey, source: 'file' }, { env });
  await expect(signer.sign(NAMESPACE, TEXT)).rejects.toMatchObject({ code: 'signing-needs-terminal' });
});

test('ssh-keygen that waits for a touch without a terminal is ended, with its helpers', async () => {
  const env = withStub('echo "Confirm user presence for key ED25519-SK" >&2; sleep 1000 & wait');
  await expect(signWithSshKeygen('key', NAMESPACE, TEXT, { interactive: false, env })).rejects.toMatchObject({
    code: 'signing-needs-terminal',
  });
});

test('what ssh-keygen said last is in the error, and printable', async () => {
  const { env } = environment();
  const missing = join(temporaryDirectory(), 'missing');
  await expect(
    signWithSshKeygen(missing, NAMESPACE, TEXT, { interactive: false, env }),
  ).rejects.toMatchObject({
    code: 'signing-failed',
    message: expect.stringContaining('No such file or directory'),
  });
  const hostile = withStub(`printf 'first\\nbad \\e[2J\\342\\200\\256 thing\\r\\n\\n' >&2; exit 255`);
  await expect(
    signWithSshKeygen('key', NAMESPACE, TEXT, { interactive: false, env: hostile }),
  ).rejects.toMatchObject({
    code: 'signing-failed',
    message: expect.stringMatching(/^ssh-keygen: bad \?\[2J\?+ thing$/),
  });
});

test.each([
  ['writes nothing', 'exit 0', 'ssh-keygen wrote no signature'],
  ['writes rubbish', 'echo rubbish > "${@: -1}.sig"', 'the signature of ssh-keygen does not verify'],
  ['ends without a word', 'exit 3', 'ssh-keygen ended with 3'],
  ['is killed', 'kill -KILL $$', 'ssh-keygen was ended by SIGKILL'],
])('a program that %s does not sign', async (_, script, message) => {
  const env = withStub(script);
  await expect(signWithSshKeygen('key', NAMESPACE, TEXT, { interactive: false, env })).rejects.toMatchObject({
    code: 'signing-failed',
    message,
  });
});

test('a key file that others may read says so, and how to close it', async () => {
  const { path } = fileKey(temporaryDirectory());
  chmodSync(path, 0o644);
  await expect(
    signWithSshKeygen(path, NAMESPACE, TEXT, { interactive: false, env: environment().env }),
  ).rejects.toMatchObject({
    code: 'signing-failed',
    message: expect.stringMatching(/^ssh-keygen: Permissions 0?644 for .* are too open$/),
    hint: expect.stringContaining('chmod go='),
  });
});

test('a missing ssh-keygen is said so', async () => {
  const env = { PATH: temporaryDirectory() };
  await expect(signWithSshKeygen('key', NAMESPACE, TEXT, { interactive: false, env })).rejects.toMatchObject({
    code: 'signing-failed',
    message: 'cannot run ssh-keygen',
  });
});

test('a signature of another key than the one asked for is refused', async () => {
  const { env } = environment();
  const asked = fileKey(temporaryDirectory());
  const other = fileKey(temporaryDirectory());
  await expect(
    createKeySigner({ ...asked, path: other.path }, { env }).sign(NAMESPACE, TEXT),
  ).rejects.toMatchObject({ code: 'signing-failed' });
});

test('an abort ends ssh-keygen, before and while it runs', async () => {
  const directory = temporaryDirectory();
  const env = withStub(`echo $$ > ${directory}/started; sleep 1000 & wait`);
  const run = (signal: AbortSignal) =>
    signWithSshKeygen('key', NAMESPACE, TEXT, { interactive: false, env, signal });
  const problem = { code: 'signing-failed', message: 'signing was cancelled' };
  await expect(run(AbortSignal.abort())).rejects.toMatchObject(problem);
  expect(readdirSync(directory)).toEqual([]);

  const abort = new AbortController();
  const running = expect(run(abort.signal)).rejects.toMatchObject(problem);
  await expect.poll(() => readdirSync(directory)).toEqual(['started']);
  abort.abort();
  await running;
});

test('an abort ends the wait for an agent that hangs, which is asked nothing more', async () => {
  const { publicKey } = fileKey(temporaryDirectory());
  const silent = join(temporaryDirectory(), 'agent');
  const agent = createServer(() => {});
  await new Promise<void>((resolve) => agent.listen(silent, resolve));
  onTestFinished(() => void agent.close());
  const asked: Socket[] = [];
  agent.on('connection', (socket) => asked.push(socket));
  const { env } = environment();
  const signer = createKeySigner(
    { path: null, publicKey, source: 'agent' },
    { env: { ...env, SSH_AUTH_SOCK: silent } },
  );
  const abort = new AbortController();
  const signing = expect(signer.sign(NAMESPACE, TEXT, { signal: abort.signal })).rejects.toMatchObject({
    code: 'signing-failed',
    message: 'signing was cancelled',
  });
  await expect.poll(() => asked.length).toBe(1);
  abort.abort();
  await signing;
  expect(asked).toHaveLength(1);
});

/** Signs on a terminal of its own, as script(1) makes them, and gives one answer to the prompt. */
function signOnTerminal(keyFile: string, answer: string): Promise<{ shown: string; leftOver: string[] }> {
  const { env, leftOver } = environment();
  const program = new URL('./sign-on-terminal.mjs', import.meta.url).pathname;
  const child = spawn('script', ['-qec', `exec '${process.execPath}' '${program}'`, '/dev/null'], {
    env: { ...env, SHELL: '/bin/sh', KEY_FILE: keyFile, TEXT },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let isAnswered = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
    if (isAnswered || !/passphrase[^\n]*: $/.test(shown)) return;
    isAnswered = true;
    child.stdin.write(answer);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve({ shown: shown.replaceAll('\r\n', '\n'), leftOver: leftOver() }));
  });
}

test('with a terminal the passphrase is asked for there, and the text is signed', async () => {
  const { path } = fileKey(temporaryDirectory(), '-N', PASSPHRASE);
  const { shown, leftOver } = await signOnTerminal(path, `${PASSPHRASE}\n`);
  const armor = shown.slice(shown.indexOf('-----BEGIN'), shown.indexOf('END SSH SIGNATURE-----') + 23);
  expect(`${verifySignature(TEXT, armor, NAMESPACE).key.base64}`).toBe(readPublicLine(path).split(' ')[1]);
  expect(shown).not.toContain(PASSPHRASE);
  expect(leftOver).toEqual([]);
});

test.each([
  ['a wrong passphrase', 'wrong horse\n'],
  // The line end is for ssh-keygen that was interrupted after its prompt and before its read, which then waits on.
  ['Ctrl-C', '\x03\n'],
])('%s at the prompt ends the signing, not the program', async (_, answer) => {
  const { path } = fileKey(temporaryDirectory(), '-N', PASSPHRASE);
  const { shown, leftOver } = await signOnTerminal(path, answer);
  expect(shown).toContain('outcome: signing-failed');
  expect(leftOver).toEqual([]);
});
