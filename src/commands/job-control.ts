import { readFileSync } from 'node:fs';

/** What Linux says of a process (proc_pid_stat(5)). */
export interface ProcessStanding {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/**
 * Whether a shell would learn that this process group was stopped, and could continue it: its nearest ancestor in another
 * group belongs to the same session. Where there is none, as behind `ssh -t HOST countersign console`, a stopped console
 * would never come back. Taken for there where that cannot be found out.
 *
 * @param standing of a process by its id; null where it cannot be seen
 */
export function hasJobShell(standing: (pid: number) => ProcessStanding | null, pid: number): boolean {
  const own = standing(pid);
  let current = own;
  while (own !== null && current !== null && current.group === own.group) {
    if (current.parent <= 1) return false;
    current = standing(current.parent);
  }
  return own === null || current === null || current.session === own.session;
}

/** What /proc says of this process; empty where this is not Linux. */
export function ownStanding(): string {
  try {
    return readFileSync('/proc/self/stat', 'latin1');
  } catch {
    return '';
  }
}

/**
 * Whether the process group of a process has its terminal. Taken for so where that cannot be found out.
 *
 * @param stat as {@link parseStanding} takes it
 */
export function isForeground(stat: string): boolean {
  const [, group, foreground] =
    /^ \S \d+ (\d+) \d+ -?\d+ (-?\d+) /.exec(stat.slice(stat.lastIndexOf(')') + 1)) ?? [];
  return group === foreground;
}

/** Null where the process has ended or this is not Linux. */
export function processStanding(pid: number): ProcessStanding | null {
  try {
    return parseStanding(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

/** @param stat `PID (NAME) STATE PARENT GROUP SESSION …`, in which the name may hold anything */
export function parseStanding(stat: string): ProcessStanding | null {
  const [, parent, group, session] =
    /^ \S (\d+) (\d+) (\d+) /.exec(stat.slice(stat.lastIndexOf(')') + 1)) ?? [];
  if (parent === undefined || group === undefined || session === undefined) return null;
  return { parent: Number(parent), group: Number(group), session: Number(session) };
}
