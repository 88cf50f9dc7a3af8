import type { Finding } from '../../../broker/audit/finding.js';
import type { Verified } from '../../../broker/audit/verification.js';
import { locate } from '../../client/locations.js';
import { shownTime, type TimeStyle } from '../../client/shown-time.js';
import type { LogEntry } from '../../protocol/event-log.js';
import { formatTime } from '../../protocol/time.js';
import { parseFingerprint } from '../../ssh/public-key.js';
import { exact, print, printJson } from '../output.js';
import { formatTable } from '../text-table.js';
import { defineVerb } from '../verb.js';
import { type KnownLog, knownLog } from './known-log.js';
import { keyBeside, type LogSource, openLogSource } from './log-source.js';

export const verifyVerb = defineVerb({
  help: `
Check a log of a broker, offline: that each entry follows the one before, that each body
and each head which the broker signed fits, and that everything people signed holds
against the roster as it stood at that entry. Names the first bad entry. Compares with
the heads that this machine has kept, too.

FILE is an export, a broker.db or a back-up of it; DIR a data directory, also while its
broker runs.

Usage
  countersign audit verify FILE|DIR [--broker SHA256:…] [--against EXPORT] [--json]

Flags
  --broker SHA256:…  a key by which you know the broker; its later keys are followed.
                     May be given more than once. Default: what this machine has pinned
  --against EXPORT   another, older export of the same log: every entry that stands in
                     both must be the same
  --json             as JSON

Exit codes: 0 nothing is bad, 1 an entry is bad or the log cannot be read.

Examples
  countersign audit verify /backup/audit.jsonl
  countersign audit verify audit.jsonl \\
    --broker SHA256:jD8kIYzFGbVYWV8u2Cg1+9zdA2Xk0FVB0ov2AAm4xRo
  countersign audit verify new.jsonl --against last-month.jsonl --json | jq .bad
`,
  arguments: ['FILE|DIR'],
  flags: { broker: 'texts', against: 'text', json: 'switch' },
  async run({ arguments: [path = ''], flags, env, display: { zone } }) {
    const given = flags.broker.map(parseFingerprint);
    const { config } = locate({}, env);
    const source = await openLogSource(path);
    const other = flags.against === undefined ? null : await openLogSource(flags.against);
    try {
      const beside = source.header === null ? keyBeside(path) : null;
      const named = { key: source.header?.key ?? beside, isOwn: beside !== null };
      const known = await knownLog(config, given, named);
      const outcome = await verifySource(source, other, known);
      if (flags.json) printJson(onWire(path, source, known, outcome));
      else print(describe(path, source, known, outcome, { zone, now: Date.now() }));
      return outcome.bad === null ? 0 : 1;
    } finally {
      source.close();
      other?.close();
    }
  },
});

interface Outcome {
  readonly bad: Finding | null;
  readonly verified: Verified;
  /** How many entries stand in the other export too; null without one. */
  readonly compared: number | null;
}

async function verifySource(
  source: LogSource,
  other: LogSource | null,
  { pinned, kept }: KnownLog,
): Promise<Outcome> {
  const { Verification } = await import('../../../broker/audit/verification.js');
  const { Comparison } = await import('../../../broker/audit/comparison.js');
  const { kind, header } = source;
  const verification = new Verification({
    after: header?.after ?? 0,
    isSelection: (header?.filter ?? null) !== null,
    pinned,
    kept,
    mayEnd: kind === 'copy' || (header?.until ?? null) !== null,
  });
  const comparison = other === null ? null : new Comparison(entriesOf(other));
  const lines = source.lines();
  const found = (): Finding | null => {
    for (;;) {
      const next = lines.next();
      if (next.done === true) {
        return verification.end(next.value) ?? comparison?.end(verification.verified.head.seq) ?? null;
      }
      const line = next.value;
      if (line === null) return verification.malformed();
      const entry = line.kind === 'entry' ? line.entry : null;
      const bad = verification.line(line) ?? (entry === null ? null : (comparison?.step(entry) ?? null));
      if (bad !== null) return bad;
    }
  };
  return { bad: found(), verified: verification.verified, compared: comparison?.compared ?? null };
}

