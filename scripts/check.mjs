// The one gate: types, lint and format, shell scripts, then every test. The last line counts what passed and failed.
// Under COUNTERSIGN_E2E=required whatever is skipped counts as failed. Before it, a line for each attack that tests play.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportAttacks } from './attack-report.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const required = process.env.COUNTERSIGN_E2E === 'required';
const count = { passed: 0, failed: 0, skipped: 0 };
const tests = [];

step('types', 'tsc', ['-p', 'test/tsconfig.json']);
step('lint and format', 'biome', ['ci', '--error-on-warnings', '.']);
if (found('shellcheck')) step('shell scripts', 'shellcheck', ['-x', '-P', 'scripts', ...shellScripts()]);
else skip('shell scripts', 'shellcheck');
// One after the other: what drives real programs wants the machine without the load of all the rest. The machines of the
// README lie over /etc and /usr of this one, which nobody may change meanwhile.
const ALONE = 'test/e2e/readme.test.ts';
countTests('unit tests', '--project', 'unit');
countTests('e2e tests', '--project', 'e2e', '--exclude', ALONE);
countTests('e2e tests of the README', '--project', 'e2e', ALONE);
showAttacks();

const failed = count.failed + (required ? count.skipped : 0);
const skipped = required || count.skipped === 0 ? '' : `, ${count.skipped} skipped`;
console.log(`${count.passed} passed, ${failed} failed${skipped}`);
process.exitCode = failed === 0 && count.passed > 0 ? 0 : 1;

function step(name, command, args) {
  console.log(`\n== ${name}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  count[status === 0 ? 'passed' : 'failed'] += 1;
}

function skip(name, tool) {
  console.log(`\n== ${name}: skipped, ${tool} is not installed`);
  count.skipped += 1;
}

function countTests(title, ...chosen) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-tests-'));
  const file = join(folder, 'results.json');
  console.log(`\n== ${title}`);
  const args = ['run', ...chosen, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const { status } = spawnSync('vitest', args, { cwd: root, stdio: 'inherit' });
  try {
    const results = JSON.parse(readFileSync(file, 'utf8'));
    count.passed += results.numPassedTests;
    count.skipped += results.numPendingTests + results.numTodoTests;
    count.failed += results.numFailedTests;
    tests.push(...results.testResults.flatMap((file) => file.assertionResults));
    // A file that does not load has no failed test, and must not pass.
    if (status !== 0 && results.numFailedTests === 0) count.failed += 1;
  } catch {
    count.failed += 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function showAttacks() {
  const { lines, problems } = reportAttacks(tests);
  console.log(`\n== attacks\n${lines.join('\n')}`);
  for (const problem of problems) console.error(problem);
  count.failed += problems.length;
}

function shellScripts() {
  const below = (folder) =>
    readdirSync(join(root, 'scripts', folder))
      .filter((name) => name.endsWith('.sh'))
      .map((name) => `scripts/${folder}/${name}`);
  const programs = [
    'countersign-pam',
    'countersign-gate',
    'countersign-roster',
    'countersign-ci',
    'install-door',
  ];
  return [...programs.map((name) => `scripts/${name}`), ...below('door'), ...below('ci')];
}

function found(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}
