import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIssuer } from '../protocol/issuer.js';
import { Problem } from '../protocol/problems.js';
import { type SubmitterCredential, submitterCredentialSchema } from '../protocol/roster-messages.js';
import { formatPublicKey, parsePublicKeyLine } from '../ssh/public-key.js';
import { exact } from './output.js';
import { readPublicKey } from './public-key-file.js';
import type { FlagValues } from './verb.js';

/** The flags that say how a submitter proves who it is. */
export const CREDENTIAL_FLAGS = {
  key: 'text',
  token: 'switch',
  socket: 'switch',
  oidcIssuer: 'text',
  oidcAudience: 'text',
  oidcClaim: 'texts',
  oidcAlgorithm: 'texts',
  oidcRequester: 'text',
  oidcCa: 'text',
} as const;
export const CREDENTIAL_HELP = `
  --key FILE      it signs with this key (a public key file, or - for stdin);
                  a host uses its host key
  --token         it shows a bearer token, which is made here and printed once
  --socket        it is whoever may open the broker's socket; one submitter only
  --oidc-issuer URL       it shows tokens of this OpenID provider: a CI system
  --oidc-audience A       made for this audience and no other
  --oidc-claim NAME=VALUE with exactly this claim; at least one
  --oidc-requester NAME   and asks for nobody but whom this claim names, in lower case
  --oidc-algorithm A      RS256 (default) or ES256
  --oidc-ca FILE          CA certificates for the issuer, instead of the system's`;

/**
 * A new credential; of a token only the hash goes further than the screen.
 *
 * @throws Problem `usage` unless the flags name exactly one kind of it; those of the key
 */
export async function makeCredential(
  flags: FlagValues<typeof CREDENTIAL_FLAGS>,
): Promise<{ readonly credential: SubmitterCredential; readonly token: string | null }> {
  const given = [flags.key, flags.oidcIssuer].filter((text) => text !== undefined).length;
  if (given + Number(flags.token) + Number(flags.socket) !== 1) {
    throw new Problem('usage', 'give one of --key FILE, --token, --socket and --oidc-issuer URL');
  }
  if (flags.oidcIssuer !== undefined)
    return { credential: await oidcCredential(flags.oidcIssuer, flags), token: null };
  const { oidcAudience, oidcClaim, oidcRequester, oidcAlgorithm, oidcCa } = flags;
  const texts = [oidcAudience, oidcRequester, oidcCa].some((text) => text !== undefined);
  if (texts || oidcClaim.length + oidcAlgorithm.length > 0) {
    throw new Problem('usage', 'the flags --oidc-… go with --oidc-issuer URL');
  }
  if (flags.socket) return { credential: { kind: 'socket' }, token: null };
  if (flags.key !== undefined) {
    return { credential: { kind: 'key', key: formatPublicKey(await readPublicKey(flags.key)) }, token: null };
  }
  const token = randomBytes(32).toString('base64url');
  return { credential: { kind: 'token', hash: createHash('sha256').update(token).digest('hex') }, token };
}

async function oidcCredential(
  issuer: string,
  flags: FlagValues<typeof CREDENTIAL_FLAGS>,
): Promise<SubmitterCredential> {
  const { oidcAudience: audience, oidcClaim, oidcRequester, oidcAlgorithm, oidcCa } = flags;
  if (!isIssuer(issuer)) {
    throw new Problem('usage', '--oidc-issuer is no https address', {
      hint: 'write it as the tokens do, for example https://token.actions.githubusercontent.com',
    });
  }
  const parsed = submitterCredentialSchema.safeParse({
    kind: 'oidc',
    issuer,
    audience,
    claims: oidcClaim.map((text) => {
      const [name = '', ...value] = text.split('=');
      return { name, value: value.join('=') };
    }),
    requester: oidcRequester ?? null,
    algorithms: oidcAlgorithm.length > 0 ? oidcAlgorithm : ['RS256'],
    ca: oidcCa === undefined ? null : await readCertificates(oidcCa),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const flag = OIDC_FLAGS[String(issue?.path[0])] ?? '--oidc-issuer';
  throw new Problem(
    'usage',
    `${flag} is missing or not one that is taken: ${issue?.message ?? 'malformed'}`,
    {
      hint: 'give --oidc-audience A, and --oidc-claim NAME=VALUE at least once',
    },
  );
}

const OIDC_FLAGS: Readonly<Record<string, string>> = {
  audience: '--oidc-audience',
  claims: '--oidc-claim',
  requester: '--oidc-requester',
  algorithms: '--oidc-algorithm',
  ca: '--oidc-ca',
};

async function readCertificates(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Problem('usage', `${exact(file)} holds no certificate in PEM`);
}

/** How a submitter proves who it is, in one line. */
export function credentialText(credential: SubmitterCredential): string {
  switch (credential.kind) {
    case 'key':
      return parsePublicKeyLine(credential.key).fingerprint;
    case 'oidc': {
      const { issuer, audience, claims, requester } = credential;
      const values = claims.map(({ name, value }) => `${name}=${value}`).join(' ');
      return `${issuer} for ${audience}: ${values}${requester === null ? '' : ` asking for its ${requester}`}`;
    }
    default:
      return credential.kind;
  }
}
