import { createInterface } from 'node:readline/promises';
import { sendDecision } from '../client/broker-connection.js';
import { leastReason, takesNumber, takesResource } from '../client/decide.js';
import { verifyShown } from '../client/shown-request.js';
import type { TimeStyle } from '../client/shown-time.js';
import { type ChosenTerms, chosenTerms } from '../client/terms.js';
import { type MatchedNumber, readTypedNumber } from '../protocol/matched-number.js';
import { type Digest, parseRequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { RequestView } from '../protocol/request-view.js';
import { parseRule } from '../protocol/rule.js';
import { coverWords } from '../protocol/rule-words.js';
import { parseSeconds } from './duration.js';
import { openAsApprover, withBroker } from './open-broker.js';
import { print, printJson, prose, tell } from './output.js';
import { formatRequest } from './request-text.js';
import { fetchRequest, statusOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb, type Verb } from './verb.js';

const CODE_HELP = `  --code DIGITS   the number that the requester was shown and tells you, where the request
                  asks for one; asked for on a terminal
`;

const RESOURCE_HELP = `  --resource NAME the resource, exactly as shown, where the rule has it typed; asked
                  for on a terminal
`;

const GRANT_HELP = `  --grant         sign for this and every equal ask, where the rule allows that
  --for TIME      sign for less time than was asked for, from the first use: 30m, 2h
  --uses N        how often the grant may be used; without it as often as the rule allows
`;
const GRANT_EXAMPLE = `
  countersign approve 01KB2X6C9V4T7M3N8QZ5R0EWHD --grant --for 30m --uses 5`;

const FRAUD_HELP = `
  --fraud         nobody honest asked this: the requester, under all aliases, is locked
                  until an approver unlocks; what is pending or unused ends
  --all-of WHAT   in place of ID: all that wait of requester:NAME, from submitter:NAME, or
                  equal:ID, the oldest 100; they are listed, and their number is typed
  --count N       that number, without a terminal; another one, and nothing is signed`;
const FRAUD_EXAMPLE = `
  countersign deny --all-of submitter:ci-1 --comment "a loop in the pipeline"
  countersign deny --all-of requester:alice --count 12
  countersign deny 01KB2X6C9V4T7M3N8QZ5R0EWHD --fraud --comment "alice is on holiday"`;

const ALL_OF_USAGE = `
  countersign deny --all-of WHAT [--count N] [--comment TEXT]`;

const FLAGS = {
  ...BROKER_FLAGS,
  key: 'text',
  comment: 'text',
  yesIReadIt: 'text',
  json: 'switch',
} as const;

const APPROVAL_FLAGS = {
  code: 'text',
  resource: 'text',
  grant: 'switch',
  for: 'text',
  uses: 'text',
} as const;

const DENIAL_FLAGS = { fraud: 'switch', allOf: 'text', count: 'text' } as const;

/** How much of the digest is typed to confirm, in hex digits. */
const TYPED = 6;

type Verdict = 'approve' | 'deny';

const PROGRESS = { approve: 'approved', deny: 'denied' } as const;

/** The verbs `approve` and `deny`: show the whole document, have its digest typed, sign exactly that. */
export function decisionVerb(verdict: Verdict): Verb {
  const verb = defineVerb({
    help: `
${verdict === 'approve' ? 'Sign yes to' : 'Sign no to'} one request. The whole document is shown; typing the first ${TYPED}
characters of its digest confirms that it was read. Without a terminal the digest
must be given.

Usage
  countersign ${verdict} ID [--comment TEXT]
  countersign ${verdict} ID --yes-i-read-it DIGEST${verdict === 'deny' ? ALL_OF_USAGE : ''}

Flags
${verdict === 'approve' ? GRANT_HELP + CODE_HELP + RESOURCE_HELP : ''}  --comment TEXT  kept with the decision, and signed${verdict === 'deny' ? FRAUD_HELP : ''}
  --yes-i-read-it DIGEST
                  the digest of what you read, as countersign show prints it
  --key FILE      decide with this key (COUNTERSIGN_KEY)
  --json          print where the request stands with it as JSON${BROKER_FLAGS_HELP}

Examples
  countersign ${verdict} 01KB2X6C9V4T7M3N8QZ5R0EWHD
  countersign ${verdict} 01KB2X6C9V4T7M3N8QZ5R0EWHD --comment "as agreed in INC-4312"${verdict === 'deny' ? FRAUD_EXAMPLE : GRANT_EXAMPLE}
`,
    arguments: [verdict === 'deny' ? 'ID?' : 'ID'],
    flags: { ...FLAGS, ...APPROVAL_FLAGS, ...DENIAL_FLAGS },
    async run({ arguments: [id = ''], flags, env, display: { zone } }) {
      const { allOf, count, comment = '', json } = flags;
      if (allOf !== undefined && id === '' && !flags.fraud) {
        const { denyAll } = await import('./deny-all.js');
        return withBroker(openAsApprover(flags, env), (broker) => {
          const style = { zone, now: broker.clock.now() };
          return denyAll(broker, { allOf, count, comment, json, style });
        });
      }
      if (allOf !== undefined || count !== undefined) {
        throw new Problem(
          'usage',
          '--all-of stands in place of ID, and without --fraud; --count goes with it',
        );
      }
      if (verdict === 'deny' && id === '') {
        throw new Problem('usage', 'name what to deny: a request by its ID, or many with --all-of WHAT');
      }
      const request = parseRequestId(id);
      const { fraud: isFraud } = flags;
      const given = codeFlag(flags.code);
      const chosen = termsFlags(flags);
      checkTerminal(flags.yesIReadIt);
      return withBroker(openAsApprover(flags, env), async (broker) => {
        const view = await fetchRequest(broker, request);
        const terms = verdict === 'deny' ? null : chosenTerms(parseRule(view.rule), view.document, chosen);
        const digest = show(view, flags.yesIReadIt, { zone, now: broker.clock.now() });
        if (terms !== null) tell(`your yes covers ${coverWords(terms)}`);
        const code = given ?? (await missingCode(verdict, view));
        const confirmed = verdict === 'deny' ? {} : await confirmedBy(view, flags);
        if (flags.yesIReadIt === undefined) await confirmDigest(isFraud ? 'deny as fraud' : verdict, digest);
        const status = await sendDecision({ ...broker, broker }, view, {
          verdict,
          comment: flags.comment ?? '',
          code,
          ...confirmed,
          isFraud,
          terms: chosen,
        });
        if (flags.json) {
          printJson(statusOnWire(view.id, status));
          return 0;
        }
        print(`${PROGRESS[verdict]} ${view.id}: the request is ${status.state}`);
        if (isFraud) {
          const { requester } = view.document;
          print(`locked ${requester}: asks in this name are refused until: countersign unlock ${requester}`);
        }
        for (const missing of status.missing) print(`still missing: ${prose(missing)}`);
        return 0;
      });
    },
  });
  // Only a yes carries a number, only a no calls a request a fraud.
  return {
    ...verb,
    flags: { ...FLAGS, ...(verdict === 'approve' ? APPROVAL_FLAGS : DENIAL_FLAGS) },
  };
}

/** @throws Problem `usage` */
export function codeFlag(text: string | undefined): MatchedNumber | null {
  if (text === undefined) return null;
  const code = readTypedNumber(text);
  if (code === null) throw new Problem('usage', `--code ${JSON.stringify(text)} is not six digits`);
  return code;
}

/** What is signed for, as far as it was said. @throws Problem `usage` */
function termsFlags(flags: {
  readonly grant: boolean;
  readonly for: string | undefined;
  readonly uses: string | undefined;
}): ChosenTerms {
  const { uses } = flags;
  if (uses !== undefined && !/^[1-9]\d{0,4}$/.test(uses)) {
    throw new Problem('usage', '--uses is not a number from 1 to 99999');
  }
  if (uses !== undefined && !flags.grant) throw new Problem('usage', '--uses goes with --grant');
  return {
    covers: flags.grant ? 'scope' : 'request',
    ...(flags.for === undefined ? {} : { duration: parseSeconds(flags.for, '--for') }),
    ...(uses === undefined ? {} : { uses: Number(uses) }),
  };
}

/** Asks for the number on the terminal, if the request takes one and there is a terminal. */
export async function missingCode(verdict: Verdict, view: RequestView): Promise<MatchedNumber | null> {
  if (verdict === 'deny' || !takesNumber(view)) return null;
  if (!process.stdin.isTTY) {
    throw new Problem('usage', 'the number is missing that the requester was shown', {
      hint: 'have the requester tell you the six digits, then give --code DIGITS; nothing was signed',
    });
  }
  const question = 'The six digits that the requester tells you, by a way that you trust: ';
  const code = readTypedNumber(await answerTo(question));
  if (code === null) throw new Problem('usage', 'those are not six digits', { hint: 'nothing was signed' });
  return code;
}

/** What the rule has an approver type, asked for on the terminal where it was not given. */
async function confirmedBy(
  view: RequestView,
  { resource, comment }: { readonly resource: string | undefined; readonly comment: string | undefined },
): Promise<{ readonly resource?: string; readonly comment?: string }> {
  const asks = process.stdin.isTTY;
  const typed = asks && takesResource(view) ? (resource ?? (await answerTo(RESOURCE_QUESTION))) : resource;
  const least = leastReason(view);
  const reason = asks && least > 0 && comment === undefined ? await answerTo(reasonQuestion(least)) : comment;
  return {
    ...(typed === undefined ? {} : { resource: typed }),
    ...(reason === undefined ? {} : { comment: reason }),
  };
}

const RESOURCE_QUESTION = 'The rule has the resource typed, exactly as it is shown above: ';
const reasonQuestion = (least: number): string =>
  `Why you approve, in at least ${least} characters; it is signed: `;

/** @throws Problem `usage` where what was read can neither be typed nor was given */
function checkTerminal(given: string | undefined): void {
  if (given !== undefined || process.stdin.isTTY) return;
  throw new Problem('usage', 'there is no terminal to confirm on', {
    hint: 'read it with countersign show, then give --yes-i-read-it DIGEST',
  });
}

/**
 * Shows the whole request, unless the digest of what was read was given.
 *
 * @throws Problem `shown-differs` where that is another one
 */
function show(view: RequestView, given: string | undefined, style: TimeStyle): Digest {
  const { digest } = verifyShown(view);
  if (given === undefined) {
    process.stderr.write(`${formatRequest(view, style)}\n\n`);
  } else if (given !== digest) {
    throw new Problem('shown-differs', 'the digest that you give is not the one of this request', {
      hint: 'nothing was signed; read the request again: countersign show ID',
    });
  }
  return digest;
}

/** Has the whole request read, as before a decision: shown and its digest typed, or its digest given. */
export async function confirmRead(
  verb: string,
  view: RequestView,
  given: string | undefined,
  style: TimeStyle,
): Promise<void> {
  checkTerminal(given);
  const digest = show(view, given, style);
  if (given === undefined) await confirmDigest(verb, digest);
}

/** @throws Problem `usage` unless the beginning of the digest is typed. */
export async function confirmDigest(
  verb: string,
  digest: Digest,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<void> {
  const expected = digest.slice('sha256:'.length, 'sha256:'.length + TYPED);
  const question = `To ${verb}, type the first ${TYPED} characters after "sha256:" of the digest; anything else stops: `;
  if ((await answerTo(question, input)).trim() === expected) return;
  throw new Problem('usage', 'that is not how the digest begins', { hint: 'nothing was signed' });
}

/** What is typed at a prompt; Ctrl-C and Ctrl-D are answers like any other, and empty. */
export async function answerTo(
  question: string,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<string> {
  const prompt = createInterface({ input, output: process.stderr });
  const typed = await prompt.question(question).catch(() => null);
  prompt.close();
  if (typed === null) process.stderr.write('\n');
  return typed ?? '';
}
