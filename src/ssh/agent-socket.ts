import { readFile, realpath } from 'node:fs/promises';
import type { KeyEnvironment } from './available-keys.js';

/** The socket of `SSH_AUTH_SOCK`, and what can be known about who listens there. */
export interface AgentSocket {
  /** Links followed; null where there is none. */
  readonly path: string | null;
  /** The program that made it, by the number in its name; null where that has ended or cannot be seen. */
  readonly maker: string | null;
}

export async function findAgentSocket(env: KeyEnvironment): Promise<AgentSocket> {
  const given = env.SSH_AUTH_SOCK || null;
  if (given === null) return { path: null, maker: null };
  const path = await realpath(given).catch(() => given);
  const [, pid] = /\/agent\.(\d+)$/.exec(path) ?? [];
  if (pid === undefined) return { path, maker: null };
  return { path, maker: (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() || null };
}

/**
 * Whether the agent sits on another machine, from which sshd forwards it (A24). sshd names its socket after its own
 * process, which lives as long as the connection; from OpenSSH 10.1 on after itself. An ssh-agent of this machine names
 * it after the process that started it.
 */
export function isForwarded({ path, maker }: AgentSocket): boolean {
  return /^sshd/.test(maker ?? '') || /\/s\.[^/]*\.sshd\.[^/]*$/.test(path ?? '');
}
