import * as z from 'zod';
import { askingName } from '../client/broker-identity.js';
import { shownTime } from '../client/shown-time.js';
import { sha256Digest } from '../protocol/canonical.js';
import { type Digest, isDigest } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { type ProposalReply, proposalReply } from '../protocol/roster-signing.js';
import { commentFits, MAX_COMMENT_BYTES } from '../protocol/statement.js';
import { formatRoster } from '../protocol/statements.js';
import { signersDifference } from '../ssh/signers-difference.js';
import { parseSignersFile } from '../ssh/signers-file.js';
import { confirmDigest } from './decision.js';
import { parseSeconds } from './duration.js';
import { openAsApprover, type SignedInBroker, withBroker } from './open-broker.js';
import { exact, print, printJson } from './output.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

/** For how long doors may take over what is signed, in seconds: 30 days, so that one that was off catches up. */
const VALIDITY = 30 * 86_400;

const signedReply = z.object({ serial: z.int(), signed: z.int(), needed: z.int(), complete: z.boolean() });

export const signVerb = defineVerb({
  help: `
Sign, as an approver, for the signers file that doors shall have next. Shows what
changes against the one in force; typing the first 6 characters of the new digest
confirms that it was read. Doors with countersign-roster take it over once as many
people have signed as they require of an approval.

Usage
  countersign roster sign [--from DIGEST] [--comment TEXT]
  countersign roster sign --yes-i-read-it DIGEST

Flags
  --from DIGEST   for doors that have this file: see countersign roster status
                  (default: the file to which people have signed last)
  --valid TIME    for how long doors may take it over: 12h, 30d (default 30d)
  --comment TEXT  kept with the statement, and signed
  --yes-i-read-it DIGEST
                  the digest of the new file, as this verb shows it
  --key FILE      sign with this key (COUNTERSIGN_KEY)
  --json          print where it stands then as JSON${BROKER_FLAGS_HELP}

Examples
  countersign roster sign
  countersign roster sign --comment "dave joins on call" --valid 7d
`,
  arguments: [],
  flags: {
    ...BROKER_FLAGS,
    ...{ key: 'text', from: 'text', valid: 'text', comment: 'text', yesIReadIt: 'text', json: 'switch' },
  },
  async run({ flags, env, display: { zone } }) {
    const comment = flags.comment ?? '';
    if (!commentFits(comment))
      throw new Problem('usage', `the comment is longer than ${MAX_COMMENT_BYTES} bytes as it is signed`);
    const seconds = flags.valid === undefined ? VALIDITY : parseSeconds(flags.valid, '--valid');
    const from = digestOf(flags.from, '--from');
    if (flags.yesIReadIt === undefined && !process.stdin.isTTY) {
      throw new Problem('usage', 'there is no terminal to confirm on', {
        hint: 'read it with countersign roster status, then give --yes-i-read-it DIGEST',
      });
    }
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const proposal = await fetchProposal(broker, from);
      const { inForce, present, serial } = proposal;
      if (inForce === null || serial === null) {
        throw new Problem('usage', 'there is nothing to sign: the file in force is what the roster exports', {
          hint: 'where doors have another one, give its digest with --from: countersign roster status',
        });
      }
      if (flags.yesIReadIt === undefined) {
        process.stderr.write(`${formatProposal(proposal, { zone, now: broker.clock.now() })}\n\n`);
        await confirmDigest('sign', present.digest);
      } else if (flags.yesIReadIt !== present.digest) {
        throw new Problem('shown-differs', 'the digest that you give is not the one of the new file', {
          hint: 'nothing was signed; read it again: countersign roster status',
        });
      }
      const issued = Math.floor(broker.clock.now() / 1000) * 1000;
      const statement = formatRoster({
        broker: askingName(broker),
        serial,
        old: inForce.digest,
        next: present.digest,
        validUntil: issued + seconds * 1000,
        approver: broker.approver,
        issued,
        comment,
      });
      const armor = await broker.signer.sign('roster@countersign', statement);
      const reply = await broker.client.call(signedReply, {
        method: 'POST',
        path: '/v1/roster/statements',
        body: { statement: statement + armor },
      });
      if (flags.json) printJson(reply);
      else if (reply.complete)
        print(`signed serial ${serial}: doors take it over once enough people for them have signed`);
      else print(`signed serial ${serial}: ${reply.signed} of ${reply.needed} people have signed`);
      return 0;
    });
  },
});

export const statusVerb = defineVerb({
  help: `
Say which signers file doors have, what there is to sign about it, and who has signed.

Usage
  countersign roster status [--from DIGEST] [--json]

Flags
  --from DIGEST   what there is to sign for doors that have this file
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign roster status
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', from: 'text', json: 'switch' },
  async run({ flags, env, display: { zone } }) {
    const from = digestOf(flags.from, '--from');
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const proposal = await fetchProposal(broker, from);
      if (flags.json) printJson(z.encode(proposalReply, proposal));
      else print(formatProposal(proposal, { zone, now: broker.clock.now() }));
      return 0;
    });
  },
});

/** @throws Problem `shown-differs` where a text is not the one of its digest (A62), `malformed-signers-file`, `broker-reply` */
async function fetchProposal({ client, token }: SignedInBroker, from: Digest | null): Promise<ProposalReply> {
  const path = `/v1/roster/proposal${from === null ? '' : `?from=${from}`}`;
  const proposal = await client.call(proposalReply, { method: 'GET', path, token });
  const files = [proposal.present, ...(proposal.inForce === null ? [] : [proposal.inForce])];
  for (const { digest, text } of files) {
    if (sha256Digest(text) !== digest)
      throw new Problem('shown-differs', 'the broker shows another signers file than its digest says');
    parseSignersFile(text);
  }
  return proposal;
}

function formatProposal(
  { inForce, present, serial, needed, signed, doors }: ProposalReply,
  style: { readonly zone: string; readonly now: number },
): string {
  const rows: string[][] = [];
  if (inForce === null || serial === null) {
    rows.push(['in force', `${present.digest}, as the roster exports it: nothing to sign`]);
  } else {
    rows.push(['in force', inForce.digest], ['new', present.digest]);
    rows.push(['serial', String(serial)], ['signed', `${signed.length} of ${needed} people`]);
    for (const { approver, validUntil } of signed)
      rows.push(['', `${approver}, good until ${shownTime(validUntil, style)}`]);
    const lines = signersDifference(parseSignersFile(inForce.text), parseSignersFile(present.text));
    rows.push(['changes', lines.length === 0 ? 'none but the order of lines' : '']);
    rows.push(...lines.map((line) => ['', exact(line)]));
  }
  const fileOf = ({ signers, outdated, known }: ProposalReply['doors'][number]): string => {
    if (!outdated) return 'new';
    if (signers === inForce?.digest) return 'in force';
    return known ? `${signers}: sign for it with --from` : `${signers}: unknown here, install one by hand`;
  };
  const table = doors.map((door) => [exact(door.door), fileOf(door), shownTime(door.since, style)]);
  const head = rows.map(([name = '', value = '']) => `${name.padEnd(10)}${value}`.trimEnd()).join('\n');
  return doors.length === 0
    ? head
    : `${head}\n\n${formatTable([['DOOR', 'SIGNERS FILE', 'SINCE'], ...table])}`;
}

function digestOf(text: string | undefined, what: string): Digest | null {
  if (text === undefined) return null;
  if (isDigest(text)) return text;
  throw new Problem('usage', `${what} is not sha256: and 64 lower-case hex digits`);
}
