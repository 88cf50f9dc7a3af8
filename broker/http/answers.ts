import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Attention, attentionText } from '../../src/protocol/attention.js';
import type { BearerToken, RequestId } from '../../src/protocol/names.js';
import { isRequestId } from '../../src/protocol/names.js';
import { Problem, toProblemDocument } from '../../src/protocol/problems.js';
import { parseSignedText } from '../../src/protocol/receipt.js';
import { formatTextReply, type ReplyState } from '../../src/protocol/text-reply.js';
import { formatTime } from '../../src/protocol/time.js';
import type { Request } from '../requests/request.js';
import type { Standing } from '../requests/standings.js';
import { statusOnWire } from '../requests/view.js';

/** What an asker is told about its request. */
export interface RequestAnswer {
  readonly status: number;
  readonly request: Request;
  readonly watch: BearerToken | null;
  /** Who is looking at it; null unless it is pending. */
  readonly attention: Attention | null;
  /** Receipts go only to the claim that redeemed. */
  readonly withReceipts: boolean;
}

/** True for a shell: `Accept: text/plain`. */
export const wantsText = (request: FastifyRequest): boolean =>
  request.headers.accept?.split(',')[0]?.split(';')[0]?.trim().toLowerCase() === 'text/plain';

/** Answers in the form that the asker reads. */
export function sendAnswer(http: FastifyRequest, reply: FastifyReply, answer: RequestAnswer): FastifyReply {
  const { request, watch, status, attention, withReceipts } = answer;
  const receipts = withReceipts
    ? request.votes.filter(({ verdict }) => verdict === 'approve').map(({ receipt }) => receipt)
    : [];
  reply.code(status);
  if (!wantsText(http)) {
    return reply.send({
      id: request.id,
      digest: request.digest,
      watch,
      status: statusFor(request, withReceipts),
      answerBy: formatTime(request.answerBy),
      attention,
      receipts,
    });
  }
  return sendText(
    reply,
    formatTextReply({
      state: textState(request, withReceipts),
      id: request.id,
      watch,
      // A word for the door, which shows its own text for it and never the hint.
      code: attention === 'attended' ? null : attention,
      answerBy: request.answerBy,
      claimBy: request.claimBy,
      hint: attention === null ? request.endedBy : attentionText(attention),
      receipts: receipts.map(parseSignedText),
    }),
  );
}

/** Answers whether what was opened may stay open. */
export function sendStanding(http: FastifyRequest, reply: FastifyReply, standing: Standing): FastifyReply {
  if (!wantsText(http)) return reply.send(standing);
  const { id, state, because } = standing;
  const nothing = { watch: null, code: null, answerBy: null, claimBy: null, receipts: [] };
  return sendText(reply, formatTextReply({ state, id, hint: because, ...nothing }));
}

/** A problem as an RFC 9457 document, or as the head of a text reply. `id` is the request that it is about. */
export function sendProblem(
  http: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  id: RequestId | null = idInPath(http),
): FastifyReply {
  const document = toProblemDocument(error);
  reply.code(document.status);
  const retryAfter = error instanceof Problem ? error.retryAfter : null;
  if (retryAfter !== null || document.status === 429 || document.status === 503)
    reply.header('retry-after', String(retryAfter ?? 1));
  if (document.status === 401) reply.header('www-authenticate', 'Bearer');
  if (!wantsText(http)) {
    return reply
      .type('application/problem+json')
      .send(JSON.stringify({ ...document, ...(id === null ? {} : { id }) }));
  }
  return sendText(
    reply,
    formatTextReply({
      state: stateOfProblem(error),
      id,
      watch: null,
      code: document.code,
      answerBy: null,
      claimBy: null,
      hint: `${document.detail}; ${document.hint}`.slice(0, 500),
      receipts: [],
    }),
  );
}

function statusFor(request: Request, withReceipts: boolean): ReturnType<typeof statusOnWire> {
  const status = statusOnWire(request);
  if (withReceipts) return status;
  const { votes, alone } = status;
  const hidden = votes.map((vote) => ({ ...vote, receipt: '' }));
  return {
    ...status,
    votes: hidden,
    alone: alone ? { ...alone, vote: { ...alone.vote, receipt: '' } } : null,
  };
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/plain; charset=us-ascii').send(text);
}

/** A used approval is `approved` for the claim that used it, and `spent` for everybody else. */
function textState(request: Request, withReceipts: boolean): ReplyState {
  if (request.state !== 'redeemed' && request.state !== 'active') return request.state;
  return withReceipts ? 'approved' : 'spent';
}

const END_STATES = ['denied', 'expired', 'lapsed', 'cancelled', 'revoked', 'spent'] as const;

function stateOfProblem(error: unknown): ReplyState {
  if (!(error instanceof Problem)) return 'error';
  return END_STATES.find((state) => state === error.code) ?? 'error';
}

function idInPath(http: FastifyRequest): RequestId | null {
  const { id } = (http.params ?? {}) as { id?: string };
  return isRequestId(id) ? id : null;
}
