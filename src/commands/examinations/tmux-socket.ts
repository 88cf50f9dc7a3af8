import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { Environment } from '../../client/locations.js';
import { shellQuote } from '../../protocol/shell-quote.js';
import { type Finding, good, note, warning } from './finding.js';

interface Ownership {
  /** User id. */
  readonly owner: number;
  readonly mode: number;
}

/** Through what others could reach the tmux around this terminal. */
export interface TmuxSocketFacts {
  readonly path: string;
  readonly socket: Ownership;
  readonly directory: Ownership;
  /** Who asks. */
  readonly self: { readonly id: number; readonly name: string };
  /** Whom tmux lets in beside its owner and root; null where it does not tell, as before 3.3: then the files decide. */
  readonly access: readonly { readonly user: string; readonly mayType: boolean }[] | null;
  /** How many terminals show this session; null where that is not told. */
  readonly clients: number | null;
}

const ROOT = 0;
const OWN_TMUX = 'open the console in a tmux of your own: tmux -L own';

/** Whether somebody else could type in this tmux, and so decide with a key that asks for nothing (A36). */
export function examineTmuxSocket(facts: TmuxSocketFacts | null): readonly Finding[] {
  if (facts === null) return [];
  const findings = [...strangers(facts), ...guests(facts)];
  const isOwn = !findings.some(({ state }) => state === 'warning');
  return [
    ...findings,
    ...(isOwn ? [good('nobody but you and root can type in this tmux')] : []),
    ...watchers(facts),
  ];
}

/** One line for each way in which others could type here, with what to do. */
export function sharedTmuxWarnings(facts: TmuxSocketFacts | null): readonly string[] {
  return examineTmuxSocket(facts)
    .filter(({ state }) => state === 'warning')
    .map(
      ({ what, fix }) => `${what}, and decide with your key unless it asks for a touch. To end that: ${fix}`,
    );
}

/** That what stands here is also seen elsewhere: no alarm, people work so. */
export function sharedTmuxRemark(facts: TmuxSocketFacts | null): string | null {
  return watchers(facts)[0]?.what ?? null;
}

function watchers(facts: TmuxSocketFacts | null): readonly Finding[] {
  const clients = facts?.clients ?? 1;
  return clients > 1 ? [note(`${clients} terminals show this session of tmux, each may type here`)] : [];
}

/** Whoever owns the server is it; whoever can exchange its socket can pass for it. */
function strangers({ path, socket, directory, self, access }: TmuxSocketFacts): readonly Finding[] {
  const isOther = (owner: number): boolean => owner !== self.id && owner !== ROOT;
  if (isOther(socket.owner))
    return [warning(`this tmux belongs to user ${socket.owner}, who can type here`, OWN_TMUX)];
  const place = dirname(path);
  const isShared = (directory.mode & 0o022) !== 0 && (directory.mode & 0o1000) === 0;
  if (isShared || isOther(directory.owner)) {
    const fix = isShared ? `chmod go-w ${shellQuote(place)}` : OWN_TMUX;
    return [
      warning(`others can put a tmux of theirs in the place of yours in ${place}, where you would type`, fix),
    ];
  }
  const isReached = (write: number, search: number): boolean =>
    (socket.mode & write) !== 0 && (directory.mode & search) !== 0;
  if (access !== null || !(isReached(0o020, 0o010) || isReached(0o002, 0o001))) return [];
  return [
    warning(
      'others of this machine can reach the socket of tmux and type here',
      `chmod go= ${shellQuote(path)}`,
    ),
  ];
}

function guests({ access }: TmuxSocketFacts): readonly Finding[] {
  return (access ?? []).map(({ user, mayType }) => {
    const fix = `tmux server-access -d ${shellQuote(user)}`;
    return mayType
      ? warning(`tmux lets the account ${user} type here`, fix)
      : note(`tmux lets the account ${user} see what stands here`, fix);
  });
}

/** Null outside tmux, or where its socket cannot be looked at. */
export async function tmuxSocketFacts(env: Environment): Promise<TmuxSocketFacts | null> {
  // SOCKET,PROCESS,SESSION: the path itself may hold commas.
  const [, path] = /^(.+),\d+,\d+$/.exec(env.TMUX ?? '') ?? [];
  if (path === undefined) return null;
  const { uid, username } = userInfo();
  const [socket, directory, list, clients] = await Promise.all([
    ownershipOf(path),
    ownershipOf(dirname(path)),
    askTmux(env, 'server-access', '-l'),
    askTmux(env, 'display-message', '-p', '#{session_attached}'),
  ]);
  if (socket === null || directory === null) return null;
  const isListed = /^\d+\n$/.test(clients ?? '');
  return {
    path,
    socket,
    directory,
    self: { id: uid, name: username },
    access: list === null ? null : readAccess(list).filter(({ user }) => user !== username),
    clients: isListed ? Number(clients) : null,
  };
}

/** Reads what `tmux server-access -l` prints: a line for each user, `NAME (W)` or `NAME (R)`. */
export function readAccess(list: string): NonNullable<TmuxSocketFacts['access']> {
  return list
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ user: line.replace(/ \([RW]\)$/, ''), mayType: !line.endsWith(' (R)') }));
}

async function ownershipOf(path: string): Promise<Ownership | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : { owner: found.uid, mode: found.mode };
}

function askTmux(env: Environment, ...args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile('tmux', args, { env: { ...env }, timeout: 5000 }, (error, stdout) =>
      resolve(error === null ? stdout : null),
    );
  });
}
