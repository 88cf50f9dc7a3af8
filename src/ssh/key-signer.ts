import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../protocol/problems.js';
import { type AvailableKey, askAgent, type KeyEnvironment, listAgentKeys } from './available-keys.js';
import { formatPublicKey, type PublicKey } from './public-key.js';
import { type Namespace, verifySignature } from './signature.js';

/** Signs texts with one key; the console and every verb sign through this. */
export interface KeySigner {
  readonly publicKey: PublicKey;
  /**
   * Returns the armored signature of `text` in UTF-8. An abort of `signal` ends the wait for an agent that does not answer.
   *
   * @throws Problem `signing-needs-terminal`, `no-agent`, `signing-failed`
   */
  sign(
    namespace: Namespace,
    text: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<string>;
}

export interface KeySignerOptions {
  readonly env?: KeyEnvironment | undefined;
  /**
   * Gives the terminal to `run` until it settles, and takes it back; for keys that ask for a passphrase, a PIN or a touch.
   * Without it such keys fail with `signing-needs-terminal`.
   */
  readonly withTerminal?: (<T>(run: () => Promise<T>) => Promise<T>) | undefined;
}

export interface SshKeygenOptions {
  /** Whether ssh-keygen gets the terminal of this process, to ask for a passphrase, a PIN or a touch. */
  readonly interactive: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly env?: KeyEnvironment | undefined;
}

/**
 * Makes a signer that tries without a terminal first, where an agent key or an unencrypted file signs in milliseconds, and
 * borrows the terminal only when the key asks for it. A file-held security key always borrows it, because it blinks.
 */
export function createKeySigner(key: AvailableKey, options: KeySignerOptions = {}): KeySigner {
  const { env = process.env, withTerminal } = options;
  return {
    publicKey: key.publicKey,
    async sign(namespace, text, { signal } = {}) {
      const attempt = (interactive: boolean): Promise<string> =>
        withKeyFile(key, (path) => signWithSshKeygen(path, namespace, text, { interactive, signal, env }));
      const armor = await withoutTerminal(key, env, signal, () => attempt(false)).catch(
        async (error: unknown) => {
          if (signal?.aborted) throw cancelled(signal);
          const isAsking = error instanceof Problem && error.code === 'signing-needs-terminal';
          if (!isAsking || withTerminal === undefined) throw await explained(error, key, env, signal);
          return withTerminal(() => attempt(true));
        },
      );
      if (verifySignature(text, armor, namespace).key.base64 !== key.publicKey.base64)
        throw new Problem('signing-failed', 'ssh-keygen signed with another key than the one asked for');
      return armor;
    },
  };
}

/**
 * Signs with `ssh-keygen -Y sign` and checks the result. The text goes through a private file, not through stdin, from
 * which ssh-keygen would read a passphrase or a PIN where it has no terminal, and so lose a try of the security key.
 *
 * @param keyFile a private key, or a public key whose private half is in the agent or beside it
 * @throws Problem `signing-needs-terminal` if the key asks for a passphrase, a PIN or a touch and `interactive` is false;
 * `signing-failed` with the last line of ssh-keygen, or if `signal` was aborted
 */
export async function signWithSshKeygen(
  keyFile: string,
  namespace: Namespace,
  text: string,
  options: SshKeygenOptions,
): Promise<string> {
  return withPrivateDirectory(async (directory) => {
    const file = join(directory, 'statement');
    await writeFile(file, text, { mode: 0o600 });
    await runSshKeygen(['-q', '-Y', 'sign', '-f', keyFile, '-n', namespace, file], options);
    const armor = await readFile(`${file}.sig`, 'utf8').catch((cause: unknown) => {
      throw new Problem('signing-failed', 'ssh-keygen wrote no signature', { cause });
    });
    try {
      verifySignature(text, armor, namespace);
    } catch (cause) {
      throw new Problem('signing-failed', 'the signature of ssh-keygen does not verify', { cause });
    }
    return armor;
  });
}

async function withoutTerminal(
  { publicKey, source }: AvailableKey,
  env: KeyEnvironment,
  signal: AbortSignal | undefined,
  attempt: () => Promise<string>,
): Promise<string> {
  // ssh-keygen would wait for a touch that nobody knows of; the agent has its own way to ask.
  if (publicKey.isSecurityKey && source === 'file') {
    const agentKeys = await listAgentKeys(env, signal);
    if (!agentKeys.some(({ base64 }) => base64 === publicKey.base64)) throw needsTerminal();
  }
  return attempt();
}

/** Why a key of the agent did not sign: ssh-keygen only says that it has no private half. */
async function explained(
  error: unknown,
  { publicKey, source }: AvailableKey,
  env: KeyEnvironment,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (source !== 'agent' || !(error instanceof Problem) || error.code !== 'signing-failed') return error;
  const keys = await askAgent(env, signal);
  if (keys === null) {
    const place = env.SSH_AUTH_SOCK;
    const where = place ? `at ${printable(place)}` : ', and SSH_AUTH_SOCK is not set';
    return new Problem('no-agent', `no ssh agent answers ${where}`, { cause: error });
  }
  if (keys.some(({ base64 }) => base64 === publicKey.base64)) return error;
  return new Problem('signing-failed', `the agent does not show the key ${publicKey.fingerprint} any more`, {
    hint: 'load it again: ssh-add FILE, or unlock the agent: ssh-add -X; then sign again',
    cause: error,
  });
}

/** ssh-keygen wants a file also for a key that only the agent has: it gets one for as long as it runs. */
function withKeyFile<T>({ path, publicKey }: AvailableKey, use: (path: string) => Promise<T>): Promise<T> {
  if (path !== null) return use(path);
  return withPrivateDirectory(async (directory) => {
    const file = join(directory, 'key.pub');
    await writeFile(file, `${formatPublicKey(publicKey)}\n`, { mode: 0o600 });
    return use(file);
  });
}

async function withPrivateDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function runSshKeygen(args: readonly string[], options: SshKeygenOptions): Promise<void> {
  const { interactive, signal, env = process.env } = options;
  if (signal?.aborted) return Promise.reject(cancelled(signal));
  return new Promise((resolve, reject) => {
    const child = spawn('ssh-keygen', args, {
      // Detached is a session of its own: there is no terminal that a prompt could appear on, over the console.
      detached: !interactive,
      stdio: interactive ? 'inherit' : ['ignore', 'ignore', 'pipe'],
      env: { ...env, SSH_ASKPASS_REQUIRE: 'never' },
    });
    const stop = (): void => {
      if (child.pid !== undefined) killChild(child.pid, interactive);
    };
    // Ctrl-C at the prompt reaches this process too; it ends the prompt, not the console.
    const ignoreInterrupt = (): void => {};
    if (interactive) process.on('SIGINT', ignoreInterrupt);
    signal?.addEventListener('abort', stop, { once: true });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-4096);
      if (said.includes('Confirm user presence')) stop();
    });
    const settle = (problem: Problem | null): void => {
      process.off('SIGINT', ignoreInterrupt);
      signal?.removeEventListener('abort', stop);
      if (problem === null) resolve();
      else reject(problem);
    };
    child.once('error', (cause) => settle(new Problem('signing-failed', 'cannot run ssh-keygen', { cause })));
    child.once('close', (code, killedBy) => {
      if (code === 0) settle(null);
      else if (signal?.aborted) settle(cancelled(signal));
      else if (!interactive && /passphrase|\bPIN\b|user presence/i.test(said)) settle(needsTerminal());
      else if (interactive && killedBy === null) settle(refusedByUser());
      else settle(failure(said, code, killedBy));
    });
  });
}

