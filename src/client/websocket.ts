import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { basePath } from './address.js';
import { type HttpClient, toProblem } from './http-client.js';
import type { OpenStream, StreamEnding } from './stream-client.js';

/** Largest message, in bytes: a snapshot of ten thousand requests with room to spare. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const HANDSHAKE_TIMEOUT = 10_000;
/** Longest reason that is taken over from a close frame. */
const MAX_REASON = 200;
/** Longest problem document that is read, in characters. */
const MAX_REFUSAL = 16 * 1024;

/**
 * Opens `GET /v1/stream` on the broker that `client` talks to. Redirects are not followed.
 *
 * @param isLookedAt whether a person is there who would see an ask; where not, the broker wakes others as if nobody were
 */
export function webSocketStream(
  client: HttpClient,
  { isLookedAt = true }: { readonly isLookedAt?: boolean } = {},
): OpenStream {
  return (position, token, given) => {
    let handlers = given;
    const { address } = client;
    const from =
      position === null ? '' : `after=${position.seq}&epoch=${encodeURIComponent(position.epoch)}&`;
    const path = `/v1/stream?${from}presence=${isLookedAt ? 1 : 0}`;
    const options: ClientOptions = {
      headers: { authorization: `Bearer ${token}` },
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      perMessageDeflate: false,
      followRedirects: false,
    };
    let socket: WebSocket;
    if (address.kind === 'socket') {
      // ws takes a path with a colon for something else; a connection of ours takes every path.
      const createConnection = (() => connect({ path: address.path })) as unknown as typeof connect;
      socket = new WebSocket(`ws://localhost${path}`, { ...options, createConnection });
    } else {
      const url = new URL(basePath(address.url) + path, address.url.origin);
      url.protocol = address.url.protocol === 'https:' ? 'wss:' : 'ws:';
      socket = new WebSocket(url, { ...options, ...(client.ca === undefined ? {} : { ca: client.ca }) });
    }
    let reason = '';
    // An error is followed by a close; without a listener it would end the process.
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('unexpected-response', (request, response) => {
      void refusal(response).then((ending) => {
        request.destroy();
        handlers.closed(ending);
      });
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) socket.close(1003);
      else handlers.message(data.toString());
    });
    socket.on('close', (code, said) =>
      handlers.closed({
        code,
        reason: said.toString().slice(0, MAX_REASON) || reason || 'the connection ended',
      }),
    );
    return {
      send: (text) => socket.send(text),
      close() {
        handlers = { message() {}, closed() {} };
        socket.removeAllListeners();
        socket.on('error', () => {});
        socket.terminate();
      },
    };
  };
}

/** Why the upgrade was refused, from the problem document if there is one. */
async function refusal(response: IncomingMessage): Promise<StreamEnding> {
  const code = response.statusCode ?? 0;
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (text.length > MAX_REFUSAL) break;
    }
    return { code, reason: toProblem(code, JSON.parse(text)).message };
  } catch {
    return { code, reason: `the broker answered with HTTP status ${code}` };
  }
}
