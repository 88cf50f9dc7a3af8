import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * What `npm pack` ships, installed globally on a prefix of its own with a Node beside it: nothing of this checkout is reached
 * from there, and everybody may run it.
 */
export class Installation {
  readonly prefix = mkdtempSync('/run/countersign-prefix-');
  /** The file that `npm pack` made. */
  readonly tarball: string;

  constructor() {
    execFileSync('chmod', ['0755', this.prefix]);
    const pack = ['pack', '--ignore-scripts', '--json', `--pack-destination=${this.prefix}`];
    const packed = execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
    this.tarball = join(this.prefix, JSON.parse(packed)[0].filename);
    const install = ['install', '--global', '--prefix', this.prefix, '--no-fund', '--no-audit', this.tarball];
    execFileSync('npm', install, { cwd: ROOT, stdio: 'pipe', env: { ...process.env, PATH: systemPath() } });
    cpSync(process.execPath, join(this.bin, 'node'));
  }

  get bin(): string {
    return join(this.prefix, 'bin');
  }

  /** Where the scripts that are installed elsewhere lie: `$(npm root -g)/countersign/scripts`. */
  get scripts(): string {
    return join(this.prefix, 'lib/node_modules/countersign/scripts');
  }

  remove(): void {
    rmSync(this.prefix, { recursive: true, force: true });
  }
}

const systemPath = (): string =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((entry) => !entry.includes('node_modules'))
    .join(delimiter);
