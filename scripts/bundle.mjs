// Writes dist/countersign-ci: scripts/countersign-ci with its modules in it, one file that a job can fetch and pin. The same
// sources give the same bytes. Node built-ins only, and syntax that Node 18 reads.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Takes the place of everything from the line that begins with the first text to the one that begins with the second. */
const BEGIN = '# The modules, from here in a clone';
const END = '# End of the modules.';

/** @param {string} root of the clone */
export function bundleCi(root) {
  const read = (/** @type {string} */ name) => readFileSync(join(root, 'scripts', name), 'utf8');
  const entry = read('countersign-ci');
  const begin = entry.indexOf(BEGIN);
  const end = entry.indexOf(END);
  const names = [...entry.slice(begin, end).matchAll(/\b(?:door|ci)\/[a-z0-9-]+/g)].map(([name]) => name);
  if (begin < 0 || end < begin || names.length === 0)
    throw new Error('scripts/countersign-ci has lost its marks');
  const modules = names.map((name) => `# ${name}.sh\n${withoutDirectives(read(`${name}.sh`))}`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  const file = join(root, 'dist/countersign-ci');
  writeFileSync(file, `${entry.slice(0, begin)}${modules.join('\n')}\n${entry.slice(end)}`);
  chmodSync(file, 0o755);
}

/** What the first line of a module says to shellcheck stands at the top of the entry already. */
const withoutDirectives = (/** @type {string} */ text) => text.replace(/^# shellcheck shell=.*\n/, '');
