import { formatAddress } from '../../client/address.js';
import { type BrokerIdentity, identifyBroker } from '../../client/broker-identity.js';
import type { HttpClient } from '../../client/http-client.js';
import { knownBrokersPath } from '../../client/known-brokers.js';
import type { Locations } from '../../client/locations.js';
import type { PinnedBroker } from '../../client/sign-in.js';
import type { StreamEnding } from '../../client/stream-client.js';
import { webSocketStream } from '../../client/websocket.js';
import { type BrokerReply, brokerReply } from '../../protocol/messages.js';
import type { BearerToken } from '../../protocol/names.js';
import { Problem } from '../../protocol/problems.js';
import { VERSION } from '../../version.js';
import { type Finding, fromProblem, good, note, warning, wrong } from './finding.js';

/** What a broker said of itself, or why it said nothing. */
export type BrokerFacts =
  | {
      readonly reached: true;
      readonly broker: PinnedBroker;
      readonly reply: BrokerReply;
      /** What this very look did about it. */
      readonly news: BrokerIdentity['news'];
      readonly pinnedIn: string;
    }
  | { readonly reached: false; readonly problem: Problem };

/** Whether the broker answers, is the one that was pinned, and is as old as we are. */
export function examineBroker(facts: BrokerFacts): readonly Finding[] {
  if (!facts.reached) return [fromProblem(facts.problem)];
  const { broker, reply, news, pinnedIn } = facts;
  const address = formatAddress(broker.client.address);
  const pinned = news === null ? 'as expected' : `${news} now in ${pinnedIn}`;
  return [
    good(`the broker at ${address} answers with the key ${broker.fingerprint}, ${pinned}`),
    reply.version === VERSION
      ? good(`the broker has the same version, ${VERSION}`)
      : note(`the broker has the version ${reply.version}, this is ${VERSION}`, 'upgrade the older one'),
  ];
}

/** Whether what stands between lets a WebSocket pass; `ending` is null where it does. */
export function examineStream(ending: StreamEnding | null): readonly Finding[] {
  if (ending === null) return [good('the console gets its stream: WebSocket passes')];
  const { code, reason } = ending;
  if (code === 503 || code === 429)
    return [warning(`the broker takes no console now: ${reason}`, 'try again later')];
  return [
    wrong(
      `what is between here and the broker does not pass WebSocket: it answers with ${code}, ${reason}`,
      'let the proxy pass on the headers Upgrade and Connection, in HTTP/1.1, for /v1/stream',
    ),
  ];
}

export async function brokerFacts(client: HttpClient, locations: Locations): Promise<BrokerFacts> {
  try {
    const reply = await client.call(brokerReply, { method: 'GET', path: '/v1/broker' });
    const { news, ...names } = await identifyBroker(client, locations);
    const pinnedIn = knownBrokersPath(locations.config);
    return { reached: true, broker: { client, ...names }, reply, news, pinnedIn };
  } catch (error) {
    if (error instanceof Problem) return { reached: false, problem: error };
    throw error;
  }
}

/** Opens the stream of the console and leaves it at its first message. */
export function streamEnding(client: HttpClient, token: BearerToken): Promise<StreamEnding | null> {
  return new Promise((resolve) => {
    const socket = webSocketStream(client)(null, token, {
      message() {
        socket.close();
        resolve(null);
      },
      closed: resolve,
    });
  });
}
