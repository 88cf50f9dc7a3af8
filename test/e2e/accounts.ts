import { execFileSync } from 'node:child_process';

/**
 * Runs a program that changes the accounts of this machine, or copies all of /etc: one of them at a time, whichever test
 * files run beside each other. While accounts change, files come and go in /etc.
 */
export function withAccounts(command: string, ...args: readonly string[]): void {
  execFileSync('flock', ['/run/countersign-accounts.lock', command, ...args], { stdio: 'pipe' });
}
