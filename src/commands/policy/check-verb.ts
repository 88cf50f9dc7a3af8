import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { CommandGroup, CompiledPolicy } from '../../../broker/policy/compile.js';
import { exact, print, printJson, prose } from '../output.js';
import { BROKER_FLAGS_HELP, defineVerb } from '../verb.js';
import type { Warning } from './warnings.js';
import { loadWorld, openWorld, type PolicyWorld, WORLD_FLAGS, WORLD_FLAGS_HELP } from './world.js';

/** What is wrong with a file, or might be. */
interface Findings {
  readonly mistakes: readonly { readonly line: number; readonly column: number; readonly message: string }[];
  readonly warnings: readonly Warning[];
  /** 0 where there are mistakes. */
  readonly rules: number;
}

export const checkVerb = defineVerb({
  help: `
Look whether the broker would load a policy file: against the roster, with every
mistake by line and column and what to do about it. Warnings are about what is allowed
and perhaps not meant. It runs no command of a group.

Usage
  countersign policy check [FILE] [--roster FILE] [--json]

Flags${WORLD_FLAGS_HELP}
  --json          as JSON${BROKER_FLAGS_HELP}

Without FILE it is COUNTERSIGN_POLICY, else the policy of the running broker. Exits with
0 if the file would be loaded, else with 1.

Examples
  countersign policy check policy.yaml
  countersign policy check policy.yaml --roster signers
  countersign policy check policy.yaml --json | jq -r '.mistakes[].message'
`,
  arguments: ['FILE?'],
  flags: { ...WORLD_FLAGS, json: 'switch' },
  async run({ arguments: [file], flags, env }) {
    const world = await openWorld(file, flags, env);
    const { mistakes, warnings, rules } = await findingsOn(world);
    const ok = mistakes.length + world.refused.length === 0;
    if (flags.json) {
      printJson({ file: world.file, ok, rules, refused: world.refused, mistakes, warnings });
      return ok ? 0 : 1;
    }
    const place = exact(world.file);
    for (const { line, column, message } of mistakes) print(`${place}:${line}:${column}: ${prose(message)}`);
    for (const mistake of world.refused) print(exact(mistake));
    for (const { line, message } of warnings) print(`${place}:${line}: warning: ${prose(message)}`);
    print(`${place}: ${summary(mistakes.length + world.refused.length, warnings.length, rules)}`);
    return ok ? 0 : 1;
  },
});

async function findingsOn(world: PolicyWorld): Promise<Findings> {
  const [{ BadPolicy }, { warningsOn }] = await Promise.all([
    import('../../../broker/policy/bad-policy.js'),
    import('./warnings.js'),
  ]);
  try {
    const { policy, principals } = await loadWorld(world);
    const warnings = [
      ...warningsOn(policy, world.directory.submitters, principals),
      ...(await commandWarnings(policy)),
    ];
    return { mistakes: [], warnings, rules: policy.rules.length };
  } catch (error) {
    if (!(error instanceof BadPolicy)) throw error;
    return { mistakes: error.mistakes, warnings: [], rules: 0 };
  }
}

/** Programs of groups that cannot be run, by whoever checks. */
async function commandWarnings({ groups }: Pick<CompiledPolicy, 'groups'>): Promise<readonly Warning[]> {
  const found = await Promise.all(groups.map(commandWarning));
  return found.filter((warning) => warning !== null);
}

async function commandWarning({ name, command: [program = ''] }: CommandGroup): Promise<Warning | null> {
  try {
    await access(program, constants.X_OK);
    return null;
  } catch {
    return { line: 1, message: `you cannot run ${program}, which tells who is in ${name}: can the broker?` };
  }
}

function summary(mistakes: number, warnings: number, rules: number): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const also = warnings === 0 ? '' : `, ${count(warnings, 'warning')}`;
  return mistakes > 0
    ? `not loaded: ${count(mistakes, 'mistake')}${also}`
    : `good: ${count(rules, 'rule')}${also}`;
}
