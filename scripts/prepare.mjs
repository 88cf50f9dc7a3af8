// Makes a clean clone runnable: installs from the lock file when node_modules is missing or older than it,
// and compiles when a source is newer than the last build. Node built-ins only, and syntax that Node 18 reads,
// because it runs before the project's own Node is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCi } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const BUNDLER = 'scripts/bundle-program.mjs';
const installedStamp = join(root, 'node_modules/.countersign-lock');
const builtStamp = join(root, 'build/.built');

installWhenStale();
buildWhenStale();
bundleCi(root);

function installWhenStale() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(installedStamp) && readFileSync(installedStamp, 'utf8') === lock) return;
  say('installing the dependencies of package-lock.json');
  // The project's own Node lives in node_modules, which `npm ci` removes: run npm on the system's Node.
  const path = (process.env.PATH || '')
    .split(delimiter)
    .filter((entry) => !entry.includes('node_modules'))
    .join(delimiter);
  run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], { ...process.env, PATH: path });
  writeFileSync(installedStamp, lock);
}

function buildWhenStale() {
  const sources = ['src', 'broker', 'components'].flatMap((folder) => filesBelow(join(root, folder)));
  sources.push(...['tsconfig.json', 'package-lock.json', BUNDLER].map((file) => join(root, file)));
  const list = sources.join('\n');
  const built = existsSync(builtStamp) ? statSync(builtStamp).mtimeMs : 0;
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (built > newest && readFileSync(builtStamp, 'utf8') === list) return;
  say('compiling');
  rmSync(join(root, 'build'), { recursive: true, force: true });
  run(join(root, 'node_modules/.bin/tsc'), ['-p', root], process.env);
  run(join(root, 'node_modules/.bin/node'), [join(root, BUNDLER)], process.env);
  writeFileSync(builtStamp, list);
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

function run(command, args, env) {
  const result = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    console.error(
      `countersign: error: ${command} ${args[0]} failed${result.error ? `: ${result.error.message}` : ''}`,
    );
    process.exit(1);
  }
}

function say(what) {
  console.error(`countersign: ${what} …`);
}
