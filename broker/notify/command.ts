import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** What a command is given. */
export interface CommandCall {
  /** Goes to its standard input. */
  readonly input: string;
  /** Beside the broker's own variables. Nothing that a requester wrote: a shell script may be careless with them. */
  readonly variables: Readonly<Record<string, string>>;
  /** None unless given. */
  readonly args?: readonly string[];
  /** Told of all that it writes to its standard output. */
  readonly onPrinted?: (chunk: Buffer) => void;
}

/** What became of a message that was sent out. */
export interface Sent {
  readonly ok: boolean;
  /** `exit status 1`, `killed after 10 s`, `cannot be started (ENOENT)`. */
  readonly how: string;
  /** What the command said, in printable ASCII, cut to {@link MAX_OUTPUT} bytes. */
  readonly output: string;
}

/** Longest that a command may take, in ms. */
export const TIME_LIMIT = 10_000;
export const MAX_OUTPUT = 2_000;
/** How long one that was killed, or has ended, may keep its pipes open, in ms. */
const PATIENCE = 500;

/**
 * Runs a program, without a shell, in a process group of its own; after {@link TIME_LIMIT}, or when
 * `abort` fires, the whole group is killed. What it leaves running when it ends is killed too.
 */
export function runCommand(
  program: string,
  { input, variables, args = [], onPrinted }: CommandCall,
  abort: AbortSignal,
  limit = TIME_LIMIT,
): Promise<Sent> {
  return new Promise((resolve) => {
    const child = started(program, args, variables, (code) =>
      resolve({ ok: false, how: `cannot be started (${code})`, output: '' }),
    );
    if (child === null) return;
    if (onPrinted !== undefined) child.stdout.on('data', onPrinted);
    const output = collected([child.stdout, child.stderr]);
    let killed: string | null = null;
    let last: NodeJS.Timeout | undefined;
    const end = (ok: boolean, how: string): void => {
      clearTimeout(timer);
      clearTimeout(last);
      abort.removeEventListener('abort', stop);
      for (const stream of child.stdio) stream?.destroy();
      child.unref();
      resolve({ ok: ok && killed === null, how: killed ?? how, output: output() });
    };
    // Who has left the group, or runs as somebody else, cannot be killed, and is not waited for.
    const endSoon = (ok: boolean, how: string): void => {
      killGroup(child);
      last ??= setTimeout(() => end(ok, how), PATIENCE);
    };
    const kill = (why: string): void => {
      killed ??= why;
      endSoon(false, why);
    };
    const timer = setTimeout(() => kill(`killed after ${limit / 1000} s`), limit);
    const stop = (): void => kill('killed because the broker stops');
    abort.addEventListener('abort', stop, { once: true });
    child.once('error', (error: NodeJS.ErrnoException) => end(false, `cannot be started (${error.code})`));
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit status ${code}`;
      endSoon(code === 0, how);
      // The pipes close with the group.
      child.once('close', () => end(code === 0, how));
    });
    // A command that does not read its input has done nothing wrong.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    if (abort.aborted) stop();
  });
}

/** Null where there is not even a pipe to it, as without a free descriptor: Node tells of that in more than one way. */
function started(
  program: string,
  args: readonly string[],
  variables: CommandCall['variables'],
  onFailed: (code: string | undefined) => void,
): ChildProcessWithoutNullStreams | null {
  const failed = ({ code }: NodeJS.ErrnoException): void => onFailed(code);
  try {
    const child = spawn(program, args, {
      cwd: '/',
      detached: true,
      env: { ...process.env, ...variables },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    if ((child.stdio as unknown) !== undefined) return child;
    // It is emitted later, and without a listener it would end the broker.
    (child as ChildProcess).once('error', failed);
  } catch (cause) {
    failed(cause as NodeJS.ErrnoException);
  }
  return null;
}

/** The group has the number of its leader, and lives as long as anybody is in it. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nobody is left in it (ESRCH), or all of them run as somebody else (EPERM).
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function collected(streams: readonly Readable[]): () => string {
  let text = '';
  for (const stream of streams) {
    stream.on('error', () => {});
    // All of it is read, so that nobody waits for room in the pipe; the beginning is kept.
    stream.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(0, MAX_OUTPUT);
    });
  }
  return () => text.trim().replace(/[^\x20-\x7e\n]/g, '?');
}
