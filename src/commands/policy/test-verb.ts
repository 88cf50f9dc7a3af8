import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Directory } from '../../../broker/store/store.js';
import type { Environment } from '../../client/locations.js';
import { Problem } from '../../protocol/problems.js';
import { exact, print, printJson, prose } from '../output.js';
import { BROKER_FLAGS_HELP, defineVerb, type FlagValues } from '../verb.js';
import type { CasesFile } from './cases.js';
import type { CaseWorld } from './run-case.js';
import { loadWorld, openWorld, type PolicyWorld, WORLD_FLAGS, WORLD_FLAGS_HELP } from './world.js';

const FLAGS = { ...WORLD_FLAGS, policy: 'text', json: 'switch', tap: 'switch' } as const;

interface Result {
  readonly name: string;
  readonly line: number;
  /** From what was expected; empty for a case that holds. */
  readonly differences: readonly string[];
}

export const testVerb = defineVerb({
  help: `
Run cases against a policy file, like unit tests: an ask, who has signed, and what is
expected of it. The cases bring their own people, or are held against the real ones.

Usage
  countersign policy test CASES [--policy FILE] [--json | --tap]

Flags
  --policy FILE   else the one that the cases name, COUNTERSIGN_POLICY, or that of the
                  running broker${WORLD_FLAGS_HELP}
  --json          as JSON
  --tap           for programs that read the Test Anything Protocol${BROKER_FLAGS_HELP}

Exits with 0 if all cases hold, else with 1.

Examples
  countersign policy test cases.yaml
  countersign policy test cases.yaml --policy new-policy.yaml --roster signers
`,
  arguments: ['CASES'],
  flags: FLAGS,
  async run({ arguments: [path = ''], flags, env }) {
    if (flags.json && flags.tap) throw new Problem('usage', '--json and --tap exclude each other');
    const [{ parseCases }, { runCase }] = await Promise.all([import('./cases.js'), import('./run-case.js')]);
    const file = parseCases(await readFile(path, 'utf8'), path);
    const world = await caseWorld(file, path, flags, env);
    const results = file.cases.map((one, index): Result => {
      return { name: one.name, line: file.lines[index] ?? 0, differences: runCase(one, world) };
    });
    const failed = results.filter(({ differences }) => differences.length > 0).length;
    if (flags.json) printJson({ passed: results.length - failed, failed, cases: results });
    else print((flags.tap ? tapLines(results) : textLines(results, path)).join('\n'));
    return failed === 0 ? 0 : 1;
  },
});

async function caseWorld(
  { policy: named, roster, groups, at }: CasesFile,
  path: string,
  flags: FlagValues<typeof FLAGS>,
  env: Environment,
): Promise<CaseWorld> {
  const beside = named === undefined ? undefined : resolve(dirname(path), named);
  const own: Directory | null =
    roster === undefined
      ? null
      : {
          people: Object.entries(roster).map(([name, person]) => ({
            name: name as Directory['people'][number]['name'],
            aliases: person?.aliases ?? [],
            groups: person?.groups ?? [],
            keys: [],
          })),
          submitters: [],
        };
  const world: PolicyWorld = await openWorld(flags.policy ?? beside, flags, env, own);
  const { policy } = await loadWorld(world);
  const told = new Map([
    ...world.told,
    ...Object.entries(groups).map(([group, members]) => [group, { members, failing: null }] as const),
  ]);
  return { policy, directory: world.directory, told, at: at ?? Date.now() };
}

function textLines(results: readonly Result[], path: string): readonly string[] {
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  return [
    ...results.flatMap(({ name, line, differences: [first] }) =>
      first === undefined
        ? [`ok    ${prose(name)}`]
        : [`FAIL  ${prose(name)}`, `      ${exact(path)}:${line}: ${prose(first)}`],
    ),
    `${results.length - failed} passed, ${failed} failed`,
  ];
}

/** https://testanything.org/tap-version-14-specification.html */
function tapLines(results: readonly Result[]): readonly string[] {
  return [
    'TAP version 14',
    `1..${results.length}`,
    ...results.flatMap(({ name, differences }, index) => [
      `${differences.length === 0 ? 'ok' : 'not ok'} ${index + 1} - ${prose(name).replaceAll('#', '\\#')}`,
      ...differences.map((difference) => `# ${prose(difference)}`),
    ]),
  ];
}
