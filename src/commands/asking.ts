import { readFile } from 'node:fs/promises';
import type { Asked, SubmitCredential } from '../client/ask.js';
import type { Environment } from '../client/locations.js';
import { shownTime, type TimeStyle } from '../client/shown-time.js';
import { attentionText } from '../protocol/attention.js';
import { isBearerToken, isOidcToken, parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { resolveKey } from '../ssh/available-keys.js';
import { createKeySigner } from '../ssh/key-signer.js';
import { pasteableLine } from './invocation.js';
import { keyOption, type OpenBroker, ownTerminal } from './open-broker.js';
import { tell } from './output.js';

/** The flags that say who asks. */
export interface CredentialFlags {
  readonly submitter: string | undefined;
  readonly key: string | undefined;
  readonly tokenFile: string | undefined;
}

/**
 * How the submitter proves who it is: a key, else a token, else the socket of the broker's own user.
 *
 * @throws Problem `no-key`, `unauthenticated`, `usage`
 */
export async function credentialOf(
  flags: CredentialFlags,
  env: Environment,
  { client }: OpenBroker,
): Promise<SubmitCredential> {
  if (flags.submitter !== undefined) {
    const submitter = parseName(flags.submitter, '--submitter');
    const key = keyOption(flags, env);
    if (key === undefined)
      throw new Problem('no-key', 'a submitter signs its requests: --key FILE is missing');
    const signer = createKeySigner(await resolveKey(key, env), { env, withTerminal: ownTerminal() });
    return { kind: 'key', submitter, signer };
  }
  const token = await tokenOf(flags.tokenFile, env);
  if (token !== undefined && token !== '') {
    if (!isBearerToken(token) && !isOidcToken(token))
      throw new Problem('usage', 'the token is neither 43 characters of base64url nor a JSON Web Token');
    return { kind: 'token', token };
  }
  if (client.address.kind === 'socket') return { kind: 'socket' };
  throw new Problem('unauthenticated', 'nobody asks: there is no submitter, no token and no socket', {
    hint: 'give --submitter NAME --key FILE, COUNTERSIGN_TOKEN or COUNTERSIGN_OIDC_TOKEN',
  });
}

/** Flag, then environment, which may name a file as well. Where there are two nobody can know who is meant to ask. */
async function tokenOf(file: string | undefined, env: Environment): Promise<string | undefined> {
  const { COUNTERSIGN_TOKEN: own, COUNTERSIGN_OIDC_TOKEN: oidc } = env;
  if (file === undefined && own && oidc)
    throw new Problem('usage', 'both COUNTERSIGN_TOKEN and COUNTERSIGN_OIDC_TOKEN are set', {
      hint: 'unset the one that is not to ask',
    });
  if (file === undefined && (own || oidc)) return own || oidc;
  const path = file ?? (env.COUNTERSIGN_TOKEN_FILE || undefined);
  return path === undefined ? undefined : (await readFile(path, 'utf8')).trim();
}

/** How what became of an ask is told. */
export interface AskedStyle {
  /** Flags under which another command finds the same broker. */
  readonly where: readonly string[];
  readonly style: TimeStyle;
}

/** What became of an ask, in one line. */
export const askedLine = ({ ask, reply, isNew }: Asked, style: TimeStyle): string =>
  `${isNew ? 'asked' : 'joined'} ${ask.id}, ${reply.status.state}; answer by ${shownTime(reply.answerBy, style)}`;

/** Tells what became of the ask, and how an approver can answer it from any shell. */
export function tellAsked(asked: Asked, { where, style }: AskedStyle): void {
  const { ask, reply } = asked;
  tell(askedLine(asked, style));
  if (reply.status.state !== 'pending') return;
  const warning = attentionText(reply.attention ?? 'attended');
  if (warning !== null) tell(warning);
  tell(`an approver can sign with: ${pasteableLine(['approve', ask.id, ...where])}`);
}
