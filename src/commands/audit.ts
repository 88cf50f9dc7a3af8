import { headsVerb } from './audit/heads-verb.js';
import type { VerbGroup } from './verb.js';

export const verb: VerbGroup = {
  help: `
The log of everything that the broker did: each entry is linked to the one before by
its hash, and the broker signs how far the log has got.

Usage
  countersign audit heads [--json]

Examples
  countersign audit heads
`,
  verbs: { heads: headsVerb },
};
