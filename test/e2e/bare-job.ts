import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningProgram, start } from './programs.js';

/** The one file that a job fetches. */
export const BUNDLE = fileURLToPath(new URL('../../dist/countersign-ci', import.meta.url));

/** All programs that it may find. */
const PROGRAMS = ['bash', 'curl', 'base64', 'mktemp', 'od', 'rm', 'sha256sum', 'sleep'];

/** A runner of a CI system: an empty folder with countersign-ci in it, and a PATH with hardly anything on it. */
export class BareJob {
  readonly directory = mkdtempSync(join(tmpdir(), 'countersign-job-'));
  /** All of the job's environment. */
  readonly env: Record<string, string>;

  constructor({ programs = [...PROGRAMS, 'ssh-keygen'] }: { programs?: readonly string[] } = {}) {
    const bin = join(this.directory, 'bin');
    mkdirSync(bin);
    for (const program of programs) {
      const path = execFileSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' }).trim();
      symlinkSync(path, join(bin, program));
    }
    copyFileSync(BUNDLE, this.program);
    chmodSync(this.program, 0o755);
    this.env = { PATH: bin, TMPDIR: this.directory };
  }

  static get withoutSshKeygen(): BareJob {
    return new BareJob({ programs: PROGRAMS });
  }

  get program(): string {
    return join(this.directory, 'countersign-ci');
  }

  /** Starts the program itself, in its folder, with this job's environment and no other. */
  start(args: readonly string[], env: Record<string, string> = {}): RunningProgram {
    const all = Object.entries({ ...this.env, ...env }).map(([name, value]) => `${name}=${value}`);
    return start('env', ['-i', '-C', this.directory, ...all, this.program, ...args]);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export { PROGRAMS as BARE_PROGRAMS };
