import { checkVerb } from './policy/check-verb.js';
import { explainVerb } from './policy/explain-verb.js';
import { importVerb } from './policy/import-verb.js';
import { installVerb } from './policy/install-verb.js';
import { showVerb } from './policy/show-verb.js';
import { testVerb } from './policy/test-verb.js';
import type { VerbGroup } from './verb.js';

export const verb: VerbGroup = {
  help: `
The policy file: who may ask, who must sign, for how long. The broker loads it with
serve --policy FILE; these look at it before and after.

Usage
  countersign policy show [--json]
  countersign policy check [FILE] [--roster FILE] [--json]
  countersign policy explain ACTION RESOURCE --requester NAME [--file FILE] [--json]
  countersign policy explain --request ID [--json]
  countersign policy test CASES [--policy FILE] [--json | --tap]
  countersign policy import FILE [--action ACTION] [--longest TIME]
  countersign policy install FILE [--dir DIR]

Examples
  countersign policy show
  countersign policy check policy.yaml
  countersign policy explain ssh.login web-1.example.com --requester alice
  countersign policy test cases.yaml
  countersign policy import rules.json > policy.yaml
`,
  verbs: {
    show: showVerb,
    check: checkVerb,
    explain: explainVerb,
    test: testVerb,
    import: importVerb,
    install: installVerb,
  },
};
