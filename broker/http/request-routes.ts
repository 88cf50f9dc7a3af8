import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { askedAt, exactly, type StateTerm } from '../../src/protocol/filter.js';
import { parseFilter } from '../../src/protocol/filter-text.js';
import {
  decisionBody,
  parseBody,
  parseSubmitBody,
  redeemBody,
  reportBody,
  signedBody,
} from '../../src/protocol/messages.js';
import { isName, isRequestId, type RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { REQUEST_STATES } from '../../src/protocol/request-view.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { authorise, type Principal } from '../access/principal.js';
import { type VouchedSubmit, verifySubmit } from '../access/submitters.js';
import type { BrokerContext } from '../context.js';
import { endedProblem, isUsedBy } from '../requests/lifecycle.js';
import type { Patience } from '../requests/requests.js';
import { statusOnWire, viewOnWire } from '../requests/view.js';
import type { ListQuery } from '../store/store.js';
import { type RequestAnswer, sendAnswer, sendProblem, sendStanding } from './answers.js';

type WithId = FastifyRequest<{ Params: { id: string }; Body: JsonValue }>;

/** Submit, wait, redeem, report, watch, detach, decide, revoke, list. */
export function requestRoutes(app: FastifyInstance, context: BrokerContext): void {
  const { requests, attendance, rings } = context;
  const answer = (http: FastifyRequest, reply: FastifyReply, told: Omit<RequestAnswer, 'attention'>) =>
    sendAnswer(http, reply, { ...told, attention: attendance.of(told.request) });

  app.post('/v1/requests', async (http: FastifyRequest<{ Body: JsonValue }>, reply) => {
    const body = parseSubmitBody(http.body);
    const { submitter, nonce, verified } = await identifySubmitter(http.principal, body, context);
    context.rates.charge(`submitter ${submitter.name}`, context.clock());
    const { request, isNew, watch } = await requests.submit(body, submitter, nonce, verified);
    if (watch === null) return sendProblem(http, reply, endedProblem(request), request.id);
    context.log.info({ event: 'submit', id: request.id, submitter: submitter.name, isNew });
    const withReceipts = isUsedBy(request, body.claim);
    return answer(http, reply, { status: isNew ? 201 : 200, request, watch, withReceipts });
  });

  app.get('/v1/requests/:id', async (http: WithId, reply) => {
    const id = idOf(http);
    authorise(http.principal, 'request.read', id);
    const request = await requests.read(id, patience(http, reply, context));
    if (http.principal.kind === 'approver') return viewOnWire(request, rings.of(request));
    return answer(http, reply, { status: 200, request, watch: null, withReceipts: false });
  });

  app.post('/v1/requests/:id/redeem', async (http: WithId, reply) => {
    const id = idOf(http);
    authorise(http.principal, 'request.redeem', id);
    const { claim } = parseBody(redeemBody, http.body, 'claim-needed');
    const request = await requests.redeem(id, claim, patience(http, reply, context));
    const redeemed = isUsedBy(request, claim);
    return answer(http, reply, {
      status: redeemed ? 200 : 202,
      request,
      watch: null,
      withReceipts: redeemed,
    });
  });

  app.get('/v1/requests/:id/standing', async (http: WithId, reply) => {
    const id = idOf(http);
    authorise(http.principal, 'request.watch', id);
    return sendStanding(http, reply, await requests.standing(id, patience(http, reply, context)));
  });

  app.post('/v1/requests/:id/reports', async (http: WithId, reply) => {
    const id = idOf(http);
    authorise(http.principal, 'request.report', id);
    const { claim, outcome, code } = parseBody(reportBody, http.body);
    const request = await requests.report(id, { claim, outcome, code: code ?? null });
    const withReceipts = request.claim === claim;
    return answer(http, reply, { status: 200, request, watch: null, withReceipts });
  });

  app.delete('/v1/requests/:id', async (http: WithId, reply) => {
    const id = idOf(http);
    const { principal } = http;
    authorise(principal, 'request.detach', id);
    if (principal.kind !== 'asker') throw new Problem('forbidden', 'only an asker detaches');
    const { cancel } = http.query as { cancel?: string };
    const request = await requests.detach(id, principal.hash, cancel === 'now');
    return answer(http, reply, { status: 200, request, watch: null, withReceipts: false });
  });

  app.post('/v1/requests/:id/decisions', async (http: WithId) => {
    authorise(http.principal, 'request.decide');
    const { receipt } = parseBody(decisionBody, http.body, 'malformed-receipt');
    const request = await requests.decide(idOf(http), receipt);
    return statusOnWire(request);
  });

  app.post('/v1/requests/:id/revocations', async (http: WithId) => {
    authorise(http.principal, 'request.revoke');
    const { statement } = parseBody(signedBody, http.body, 'malformed-receipt');
    return statusOnWire(await requests.revoke(idOf(http), statement));
  });

  app.post('/v1/requests/:id/reviews', async (http: WithId) => {
    authorise(http.principal, 'request.review');
    const { statement } = parseBody(signedBody, http.body, 'malformed-receipt');
    return statusOnWire(await requests.review(idOf(http), statement));
  });

  app.get('/v1/requests', async (http, reply) => {
    authorise(http.principal, 'request.list');
    const now = context.clock();
    const { isSearch, ...query } = listQuery(http.query as Record<string, string | undefined>, now);
    const goesOn = (): boolean =>
      !reply.raw.destroyed && (!isSearch || context.clock() < now + SEARCH_MILLISECONDS);
    const { requests: found, next } = await context.store.list(query, goesOn);
    return {
      requests: found.map((request) => viewOnWire(request, rings.of(request))),
      next,
      searchedTo: next === null ? null : formatTime(askedAt(next)),
    };
  });
}

interface IdentifiedSubmitter {
  readonly submitter: Submitter;
  readonly nonce: VouchedSubmit['nonce'] | null;
  /** Text of the facts that its token carries. */
  readonly verified: string | null;
}

/** A submitter is known by its signed statement, its token, or the local socket; a statement always decides. */
async function identifySubmitter(
  principal: Principal,
  body: ReturnType<typeof parseSubmitBody>,
  context: BrokerContext,
): Promise<IdentifiedSubmitter> {
  if (body.statement !== null) {
    const now = context.clock();
    const vouched = verifySubmit(body.statement, body.bound, {
      brokers: context.keys.namesAt(now),
      principals: context.principals(),
      now,
    });
    return { ...vouched, verified: null };
  }
  if (principal.kind === 'unverified') {
    const { submitter, requester, verified } = await context.oidc.identify(
      principal.token,
      context.principals,
    );
    if (requester !== null && body.bound.document.requester !== requester) {
      throw new Problem('submitter-limits', `this token asks for ${JSON.stringify(requester)} alone`, {
        hint: 'name as requester whom the token names, in lower case; enrol the name as an alias',
      });
    }
    authorise({ kind: 'submitter', submitter }, 'request.submit');
    return { submitter, verified, nonce: null };
  }
  const local = principal.kind === 'owner' ? context.principals().socketSubmitter : null;
  if (principal.kind === 'owner' && local === null) {
    throw new Problem('forbidden', 'over the socket of this broker nobody asks without a token or a key', {
      hint: 'enrol who asks: countersign submitter add; then give --token-file, or --submitter with --key',
    });
  }
  const submitting: Principal = local === null ? principal : { kind: 'submitter', submitter: local };
  authorise(submitting, 'request.submit');
  if (submitting.kind !== 'submitter') throw new Problem('forbidden', 'only a submitter submits');
  if (submitting.submitter.credential.kind === 'key') {
    throw new Problem('unauthenticated', 'this submitter signs its submits');
  }
  return { submitter: submitting.submitter, nonce: null, verified: null };
}

function idOf(http: WithId): RequestId {
  const { id } = http.params;
  if (isRequestId(id)) return id;
  throw new Problem('not-found', 'there is no such request');
}

/** `Prefer: wait=N` (RFC 7240), cut to the longest wait; the hang-up is the asker's connection. */
function patience(http: FastifyRequest, reply: FastifyReply, { limits }: BrokerContext): Patience {
  const prefer = http.headers.prefer;
  const wished = /(?:^|,)\s*wait\s*=\s*(\d{1,6})\s*(?:[,;]|$)/i.exec(
    Array.isArray(prefer) ? prefer.join() : (prefer ?? ''),
  );
  const seconds = Math.min(Number(wished?.[1] ?? 0), limits.waitSeconds);
  const hangUp = new AbortController();
  if (seconds > 0) reply.raw.once('close', () => hangUp.abort());
  return { seconds, hangUp: hangUp.signal };
}

const LIST_LIMIT = 100;
/** After so long a search answers with what it has found. A list without a filter does not: its clients expect full pages. */
const SEARCH_MILLISECONDS = 250;

/** @throws Problem `malformed-request`, `usage` for the filter */
function listQuery(
  query: Record<string, string | undefined>,
  now: EpochMs,
): ListQuery & { isSearch: boolean } {
  const twice = Object.keys(query).find((key) => typeof query[key] !== 'string');
  if (twice !== undefined) throw malformed(`${JSON.stringify(twice)} stands twice`);
  const { state, requester, resource, filter, cursor, limit } = query;
  const number = limit === undefined ? LIST_LIMIT : /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (number < 1 || number > LIST_LIMIT) throw malformed(`limit is a number from 1 to ${LIST_LIMIT}`);
  if (requester !== undefined && !isName(requester)) throw malformed('requester is not a name');
  if (cursor !== undefined && !isRequestId(cursor)) throw malformed('cursor is not one that a list returned');
  const terms = [
    ...statesOf(state),
    ...(requester === undefined ? [] : [exactly('requester', requester)]),
    ...(resource === undefined ? [] : [exactly('resource', resource)]),
    ...parseFilter(filter ?? '', now).terms,
  ];
  return { filter: { terms }, before: cursor ?? null, limit: number, isSearch: filter !== undefined };
}

function statesOf(state: string | undefined): readonly StateTerm[] {
  if (state === undefined || state === 'all') return [];
  const known = (['live', ...REQUEST_STATES] as const).find((candidate) => candidate === state);
  if (known === undefined) throw malformed(`state is one of all, live, ${REQUEST_STATES.join(', ')}`);
  return [{ key: 'state', not: false, any: [known] }];
}

const malformed = (what: string): Problem => new Problem('malformed-request', what);
