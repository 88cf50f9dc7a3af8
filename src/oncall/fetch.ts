import { Problem } from '../protocol/problems.js';

/** Largest reply, in bytes. */
export const MAX_BYTES = 8 * 1024 * 1024;
/** Longest that one reply may take, in ms: less than the broker gives a group's command. */
const TIME_LIMIT = 6_000;

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/**
 * Parses an address from which secrets or groups come: https, or plain http on this machine.
 *
 * @throws Problem `usage`
 */
export function parseAddress(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)) return url;
  throw new Problem('usage', `${what} is not an https address`);
}

/**
 * Fetches one address within {@link TIME_LIMIT}. A redirect is not followed: it could lead to anybody's schedule.
 *
 * @throws Problem `schedule-unreachable`, `schedule-refused` for a redirect, a reply that is too large or not UTF-8
 */
export async function fetchText(url: URL, headers: Readonly<Record<string, string>>): Promise<Reply> {
  try {
    const reply = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIME_LIMIT) });
    if (reply.status >= 300 && reply.status < 400) {
      throw new Problem('schedule-refused', `${url.host} answers with a redirect (${reply.status})`);
    }
    return { status: reply.status, body: await readText(reply, url) };
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem('schedule-unreachable', `no answer from ${url.host}: ${reasonOf(cause)}`, { cause });
  }
}

async function readText(reply: Response, { host }: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES)
      throw new Problem('schedule-refused', `${host} answers with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return decodeText(Buffer.concat(chunks), host);
}

/** @throws Problem `schedule-refused` for anything that is not UTF-8 */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem('schedule-refused', `${what} is not UTF-8`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  const { name, message, cause: inner } = cause as Error;
  if (name === 'TimeoutError') return `nothing within ${TIME_LIMIT / 1000} s`;
  return (inner as NodeJS.ErrnoException | undefined)?.code ?? message;
}
