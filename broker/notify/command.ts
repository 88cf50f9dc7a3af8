import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** What a command is given. */
export interface CommandCall {
  /** Goes to its standard input. */
  readonly input: string;
  /** Beside the broker's own variables. Nothing that a requester wrote: a shell script may be careless with them. */
  readonly variables: Readonly<Record<string, string>>;
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
/** How long the pipes of a command that has ended are read, in ms. */
const PIPES_LIMIT = 500;

/**
 * Runs a program, without a shell and without arguments, in a process group of its own; after {@link TIME_LIMIT}, or when
 * `abort` fires, the whole group is killed. What it leaves running when it ends is killed too.
 */
export function runCommand(
  program: string,
  { input, variables }: CommandCall,
  abort: AbortSignal,
  limit = TIME_LIMIT,
): Promise<Sent> {
  return new Promise((resolve) => {
    const child = spawn(program, [], {
      cwd: '/',
      detached: true,
      env: { ...process.env, ...variables },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let killed: string | null = null;
    const kill = (why: string): void => {
      killed ??= why;
      killGroup(child);
    };
    const timer = setTimeout(() => kill(`killed after ${limit / 1000} s`), limit);
    const stop = (): void => kill('killed because the broker stops');
    abort.addEventListener('abort', stop, { once: true });
    const output = collected([child.stdout, child.stderr]);
    const end = (ok: boolean, how: string): void => {
      clearTimeout(timer);
      abort.removeEventListener('abort', stop);
      for (const stream of child.stdio) stream?.destroy();
      resolve({ ok, how: killed ?? how, output: output() });
    };
    child.once('error', (error: NodeJS.ErrnoException) => end(false, `cannot be started (${error.code})`));
    child.once('exit', (code, signal) => {
      killGroup(child);
      const ended = (): void => end(code === 0 && killed === null, signal ?? `exit status ${code}`);
      // The pipes close with the group, unless somebody has left it.
      const last = setTimeout(ended, PIPES_LIMIT);
      child.once('close', () => {
        clearTimeout(last);
        ended();
      });
    });
    // A command that does not read its input has done nothing wrong.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    if (abort.aborted) stop();
  });
}

/** The group has the number of its leader, and lives as long as anybody is in it. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function collected(streams: readonly Readable[]): () => string {
  let text = '';
  for (const stream of streams) {
    stream.on('error', () => {});
    // All of it is read, so that nobody waits for room in the pipe; the beginning is kept.
    stream.setEncoding('latin1').on('data', (chunk: string) => {
      text = (text + chunk).slice(0, MAX_OUTPUT);
    });
  }
  return () => text.trim().replace(/[^\x20-\x7e\n]/g, '?');
}
