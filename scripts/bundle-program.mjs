// Makes what is shipped of the compiled program: build/ in, dist/ out. Node reads a file in a third of a millisecond, and Ink
// alone has 550: so our modules, and the packages that draw and parse, are put together into few files, which still load one
// verb at a time. A package of `dependencies` stays a package, so that whoever installs this keeps it up to date; any other
// one that the program imports is put in, and its licence beside it.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'dist');

/** What is started by its path. A worker lies beside the files that start it. */
const STARTED = {
  'src/cli': 'src/cli.js',
  'src/oncall/oncall-ical': 'src/oncall/oncall-ical.js',
  'src/oncall/oncall-pagerduty': 'src/oncall/oncall-pagerduty.js',
  'chunks/checkpoint-worker': 'broker/store/sqlite/checkpoint-worker.js',
};
/** Ink looks for it where DEV is set, and goes on without it. */
const DEVTOOLS = 'react-devtools-core';
/** Ships no licence of its own; its sources name that of the other one, and the same holder. */
const LICENSED_LIKE = { 'yoga-layout': 'react' };

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const packageName = (/** @type {string} */ id) => /^(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? id;
/** What a package that is put in needs is put in as well: it may need another version of it than we do. */
const isFromPackage = (/** @type {string | undefined} */ importer) =>
  importer?.includes('/node_modules/') === true;

const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(Object.entries(STARTED).map(([name, file]) => [name, join(root, 'build', file)])),
  platform: 'node',
  external: (id, importer) =>
    id === DEVTOOLS || (!isFromPackage(importer) && Object.hasOwn(dependencies, packageName(id))),
  // React asks for it, and is twice as slow in another environment.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  onLog: (_level, { message }) => {
    throw new Error(message);
  },
});
rmSync(out, { recursive: true, force: true });
const { output } = await bundle.write({
  dir: out,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
});
chmodSync(join(out, 'src/cli.js'), 0o755);
const files = output.filter((file) => file.type === 'chunk');
for (const { fileName, code } of files) {
  for (const [text, path = ''] of code.matchAll(/new URL\("(\.\/[^"]+)", import\.meta\.url\)/g)) {
    if (!existsSync(join(out, dirname(fileName), path))) throw new Error(`${fileName}: ${text} is not there`);
  }
}
const modules = files.flatMap(({ moduleIds }) => moduleIds);
writeFileSync(join(out, 'THIRD-PARTY-LICENSES'), licenses(modules));

/** @param {readonly string[]} modules paths of all that was put in */
function licenses(modules) {
  const folders = modules.flatMap((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []);
  const texts = [...new Set(folders)].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version} (${license})\n\n${licenseText(name, folder)}\n`;
  });
  return [...new Set(texts)].sort().join(`\n${'-'.repeat(80)}\n\n`);
}

/** @param {string} name @param {string} folder */
function licenseText(name, folder) {
  const like = Object.entries(LICENSED_LIKE).find(([one]) => one === name)?.[1];
  const source = like === undefined ? folder : join(root, 'node_modules', like);
  const files = readdirSync(source).filter((file) => /^(?:licen[cs]e|notice)(?:\.|$)/i.test(file));
  if (files.length === 0) throw new Error(`${folder} is put into dist/ and ships no licence`);
  return files
    .sort()
    .map((file) => readFileSync(join(source, file), 'utf8').trim())
    .join('\n\n');
}