/** What is no line of an export ends it: the other export is compared, not examined. */
function* entriesOf(source: LogSource): Generator<LogEntry> {
  for (const line of source.lines()) {
    if (line === null) return;
    if (line.kind === 'entry') yield line.entry;
  }
}

function onWire(
  file: string,
  { kind, header }: LogSource,
  { pinned, kept }: KnownLog,
  { bad, verified, compared }: Outcome,
) {
  const { attested } = verified;
  return {
    file,
    kind,
    broker: header?.broker ?? null,
    after: header?.after ?? 0,
    filter: header?.filter ?? null,
    good: bad === null,
    bad,
    ...verified,
    attested: attested === null ? null : { ...attested, signed: formatTime(attested.signed) },
    pinned,
    kept: kept.length,
    compared,
  };
}

const WHAT = { export: 'an export', database: 'a database', copy: 'a back-up' } as const;

function describe(
  path: string,
  { kind, header }: LogSource,
  known: KnownLog,
  { bad, verified, compared }: Outcome,
  style: TimeStyle,
): string {
  const { entries, head, heads, attested, signatures, unapproved, restored, unchecked } = verified;
  const of = header === null ? '' : ` of the log of ${exact(header.broker)}`;
  const first = (header?.after ?? 0) + 1;
  const signed = Object.entries(signatures).filter(([, count]) => count > 0);
  const rows = [
    ['log', `${exact(path)}, ${WHAT[kind]}${of}`],
    ['entries', entries === 0 ? 'none that hold' : `${entries}, from ${first} to ${head.seq}`],
    ['heads', headsText(heads, attested, head.seq, known, style)],
    [
      'signed',
      signed.length === 0 ? 'nothing' : signed.map(([what, count]) => counted(count, what)).join(', '),
    ],
    ...(known.kept.length === 0
      ? []
      : [['kept here', `${counted(known.kept.length, 'head')} to compare with`]]),
    ...(compared === null ? [] : [['compared', `${counted(compared, 'entry')} that stand in both`]]),
    ...(restored.length === 0
      ? []
      : [['restored', `the log goes on from a back-up at entry ${restored.join(', ')}`]]),
    ...(unapproved.length === 0
      ? []
      : [
          [
            'unapproved',
            `${counted(unapproved.length, 'change')} of roster or policy while no broker ran, the last at entry ${unapproved.at(-1)}`,
          ],
        ]),
    ...((header?.filter ?? null) === null
      ? []
      : [['not checked', `what is left out: a selection of ${exact(header?.filter ?? '')}`]]),
    ...unchecked.map(({ what, count, first: seq }) => [
      'not checked',
      `${what}: ${counted(count, 'entry')}, the first ${seq}`,
    ]),
    ['result', bad === null ? 'good' : badText(bad)],
  ];
  return formatTable(rows);
}

function headsText(
  heads: number,
  attested: Verified['attested'],
  last: number,
  { pinned }: KnownLog,
  style: TimeStyle,
): string {
  if (attested === null) return heads === 0 ? 'none' : `${heads}, none by a key that you know`;
  const whose = pinned.length === 0 ? ', by a key that nothing here vouches for: give --broker SHA256:…' : '';
  const rest = last === attested.seq ? '' : `; ${counted(last - attested.seq, 'entry')} after it`;
  return `${heads}, the newest of entry ${attested.seq}, signed ${shownTime(attested.signed, style)}${rest}${whose}`;
}

function badText({ seq, from, why }: Finding): string {
  if (from === seq) return `BAD at entry ${seq}: ${exact(why)}`;
  return `BAD between entry ${from} and entry ${seq}: ${exact(why)}`;
}

function counted(count: number, what: string): string {
  if (count === 1) return `1 ${what}`;
  return `${count} ${what.endsWith('y') ? `${what.slice(0, -1)}ies` : what.endsWith('s') || what === 'break-glass' || what === 'roster' ? what : `${what}s`}`;
}
