import type * as z from 'zod';
import { type explanationReply, lookedWords, MAX_LOOKED_CHARS } from '../../src/protocol/explanation.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import { parseRule } from '../../src/protocol/rule.js';
import { formatTime } from '../../src/protocol/time.js';
import { parseVerifiedFacts } from '../../src/protocol/verified-facts.js';
import { BROKER_ITSELF } from '../changes/broker-submitter.js';
import type { Request } from '../requests/request.js';
import type { Principals } from '../roster/principals.js';
import type { CompiledPolicy } from './compile.js';
import { type JudgedPart, tryRule, whoCouldSign } from './explanation.js';
import type { Ask } from './policy.js';

type Wire = z.input<typeof explanationReply>;

/** Rules that are tried in one turn: conditions are compiled anew, and others wait meanwhile. */
const RULES_A_TURN = 8;

/** The policy that is in force, as messages name it. */
export interface PolicyInForce {
  readonly file: string;
  readonly policy: CompiledPolicy;
}

/**
 * Says how a request came under its rule by what was known when it was asked, and who could sign it now.
 *
 * @param inForce null where no policy is
 * @param nextTurn lets others have theirs
 */
export async function explainRequest(
  request: Request,
  inForce: PolicyInForce | null,
  principals: Principals,
  { now, nextTurn }: { readonly now: number; readonly nextTurn: () => Promise<void> },
): Promise<Wire> {
  const ask: Ask = {
    bound: request,
    submitter: submitterOf(request, principals),
    verified: request.verified === null ? null : parseVerifiedFacts(request.verified),
    principals,
    now: request.submittedAt,
  };
  const { tried, digest } = await triedRules(inForce, ask, nextTurn);
  const rule = parseRule(request.rule);
  const { people, satisfiable } = whoCouldSign(rule, { ...ask, now });
  return {
    id: request.id,
    asked: formatTime(request.submittedAt),
    file: inForce?.file ?? null,
    tried,
    rule: request.rule,
    isInForce: inForce === null || digest === request.policy,
    isShared: principals.personBehind(request.document.requester) === null,
    people: people.map(({ name, groups, why }) => ({
      name,
      groups: [...groups],
      signed: request.votes.find(({ approver }) => approver === name)?.verdict ?? null,
      why,
    })),
    missing: [...request.missing],
    satisfiable,
  };
}

/** Who is not enrolled any more could ask for anything: what a rule looks at is the name. */
function submitterOf({ submitter }: Request, principals: Principals): Submitter {
  return principals.submitter(submitter) ?? { ...BROKER_ITSELF, name: submitter };
}

async function triedRules(inForce: PolicyInForce | null, ask: Ask, nextTurn: () => Promise<void>) {
  const tried: Wire['tried'] = [];
  if (inForce === null) return { tried, digest: null };
  const { rules, groups } = inForce.policy;
  const declared = groups.map(({ name }) => name);
  for (const [at, compiled] of rules.entries()) {
    if (at % RULES_A_TURN === RULES_A_TURN - 1) await nextTurn();
    const { name, line, outcome, parts } = tryRule(compiled, ask, declared);
    tried.push({ name, line, outcome, parts: parts.map(partOnWire) });
    if (outcome !== 'passed-over')
      return { tried, digest: outcome === 'decides' ? compiled.rule.digest : null };
  }
  return { tried, digest: null };
}

const partOnWire = ({
  text,
  holds,
  failure,
  values,
}: JudgedPart): Wire['tried'][number]['parts'][number] => ({
  text,
  holds,
  failure,
  looked: lookedWords(values).map((words) =>
    words.length > MAX_LOOKED_CHARS ? `${words.slice(0, MAX_LOOKED_CHARS - 1).toWellFormed()}…` : words,
  ),
});
