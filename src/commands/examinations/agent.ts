import { execFile } from 'node:child_process';
import type { Environment } from '../../client/locations.js';
import { shellQuote } from '../../protocol/shell-quote.js';
import { type AgentSocket, findAgentSocket, isForwarded } from '../../ssh/agent-socket.js';
import { type Finding, good, note, warning, wrong } from './finding.js';

export interface AgentFacts extends AgentSocket {
  /** What `ssh-add -l` says; `unusable` where it cannot be run. */
  readonly answer: 'keys' | 'empty' | 'none' | 'unusable';
  /** What the session of tmux says about `SSH_AUTH_SOCK`; null outside tmux and where it says nothing. */
  readonly tmuxSocket: string | null;
}

/** Whether an agent answers, on this machine, and whether this pane knows where. */
export function examineAgent(facts: AgentFacts): readonly Finding[] {
  const { answer, path, tmuxSocket } = facts;
  if (answer === 'unusable') return [wrong('ssh-add cannot be run', 'install the OpenSSH client')];
  if (answer === 'none') {
    if (tmuxSocket !== null && tmuxSocket !== path) {
      return [
        warning(
          `SSH_AUTH_SOCK of this pane is stale: no agent answers at ${path ?? 'all'}, tmux knows a newer one`,
          `export SSH_AUTH_SOCK=${shellQuote(tmuxSocket)}`,
        ),
      ];
    }
    if (path === null) return [note('no ssh agent is in use', 'eval "$(ssh-agent)" && ssh-add')];
    return [warning(`no ssh agent answers at ${path}`, 'eval "$(ssh-agent)" && ssh-add')];
  }
  return [
    answer === 'keys'
      ? good('the ssh agent answers and holds keys')
      : note('the ssh agent answers, but holds no key', 'ssh-add'),
    ...(isForwarded(facts) ? [warning(FORWARDED.what, FORWARDED.fix)] : []),
  ];
}

/** The console says it too. */
export const FORWARDED = {
  what: 'your ssh agent is forwarded to this machine: whoever is root here can sign with it while you are connected',
  fix: 'open the console where the agent runs, with --url; or connect without it: ssh -a; or use a key that wants a touch',
} as const;

export async function agentFacts(env: Environment): Promise<AgentFacts> {
  const [socket, answer, tmuxSocket] = await Promise.all([findAgentSocket(env), askAgent(env), askTmux(env)]);
  return { ...socket, answer, tmuxSocket };
}

/** `ssh-add -l` exits with 0 or 1 where an agent answers, 2 where none does (ssh-add(1)). */
function askAgent(env: Environment): Promise<AgentFacts['answer']> {
  return new Promise((resolve) => {
    execFile('ssh-add', ['-l'], { env: { ...env } }, (error) => {
      if (error === null) resolve('keys');
      else if (error.code === 1) resolve('empty');
      else resolve(error.code === 2 ? 'none' : 'unusable');
    });
  });
}

/** tmux copies the variable of each client that attaches (update-environment, tmux(1)); old panes keep theirs. */
function askTmux(env: Environment): Promise<string | null> {
  if (!env.TMUX) return Promise.resolve(null);
  return new Promise((resolve) => {
    execFile('tmux', ['show-environment', 'SSH_AUTH_SOCK'], { env: { ...env } }, (error, stdout) => {
      const [, socket = null] = error === null ? (/^SSH_AUTH_SOCK=(.+)$/m.exec(stdout) ?? []) : [];
      resolve(socket);
    });
  });
}
