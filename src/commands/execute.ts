import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Problem } from '../protocol/problems.js';
import { hasControllingTerminal } from './controlling-terminal.js';

/** How a command ended; one of the two is null. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningCommand {
  readonly end: Promise<CommandEnd>;
}

/** Sent to this process alone, they are for the command; what the terminal sends reaches it anyway. */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;
/** These end a program without a core dump. */
const QUIET_DEATHS: readonly string[] = ['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGTERM'];

/**
 * Executes a program without a shell, in the process group, and with the standard streams, of this one: so Ctrl-C and
 * Ctrl-Z reach both, and the shell that waits for this process stops and continues both. It gets the environment of this one
 * but for the tokens.
 *
 * @throws Problem `not-executed` where the system refuses
 */
export async function execute(path: string, argv: readonly string[]): Promise<RunningCommand> {
  // Whoever has a token can ask in the name of its submitter: that is no concern of the command.
  const { COUNTERSIGN_TOKEN: _token, COUNTERSIGN_OIDC_TOKEN: _oidc, ...env } = process.env;
  const child = spawn(path, argv.slice(1), { argv0: argv[0], env, stdio: 'inherit' });
  const listeners = new Map<NodeJS.Signals, () => void>();
  for (const signal of FORWARDED) listeners.set(signal, () => child.kill(signal));
  // Then its Ctrl-C goes to the whole group.
  const isSentByTerminal = hasControllingTerminal();
  for (const signal of FROM_TERMINAL) listeners.set(signal, () => isSentByTerminal || child.kill(signal));
  for (const [signal, listener] of listeners) process.on(signal, listener);
  const end = new Promise<CommandEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const [name, listener] of listeners) process.off(name, listener);
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      for (const [name, listener] of listeners) process.off(name, listener);
      reject(
        new Problem('not-executed', `cannot execute ${JSON.stringify(path)}: ${cause.message}`, { cause }),
      );
    });
  });
  return { end };
}

/**
 * Ends as the command did: with its code, or by the signal that killed it.
 *
 * @returns the exit code, 128 and the number of the signal where dying of it would dump the core of this process
 */
export function endLike({ code, signal }: CommandEnd): number {
  if (signal === null) return code ?? 1;
  if (QUIET_DEATHS.includes(signal)) process.kill(process.pid, signal);
  return 128 + constants.signals[signal];
}