/** Without a terminal the child leads its own process group, together with the helper that talks to a token. */
function killChild(pid: number, interactive: boolean): void {
  try {
    process.kill(interactive ? pid : -pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function failure(said: string, code: number | null, killedBy: NodeJS.Signals | null): Problem {
  const [, permissions] = /^(Permissions \d+ for .* are too open)/m.exec(said) ?? [];
  if (permissions !== undefined) {
    return new Problem('signing-failed', `ssh-keygen: ${printable(permissions)}`, {
      hint: 'close the key file to others: chmod go= FILE',
    });
  }
  const [lastLine = ''] = said
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '')
    .slice(-1);
  if (lastLine !== '') return new Problem('signing-failed', `ssh-keygen: ${printable(lastLine)}`);
  const end = killedBy === null ? `ended with ${code}` : `was ended by ${killedBy}`;
  return new Problem('signing-failed', `ssh-keygen ${end}`);
}

const printable = (line: string): string => line.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);

/** With a terminal its reason went there, where a console may cover it. */
const refusedByUser = (): Problem =>
  new Problem('signing-failed', 'ssh-keygen did not sign: a wrong passphrase or PIN, no touch, or Ctrl-C', {
    hint: 'nothing was signed; try again',
  });

const needsTerminal = (): Problem =>
  new Problem('signing-needs-terminal', 'the key asks for its passphrase, its PIN or a touch');

const cancelled = (signal: AbortSignal): Problem =>
  new Problem('signing-failed', 'signing was cancelled', { cause: signal.reason });
