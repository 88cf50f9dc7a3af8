import { acceptVerb } from './audit/accept-verb.js';
import { exportVerb } from './audit/export-verb.js';
import { headsVerb } from './audit/heads-verb.js';
import { holdVerbs } from './audit/hold-verbs.js';
import { reportVerb } from './audit/report-verb.js';
import { showVerb } from './audit/show-verb.js';
import { verifyVerb } from './audit/verify-verb.js';
import type { VerbGroup } from './verb.js';

export const verb: VerbGroup = {
  help: `
The log of everything that the broker did: each entry is linked to the one before by
its hash, and the broker signs how far the log has got.

Usage
  countersign audit export [FILE] [--after SEQ | --since TIME] [--until TIME] [--filter FILTER]
  countersign audit verify FILE|DIR [--broker SHA256:…] [--against EXPORT] [--json]
  countersign audit show ID [--json]
  countersign audit report [--since TIME] [--until TIME] [--by WHAT] [--format FORM]
  countersign audit heads [--json]
  countersign audit accept
  countersign audit hold add NAME --filter FILTER --reason TEXT
  countersign audit hold list [--json]
  countersign audit hold lift NAME

Examples
  countersign audit export audit.jsonl
  countersign audit verify audit.jsonl
  countersign audit report --since 7d --by person
  countersign audit heads
  countersign audit hold list
`,
  verbs: {
    export: exportVerb,
    verify: verifyVerb,
    show: showVerb,
    report: reportVerb,
    heads: headsVerb,
    accept: acceptVerb,
    hold: holdVerbs,
  },
};
