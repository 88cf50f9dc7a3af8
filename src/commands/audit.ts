import { headsVerb } from './audit/heads-verb.js';
import { reportVerb } from './audit/report-verb.js';
import type { VerbGroup } from './verb.js';

export const verb: VerbGroup = {
  help: `
The log of everything that the broker did: each entry is linked to the one before by
its hash, and the broker signs how far the log has got.

Usage
  countersign audit report [--since TIME] [--until TIME] [--by WHAT] [--format FORM]
  countersign audit heads [--json]

Examples
  countersign audit report --since 7d --by person
  countersign audit heads
`,
  verbs: { report: reportVerb, heads: headsVerb },
};
