import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const SCRIPTS = fileURLToPath(new URL('../../scripts', import.meta.url));
export const VECTORS = fileURLToPath(new URL('../fixtures/vectors', import.meta.url));

/** The modules that need nothing but each other, in the order in which the hook reads them. */
const PURE = [
  'outcome',
  'paths',
  'forms',
  'config',
  'document',
  'wire',
  'signers',
  'revoked',
  'receipt',
  'reply',
  'quorum',
  'alone',
  'verify',
];

export interface ShellResult {
  readonly status: number;
  /** Latin-1, so that every byte is one character. */
  readonly stdout: string;
}

/**
 * Runs a piece of bash with the modules of the door read in, in the environment that the hook gives them. `end` and `shut`
 * leave with their status and print `CODE: TEXT`.
 */
export function inDoor(
  script: string,
  options: {
    input?: string | Buffer;
    args?: readonly string[];
    env?: NodeJS.ProcessEnv;
    modules?: readonly string[];
  } = {},
): ShellResult {
  const modules = [...PURE, ...(options.modules ?? [])].map((name) => `. "$here/door/${name}.sh"`).join('\n');
  const prelude = `here=$1; shift; . "$here/door/environment.sh"; ${modules}
trap '[[ $end_code == internal ]] || printf "%s: %s\\n" "$end_code" "$end_text"' EXIT\n`;
  const { status, stdout, stderr } = spawnSync(
    '/bin/bash',
    ['-p', '-c', prelude + script, 'door', SCRIPTS, ...(options.args ?? [])],
    { input: options.input ?? '', env: options.env ?? {}, maxBuffer: 1 << 28 },
  );
  if (status === null || status > 4) throw new Error(`bash ended with ${status}: ${stderr}`);
  return { status, stdout: stdout.toString('latin1') };
}

/** The lines of a result without the last LF. */
export const lines = ({ stdout }: ShellResult): string[] => stdout.replace(/\n$/, '').split('\n');

/** A deterministic source of numbers in [0, 1), so that a failure can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
