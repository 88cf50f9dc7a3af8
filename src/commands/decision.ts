import { createInterface } from 'node:readline/promises';
import { sendDecision } from '../client/broker-connection.js';
import { verifyShown } from '../client/shown-request.js';
import { type Digest, parseRequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { openAsApprover, withBroker } from './open-broker.js';
import { print, printJson, prose } from './output.js';
import { formatRequest } from './request-text.js';
import { fetchRequest, statusOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb, type Verb } from './verb.js';

/** How much of the digest is typed to confirm, in hex digits. */
const TYPED = 6;

const PROGRESS = { approve: 'approved', deny: 'denied' } as const;

/** The verbs `approve` and `deny`: show the whole document, have its digest typed, sign exactly that. */
export function decisionVerb(verdict: 'approve' | 'deny'): Verb {
  return defineVerb({
    help: `
${verdict === 'approve' ? 'Sign yes to' : 'Sign no to'} one request. The whole document is shown; typing the first ${TYPED}
characters of its digest confirms that it was read. Without a terminal the digest
must be given.

Usage
  countersign ${verdict} ID [--comment TEXT]
  countersign ${verdict} ID --yes-i-read-it DIGEST

Flags
  --comment TEXT  kept with the decision, and signed
  --yes-i-read-it DIGEST
                  the digest of what you read, as countersign show prints it
  --key FILE      decide with this key (COUNTERSIGN_KEY)
  --json          print where the request stands with it as JSON${BROKER_FLAGS_HELP}

Examples
  countersign ${verdict} 01KB2X6C9V4T7M3N8QZ5R0EWHD
  countersign ${verdict} 01KB2X6C9V4T7M3N8QZ5R0EWHD --comment "as agreed in INC-4312"
`,
    arguments: ['ID'],
    flags: { ...BROKER_FLAGS, key: 'text', comment: 'text', yesIReadIt: 'text', json: 'switch' },
    async run({ arguments: [id = ''], flags, env, display: { zone } }) {
      const request = parseRequestId(id);
      if (flags.yesIReadIt === undefined && !process.stdin.isTTY) {
        throw new Problem('usage', 'there is no terminal to confirm on', {
          hint: 'read it with countersign show, then give --yes-i-read-it DIGEST',
        });
      }
      return withBroker(openAsApprover(flags, env), async (broker) => {
        const view = await fetchRequest(broker, request);
        const { digest } = verifyShown(view);
        if (flags.yesIReadIt === undefined) {
          process.stderr.write(`${formatRequest(view, { zone, now: broker.clock.now() })}\n\n`);
          await confirmDigest(verdict, digest);
        } else if (flags.yesIReadIt !== digest) {
          throw new Problem('shown-differs', 'the digest that you give is not the one of this request', {
            hint: 'nothing was signed; read the request again: countersign show ID',
          });
        }
        const status = await sendDecision({ ...broker, broker }, view, {
          verdict,
          comment: flags.comment ?? '',
        });
        if (flags.json) {
          printJson(statusOnWire(view.id, status));
          return 0;
        }
        print(`${PROGRESS[verdict]} ${view.id}: the request is ${status.state}`);
        for (const missing of status.missing) print(`still missing: ${prose(missing)}`);
        return 0;
      });
    },
  });
}

/** @throws Problem `usage` unless the beginning of the digest is typed. */
export async function confirmDigest(
  verb: string,
  digest: Digest,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<void> {
  const expected = digest.slice('sha256:'.length, 'sha256:'.length + TYPED);
  const prompt = createInterface({ input, output: process.stderr });
  const question = `To ${verb}, type the first ${TYPED} characters after "sha256:" of the digest; anything else stops: `;
  // Ctrl-C and Ctrl-D are rejections, and answers like any other.
  const typed = await prompt.question(question).catch(() => '\n');
  prompt.close();
  if (typed.trim() === expected) return;
  if (typed === '\n') process.stderr.write('\n');
  throw new Problem('usage', 'that is not how the digest begins', { hint: 'nothing was signed' });
}
