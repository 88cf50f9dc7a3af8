import { importVerb } from './policy/import-verb.js';
import type { VerbGroup } from './verb.js';

export const verb: VerbGroup = {
  help: `
The policy file: who may ask, who must sign, for how long.

Usage
  countersign policy import FILE [--action ACTION] [--longest TIME]

Examples
  countersign policy import rules.json > policy.yaml
`,
  verbs: { import: importVerb },
};
