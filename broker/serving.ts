import type { Server } from 'node:http';
import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import { Problem } from '../src/protocol/problems.js';
import type { Transport } from './http/authentication.js';
import { isLoopback } from './http/service-routes.js';
import { listenTcp, listenUnix } from './listeners.js';
import type { BrokerOptions } from './options.js';
import type { ServedCertificate } from './tls/served-certificate.js';

/** The listeners of a broker. */
export interface Serving {
  /** URL of the TCP listener, null without one. */
  readonly address: string | null;
  /** Stops accepting, lets answers that are under way finish, then cuts what is left. */
  close(): Promise<void>;
}

/**
 * Listens where the options say, all of it or nothing.
 *
 * @throws Problem `broker-locked`, or the error of the operating system
 */
export async function serve(
  { socket, listen }: Pick<BrokerOptions, 'socket' | 'listen'>,
  certificate: ServedCertificate | null,
  createServer: (transport: Transport, tls: SecureContextOptions | null) => Server,
): Promise<Serving> {
  const servers: Server[] = [];
  const created = (transport: Transport, tls: SecureContextOptions | null): Server => {
    const server = createServer(transport, tls);
    servers.push(server);
    return server;
  };
  let address: string | null = null;
  try {
    if (socket !== null) await listenUnix(created('socket', null), socket);
    if (listen !== null) {
      const server = created('tcp', certificate?.context ?? null);
      certificate?.onChange((context) => (server as unknown as TlsServer).setSecureContext(context));
      const bound = await listenTcp(server, listen.host, listen.port);
      address = `${certificate === null ? 'http' : 'https'}://${bound}`;
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    address,
    async close() {
      await Promise.all(servers.map(closeServer));
    },
  };
}

/** @throws Problem `usage` where tokens would go over a network in the clear */
export function checkPlainHttp({ listen, tls, insecureHttp }: BrokerOptions): void {
  if (listen === null || tls !== null || insecureHttp) return;
  if (listen.host === 'localhost' || isLoopback(listen.host)) return;
  throw new Problem('usage', `plain HTTP on ${listen.host} would show every token to the network`, {
    hint: 'give --tls-cert and --tls-key, or --private-ca; listen on 127.0.0.1; or say --insecure-http',
  });
}

/** What is left is cut after two seconds. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), 2000);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
