import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Problem, toProblemDocument } from '../../src/protocol/problems.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { authenticate, principalKey, type Transport } from '../http/authentication.js';
import type { Session } from '../store/store.js';

/** Turns `GET /v1/stream` into a console of the hub; everything else is refused with a problem document. */
export function createUpgradeHandler(context: BrokerContext) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });

  return (transport: Transport) =>
    (message: IncomingMessage, connection: Duplex, head: Buffer): void => {
      connection.on('error', () => connection.destroy());
      admit(message, transport, context).then(
        ({ session, resume, hearsReading, isLookedAt }) =>
          sockets.handleUpgrade(message, connection, head, (socket) =>
            context.hub.attach(socket, connection, session, resume, { hearsReading, isLookedAt }),
          ),
        (error: unknown) => refuse(connection, error),
      );
    };
}

async function admit(message: IncomingMessage, transport: Transport, context: BrokerContext) {
  const now = context.clock();
  const url = new URL(message.url ?? '/', 'http://broker');
  if (context.isDraining()) throw new Problem('draining', 'the broker is stopping');
  if (message.headers.origin !== undefined) throw new Problem('origin-refused', 'browsers are refused');
  if (url.pathname !== '/v1/stream') throw new Problem('not-found', 'there is no stream at this address');
  const principal = await authenticate(message, transport, {
    store: context.store,
    principals: context.principals(),
    now,
  });
  context.rates.charge(principalKey(principal, message), now);
  authorise(principal, 'stream.read');
  if (principal.kind !== 'approver') throw new Problem('forbidden', 'only an approver reads the stream');
  checkRoom(principal.session, context);
  return {
    session: principal.session,
    resume: resumePoint(url.searchParams),
    hearsReading: url.searchParams.get('presence') === '1',
    isLookedAt: url.searchParams.get('presence') !== '0',
  };
}

function checkRoom(session: Session, { hub, limits }: BrokerContext): void {
  if (hub.consoles >= limits.consoles || hub.consolesOf(session) >= limits.consolesPerApprover) {
    throw new Problem('too-many-connections', 'too many consoles are open');
  }
}

function resumePoint(query: URLSearchParams): { readonly epoch: string; readonly seq: number } | null {
  const epoch = query.get('epoch');
  const after = query.get('after');
  if (epoch === null || after === null) return null;
  if (!/^\d{1,15}$/.test(after)) throw new Problem('malformed-request', 'after is not a whole number');
  return { epoch, seq: Number(after) };
}

function refuse(connection: Duplex, error: unknown): void {
  const document = toProblemDocument(error);
  const body = JSON.stringify(document);
  connection.end(
    [
      `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
      'Connection: close',
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
