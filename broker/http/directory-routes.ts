import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { changeReason, OWNER } from '../../src/protocol/change-messages.js';
import { parseBody } from '../../src/protocol/messages.js';
import {
  rosterChangeSchema,
  rosterReply,
  submitterChangeSchema,
  submittersReply,
} from '../../src/protocol/roster-messages.js';
import { isJsonObject, type JsonValue } from '../../src/protocol/strict-json.js';
import { authorise } from '../access/principal.js';
import type { ChangeAuthor } from '../changes/changes.js';
import type { EnrolledChange } from '../changes/directory-change.js';
import type { BrokerContext } from '../context.js';
import type { Directory } from '../store/store.js';
import { sendAnswer } from './answers.js';

type WithBody = FastifyRequest<{ Body: JsonValue }>;

/** One of the two lists of the directory, as the API speaks of it. */
interface Listed {
  readonly name: 'roster' | 'submitters';
  show(directory: Directory): JsonValue;
  parse(body: JsonValue): EnrolledChange;
}

const PEOPLE: Listed = {
  name: 'roster',
  show: ({ people }) => z.encode(rosterReply, { people: [...people] }),
  parse: (body) => ({ of: 'people', change: parseBody(rosterChangeSchema, body) }),
};

const SUBMITTERS: Listed = {
  name: 'submitters',
  show: ({ submitters }) => z.encode(submittersReply, { submitters: [...submitters] }),
  parse: (body) => ({ of: 'submitters', change: parseBody(submitterChangeSchema, body) }),
};

/**
 * People and submitters. Approvers read them, and the owner of the data directory over its 0600 socket; both ask for changes,
 * and from two approvers on each waits for others (A17).
 */
export function directoryRoutes(app: FastifyInstance, context: BrokerContext): void {
  const { attendance, changes, log, store } = context;
  for (const { name, show, parse } of [PEOPLE, SUBMITTERS]) {
    app.get(`/v1/${name}`, async (http) => {
      authorise(http.principal, 'directory.read');
      return show(store.directory());
    });

    app.post(`/v1/${name}/changes`, async (http: WithBody, reply) => {
      const { author, body } = asked(http);
      const change = parse(body);
      const changed = await changes.change(change, author);
      log.info({ event: name, change: change.change.change, by: author.requester });
      if (changed.applied) return show(changed.directory);
      const { request, watch } = changed.submitted;
      return sendAnswer(http, reply, {
        status: 202,
        request,
        watch,
        attention: attendance.of(request),
        withReceipts: false,
      });
    });
  }
}

/** Who asks for a change, and the change itself: `reason` stands beside it in the body. */
function asked({ principal, body }: WithBody): { readonly author: ChangeAuthor; readonly body: JsonValue } {
  authorise(principal, 'directory.change');
  const requester = principal.kind === 'approver' ? principal.name : OWNER;
  if (!isJsonObject(body)) return { author: { requester, reason: null }, body };
  const { reason, ...change } = body;
  return {
    author: { requester, reason: parseBody(changeReason, reason as JsonValue) ?? null },
    body: change,
  };
}
