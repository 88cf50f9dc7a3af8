import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { Problem } from '../src/protocol/problems.js';

/** Binds a TCP address and returns it as `host:port`, with the port that was taken. */
export async function listenTcp(server: Server, host: string, port: number): Promise<string> {
  await listening(server, () => server.listen({ host, port }));
  const bound = server.address() as AddressInfo;
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}

/**
 * Binds a Unix socket that only its owner can open. A socket that nobody answers is replaced; anything else at the path
 * is left alone.
 *
 * @throws Problem `broker-locked`
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  const standing = lstatSync(path, { throwIfNoEntry: false });
  if (standing !== undefined) {
    if (!standing.isSocket()) throw new Problem('broker-locked', `${path} exists and is not a socket`);
    if (await answers(path)) throw new Problem('broker-locked', `another broker listens at ${path}`);
    unlinkSync(path);
  }
  // The mask closes the moment between bind and chmod.
  const mask = process.umask(0o177);
  try {
    await listening(server, () => server.listen(path));
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listen();
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}
