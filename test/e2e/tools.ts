import { spawnSync } from 'node:child_process';
import { describe, test } from 'vitest';

/** A program on the PATH (or in /usr/sbin), or one of two things that no PATH shows. */
export type Tool = 'root' | 'mount namespaces' | (string & {});

const required = process.env.COUNTERSIGN_E2E === 'required';

/**
 * Declares a suite that needs tools from outside node_modules. If one is missing, its tests are skipped under a title that
 * names it; under COUNTERSIGN_E2E=required the suite fails instead.
 */
export function describeWith(tools: readonly Tool[], title: string, body: () => void): void {
  const missing = tools.filter((tool) => !isThere(tool));
  if (missing.length === 0) {
    describe(title, body);
  } else if (required) {
    describe(title, () => {
      test(`has ${missing.join(', ')}`, () => {
        throw new Error(`missing: ${missing.join(', ')}`);
      });
    });
  } else {
    describe.skipIf(true)(`${title} (skipped: no ${missing.join(', ')})`, body);
  }
}

function isThere(tool: Tool): boolean {
  if (tool === 'root') return process.getuid?.() === 0;
  const [command, ...args] =
    tool === 'mount namespaces'
      ? ['unshare', '--mount', 'true']
      : ['sh', '-c', 'PATH=$PATH:/usr/sbin:/sbin; command -v "$0"', tool];
  return spawnSync(command ?? '', args, { stdio: 'ignore' }).status === 0;
}
