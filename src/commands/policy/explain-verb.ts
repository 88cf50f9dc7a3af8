import * as z from 'zod';
import type { Environment } from '../../client/locations.js';
import { brokerPolicy } from '../../client/policy.js';
import { explanationReply } from '../../protocol/explanation.js';
import { parseRequestId, type RequestId } from '../../protocol/names.js';
import { Problem } from '../../protocol/problems.js';
import type { JsonObject, JsonValue } from '../../protocol/strict-json.js';
import { parseStrictJson } from '../../protocol/strict-json.js';
import { parseTime } from '../../protocol/time.js';
import type { VerifiedFacts } from '../../protocol/verified-facts.js';
import { parseSeconds } from '../duration.js';
import { callAs, openAsApprover, withBroker } from '../open-broker.js';
import { print, printJson } from '../output.js';
import { BROKER_FLAGS_HELP, defineVerb, type FlagValues } from '../verb.js';
import { askOf, type ImaginedAsk, UNNAMED } from './ask.js';
import { notesOn } from './explanation-notes.js';
import { formatExplanation, formatRequestExplanation } from './explanation-text.js';
import { explanationOnWire } from './explanation-wire.js';
import { loadWorld, openWorld, WORLD_FLAGS, WORLD_FLAGS_HELP } from './world.js';

const ASK_FLAGS = {
  requester: 'text',
  door: 'text',
  submitter: 'text',
  detail: 'texts',
  context: 'texts',
  verified: 'texts',
  duration: 'text',
  at: 'text',
} as const;

export const explainVerb = defineVerb({
  help: `
Say what the policy does with an ask: which rule decides and why those above it do not,
who could sign and who could not, and what the broker would refuse. Nothing is asked.

Usage
  countersign policy explain ACTION RESOURCE --requester NAME [--detail K=V]…
                             [--file FILE] [--json]
  countersign policy explain --request ID [--json]

Flags
  --requester NAME
                  who asks
  --door NAME, --submitter NAME
                  the door it is for, who sends it
  --detail K=V, --context K=V
                  what the ask says; K:=JSON for anything that is not a text
  --verified CLAIM=VALUE
                  what a token proves; the issuer as issuer=https://…
  --duration TIME
                  time of work that is asked for, as 90s, 15m or 2h
  --at TIME       when, as 2026-01-31T23:00:00Z; default: now
  --request ID    a request that the broker has, as w in the console: under which rule it
                  was made, who has signed; for approvers
  --file FILE     a policy file (COUNTERSIGN_POLICY), else that of the running broker${WORLD_FLAGS_HELP}
  --json          as JSON${BROKER_FLAGS_HELP}

Exits with 0 if the ask would be taken, or for a request that is there, else with 1.

Examples
  countersign policy explain ssh.login web-1.example.com --requester alice
  countersign policy explain command.run db-1 --requester deploy --detail user=postgres \\
    --context reason='INC-4312 restart' --file policy.yaml --roster signers
  countersign policy explain --request 01K9ZJ4M2Q8W5R7T0V3X6Y1B2C
`,
  arguments: ['ACTION?', 'RESOURCE?'],
  flags: { ...WORLD_FLAGS, ...ASK_FLAGS, request: 'text', file: 'text', json: 'switch' },
  async run({ arguments: [action, resource], flags, env, display: { zone } }) {
    const { request } = flags;
    if (request !== undefined) {
      checkAlone(action, flags);
      return explainRequest(parseRequestId(request), flags, env, zone);
    }
    if (action === undefined || resource === undefined) {
      throw new Problem('usage', 'ACTION and RESOURCE are missing, or --request ID');
    }
    const imagined = imaginedAsk(action, resource, flags);
    const world = await openWorld(flags.file, flags, env);
    const [{ policy, principals }, { explain }] = await Promise.all([
      loadWorld(world),
      import('../../../broker/policy/explanation.js'),
    ]);
    const { ask, isEnrolled } = askOf(imagined, principals);
    const explanation = explain(policy, ask, isEnrolled);
    const notes = notesOn(
      world,
      policy.groups.map(({ name }) => name),
      imagined,
      isEnrolled,
    );
    if (flags.json) printJson(explanationOnWire(explanation, ask, { file: world.file, notes }));
    else print(formatExplanation(explanation, { file: world.file, notes }));
    return explanation.refusals.length === 0 ? 0 : 1;
  },
});

const IMAGINED = { ...ASK_FLAGS, file: 'text', roster: 'text', group: 'texts' } as const;

/** What is said of an ask that nobody makes says nothing about one that is there. */
function checkAlone(action: string | undefined, flags: FlagValues<typeof IMAGINED>): void {
  const names = Object.keys(IMAGINED) as readonly (keyof typeof IMAGINED)[];
  const given = names.find((name) => (flags[name] ?? '').length > 0);
  if (action === undefined && given === undefined) return;
  throw new Problem('usage', `--request stands without ${given === undefined ? 'ACTION' : `--${given}`}`);
}

async function explainRequest(
  id: RequestId,
  flags: FlagValues<typeof WORLD_FLAGS> & { readonly json: boolean },
  env: Environment,
  zone: string,
): Promise<number> {
  return withBroker(openAsApprover(flags, env), async (broker) => {
    const reply = await brokerPolicy(callAs(broker)).explain(id);
    if (flags.json) printJson(z.encode(explanationReply, reply));
    else print(formatRequestExplanation(reply, { zone, now: broker.clock.now() }));
    return 0;
  });
}

function imaginedAsk(action: string, resource: string, flags: FlagValues<typeof ASK_FLAGS>): ImaginedAsk {
  if (flags.requester === undefined) throw new Problem('usage', '--requester is missing: who asks');
  const now = flags.at === undefined ? Date.now() : parseTime(flags.at);
  if (now === null) throw new Problem('usage', '--at is not a time like 2026-01-31T23:00:00Z');
  return {
    action,
    resource,
    requester: flags.requester,
    door: flags.door ?? UNNAMED,
    submitter: flags.submitter ?? UNNAMED,
    details: parsePairs(flags.detail, '--detail'),
    context: parsePairs(flags.context, '--context'),
    duration: flags.duration === undefined ? 0 : parseSeconds(flags.duration, '--duration'),
    verified: parseVerified(flags.verified),
    now,
  };
}

function parsePairs(texts: readonly string[], what: string): JsonObject {
  const pairs: Record<string, JsonValue> = {};
  for (const text of texts) {
    const [, key = '', colon = '', value = ''] = /^([^:=]+)(:?)=(.*)$/s.exec(text) ?? [];
    if (key === '') throw new Problem('usage', `${what} ${JSON.stringify(text)} is not KEY=VALUE`);
    if (Object.hasOwn(pairs, key)) throw new Problem('usage', `${what} ${key} is given twice`);
    pairs[key] = colon === '' ? value : parseStrictJson(value);
  }
  return pairs;
}

function parseVerified(texts: readonly string[]): VerifiedFacts | null {
  if (texts.length === 0) return null;
  const { issuer = '', ...claims } = parsePairs(texts, '--verified');
  return {
    issuer: String(issuer),
    claims: Object.entries(claims).map(([name, value]) => ({ name, value: String(value) })),
  };
}
