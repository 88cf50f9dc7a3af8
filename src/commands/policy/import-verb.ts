import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parseName } from '../../protocol/names.js';
import { Problem } from '../../protocol/problems.js';
import { parseStrictJson } from '../../protocol/strict-json.js';
import { tell } from '../output.js';
import { defineVerb } from '../verb.js';
import { importPolicyRules } from './import.js';

export const importVerb = defineVerb({
  help: `
Turn a role-request policy in JSON into a policy file, which it prints:

  {"policy_rules": [{"groups": {"oncall@example.com": {}},
    "roles": {"roles/viewer": {}}, "resources": {"projects/testing": {}}}]}

Nothing opens by the import that was shut in the source: what cannot be carried over
is refused by its place. The groups keep their names; put people into them with
countersign roster set, and look at the result with countersign policy check.

Usage
  countersign policy import FILE [--action ACTION] [--longest TIME]

Flags
  --action ACTION  what asks for a role are called (default role.grant); the role stands
                   in details.role of an ask
  --longest TIME   how long a role may be asked for, as 2h; else asks that name a time
                   are refused

Examples
  countersign policy import rules.json > policy.yaml
  countersign policy import rules.json --action gcp.grant --longest 2h > policy.yaml
`,
  arguments: ['FILE'],
  flags: { action: 'text', longest: 'text' },
  async run({ arguments: [file = ''], flags }) {
    const action = parseName(flags.action ?? 'role.grant', '--action');
    const longest = flags.longest ?? null;
    if (longest !== null && !/^[1-9]\d{0,4}[smhd]$/.test(longest)) {
      throw new Problem('usage', '--longest is not a time like 90s, 15m, 2h or 1d');
    }
    const source = file === '-' ? 'standard input' : basename(file);
    const value = parseStrictJson(file === '-' ? await buffer(process.stdin) : await readFile(file));
    const { text, covered } = importPolicyRules(value, { source, action, longest });
    for (const { entry, by } of covered) tell(`entry ${entry} is left out: entry ${by} allows all of it`);
    process.stdout.write(text);
    return 0;
  },
});
