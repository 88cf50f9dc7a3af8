import { randomBytes, sign } from 'node:crypto';
import type { BoundDocument } from '../../src/protocol/document.ts';
import type { ChallengeReply, SessionReply } from '../../src/protocol/messages.ts';
import type { Digest, Fingerprint, Nonce } from '../../src/protocol/names.ts';
import type { RequestView } from '../../src/protocol/request-view.ts';
import { APPROVER, SUBMITTER } from './enrolment.ts';
import { httpCall } from './http-connection.ts';
import { compiled } from './modules.js';
import { type SshKey, signedText } from './ssh-key.ts';

const { parseDocument } =
  await compiled<typeof import('../../src/protocol/document.ts')>('src/protocol/document.js');
const { formatDecision, formatSession, formatSubmit } = await compiled<
  typeof import('../../src/protocol/statements.ts')
>('src/protocol/statements.js');

/** 128 random bits in hex, as nonces and claims are. */
export const hex128 = (): string => randomBytes(16).toString('hex');

/** A login as a host asks for it; never the same twice. */
export function newDocument(resource = 'web-1.example.com'): BoundDocument {
  return parseDocument({
    action: 'ssh.login',
    context: { reason: 'INC-4312 restart nginx' },
    details: { service: 'sshd', source: '203.0.113.9', user: 'alice' },
    door: SUBMITTER,
    duration: 0,
    nonce: hex128(),
    requester: 'alice',
    resource,
    version: 1,
  });
}

/** The submit of a document, vouched for by the host. Good for a minute. */
export function submitCall(key: SshKey, broker: Fingerprint, bound: BoundDocument): Buffer {
  const statement = submitStatement(broker, bound);
  const body = { document: bound.document, statement: signedText(key, statement, 'submit@countersign') };
  return httpCall('POST', '/v1/requests', { body });
}

/** The same for the bare server: the statement and a bare Ed25519 signature over it. */
export function bareSubmitCall(key: SshKey, broker: Fingerprint, bound: BoundDocument): Buffer {
  const statement = submitStatement(broker, bound);
  const signature = sign(null, Buffer.from(statement), key.privateKey).toString('base64');
  return httpCall('POST', '/submits', { body: { document: bound.document, statement, signature } });
}

function submitStatement(broker: Fingerprint, bound: BoundDocument): string {
  const nonce = hex128() as Nonce;
  return formatSubmit({ broker, submitter: SUBMITTER, request: bound.digest, nonce, issued: Date.now() });
}

/** A yes to a request under the rule of the given digest. Good for a minute. */
export function approval(
  key: SshKey,
  broker: Fingerprint,
  bound: BoundDocument,
  policy: Digest,
  decided = Date.now(),
): string {
  const statement = formatDecision({
    broker,
    door: bound.document.door,
    request: bound.digest,
    scope: bound.scope,
    covers: 'request',
    policy,
    verdict: 'approve',
    requester: bound.document.requester,
    approver: APPROVER,
    decided,
    notAfter: decided + 900_000,
    duration: 0,
    uses: 1,
    code: null,
    comment: 'looks right',
  });
  return signedText(key, statement, 'decision@countersign');
}

/** Signs the approver in and returns the bearer token of the session. */
export async function signIn(address: string, key: SshKey, broker: Fingerprint): Promise<string> {
  const { challenge } = await post<ChallengeReply>(`${address}/v1/sessions/challenge`, { key: key.line });
  const issued = Date.now();
  const expires = issued + 3_600_000;
  const statement = formatSession({ broker, approver: APPROVER, challenge, issued, expires });
  const body = { statement: signedText(key, statement, 'session@countersign') };
  return (await post<SessionReply>(`${address}/v1/sessions`, body)).token;
}

/** The digest of the rule that a request pinned. */
export async function policyOf(address: string, id: string, token: string): Promise<Digest> {
  const headers = { authorization: `Bearer ${token}` };
  const reply = await fetch(`${address}/v1/requests/${id}`, { headers });
  return ((await reply.json()) as RequestView).policy;
}

async function post<Answer>(url: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(await reply.text());
  return reply.json() as Promise<Answer>;
}
