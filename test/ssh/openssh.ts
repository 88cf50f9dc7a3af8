import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The real OpenSSH tools, in temporary directories that go away with the test. */

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Makes a key pair with ssh-keygen; returns the path of the private key. */
export function generateKey(directory: string, name: string, ...args: string[]): string {
  const path = join(directory, name);
  const passphrase = args.includes('-N') ? [] : ['-N', ''];
  execFileSync('ssh-keygen', ['-q', ...args, ...passphrase, '-C', 'test key', '-f', path]);
  return path;
}

export function signWithOpenSsh(keyFile: string, message: string, ...args: string[]): string {
  return execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', keyFile, ...args], {
    input: message,
    encoding: 'utf8',
  });
}

/** What `ssh-keygen -Y verify` says of an armor, for the principal bob. */
export function verifiesWithOpenSsh(options: {
  readonly keyLine: string;
  readonly message: string;
  readonly armor: string;
  readonly namespace?: string;
  readonly signerOptions?: string;
  readonly verifyTime?: string;
}): boolean {
  const { keyLine, message, armor, namespace = 'decision@countersign', verifyTime } = options;
  const directory = temporaryDirectory();
  const signers = join(directory, 'signers');
  const signature = join(directory, 'signature');
  writeFileSync(signers, `bob ${options.signerOptions ?? `namespaces="${namespace}"`} ${keyLine}\n`);
  writeFileSync(signature, armor);
  const args = ['-Y', 'verify', '-f', signers, '-I', 'bob', '-n', namespace, '-s', signature];
  if (verifyTime !== undefined) args.push(`-Overify-time=${verifyTime}`);
  const { status, error } = spawnSync('ssh-keygen', args, { input: message });
  // It may refuse before it has read the message.
  if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  return status === 0;
}

/** Starts a real ssh-agent with the given private keys; it ends with the test. */
export function startAgent(...keyFiles: string[]): NodeJS.ProcessEnv {
  const socket = join(temporaryDirectory(), 'agent');
  // Whoever is asked to confirm a use says no, on desktops too.
  const refusing = { ...process.env, SSH_ASKPASS: '/bin/false', DISPLAY: ':none' };
  const reply = execFileSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8', env: refusing });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(reply)?.[1]);
  onTestFinished(() => void process.kill(pid));
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  for (const keyFile of keyFiles) execFileSync('ssh-add', ['-q', keyFile], { env });
  return env;
}

export const readPublicLine = (keyFile: string): string => readFileSync(`${keyFile}.pub`, 'utf8').trimEnd();
