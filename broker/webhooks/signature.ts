import { createHmac } from 'node:crypto';

/** Names one message for ever; without `.`, so that it cannot run into what follows it in the signed text. */
export interface SignedMessage {
  readonly id: string;
  /** When it is sent, in seconds since 1970: a receiver refuses what is old. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The headers of a message in the form of Standard Webhooks 1.0.0 (symmetric, `v1`): HMAC-SHA256 over `ID.TIMESTAMP.BODY`,
 * one signature for each secret, so that a receiver who knows one of them can verify it.
 */
export function signedHeaders(
  secrets: readonly Buffer[],
  { id, timestamp, body }: SignedMessage,
): Readonly<Record<string, string>> {
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
