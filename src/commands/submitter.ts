import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { locate } from '../client/locations.js';
import { isIssuer } from '../protocol/issuer.js';
import { parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import {
  type Submitter,
  type SubmitterChange,
  type SubmitterCredential,
  submitterCredentialSchema,
} from '../protocol/roster-messages.js';
import { formatPublicKey, parsePublicKeyLine } from '../ssh/public-key.js';
import { hasDatabase, withDirectory } from './enrolled-directory.js';
import { exact, print, printJson, tell } from './output.js';
import { readPublicKey } from './public-key-file.js';
import { formatTable } from './text-table.js';
import { defineVerb, type FlagValues, type VerbGroup } from './verb.js';

const CREDENTIAL_FLAGS = {
  dir: 'text',
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
const DIR_HELP = `
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)`;
const CREDENTIAL_HELP = `
  --key FILE      it signs with this key (a public key file, or - for stdin);
                  a host uses its host key
  --token         it shows a bearer token, which is made here and printed once
  --socket        it is whoever may open the broker's socket; one submitter only
  --oidc-issuer URL       it shows tokens of this OpenID provider: a CI system
  --oidc-audience A       made for this audience and no other
  --oidc-claim NAME=VALUE with exactly this claim; at least one
  --oidc-requester NAME   and asks for nobody but whom this claim names, in lower case
  --oidc-algorithm A      RS256 (default) or ES256
  --oidc-ca FILE          CA certificates for the issuer, instead of the system's${DIR_HELP}`;

export const verb: VerbGroup = {
  help: `
The machines and tools that may ask: how each proves who it is, and what it may ask
for. Works through the socket of a running broker, else on the data directory
itself.

Usage
  countersign submitter list [--json]
  countersign submitter add NAME --key FILE | --token | --socket | --oidc-issuer URL…
                            --action A… --resource R… --door D… [--requester N]…
  countersign submitter rotate NAME --key FILE | --token | --oidc-issuer URL…
  countersign submitter remove NAME

Flags
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)
  --key FILE, --token, --socket, --oidc-issuer URL
                  how it proves who it is (add, rotate): see countersign submitter add --help
  --action A, --resource R, --door D, --requester N
                  what it may ask for (add)
  --json          as JSON (list)

Examples
  countersign submitter add web-1 --key /etc/ssh/ssh_host_ed25519_key.pub \\
    --action 'ssh.*' --resource web-1.example.com --door host:web-1.example.com \\
    --requester '*'
  countersign submitter add ci --token --action 'deploy.*' --resource '*' \\
    --door job:deploy > ci.token
`,
  verbs: {
    list: defineVerb({
      help: `
List the submitters and what they may ask for.

Usage
  countersign submitter list [--json]

Flags${DIR_HELP}
  --json          as JSON

Examples
  countersign submitter list
`,
      arguments: [],
      flags: { dir: 'text', json: 'switch' },
      async run({ flags, env }) {
        const { data } = locate(flags, env);
        const submitters = hasDatabase(data) ? await withDirectory(data, (found) => found.submitters()) : [];
        if (flags.json) printJson({ submitters });
        else print(formatSubmitters(submitters));
        return 0;
      },
    }),
    add: defineVerb({
      help: `
Enrol a submitter. Each limit is an exact text, or a beginning followed by *; *
alone is everything.

Usage
  countersign submitter add NAME --key FILE | --token | --socket | --oidc-issuer URL…
                            --action A… --resource R… --door D… [--requester N]…

Flags
  --action A      what it may ask to do
  --resource R    on what
  --door D        for which doors
  --requester N   for whom, beside itself${CREDENTIAL_HELP}

Examples
  countersign submitter add web-1 --key /etc/ssh/ssh_host_ed25519_key.pub \\
    --action 'ssh.*' --resource web-1.example.com --door host:web-1.example.com \\
    --requester '*'
  countersign submitter add ci --token --action 'deploy.*' --resource '*' \\
    --door job:deploy > ci.token
  countersign submitter add ci:shop \\
    --oidc-issuer https://token.actions.githubusercontent.com \\
    --oidc-audience countersign --oidc-claim repository=acme/shop \\
    --oidc-claim environment=production --action deploy --resource shop \\
    --door host:deploy-1 --requester '*'
`,
      arguments: ['NAME'],
      flags: { ...CREDENTIAL_FLAGS, action: 'texts', resource: 'texts', door: 'texts', requester: 'texts' },
      async run({ arguments: [text = ''], flags, env }) {
        const name = parseName(text, 'NAME');
        const { credential, token } = await makeCredential(flags);
        const limits = {
          actions: required(flags.action, '--action'),
          resources: required(flags.resource, '--resource'),
          doors: required(flags.door, '--door'),
          requesters: [...flags.requester],
        };
        await change(locate(flags, env).data, { change: 'add', submitter: { name, credential, limits } });
        if (token === null) print(`added ${name}`);
        else showToken(name, token);
        return 0;
      },
    }),
    rotate: defineVerb({
      help: `
Give a submitter another key, token or set of claims; what it had ends at once.

Usage
  countersign submitter rotate NAME --key FILE | --token | --oidc-issuer URL…

Flags${CREDENTIAL_HELP}

Examples
  countersign submitter rotate ci --token > ci.token
`,
      arguments: ['NAME'],
      flags: CREDENTIAL_FLAGS,
      async run({ arguments: [text = ''], flags, env }) {
        const name = parseName(text, 'NAME');
        const { credential, token } = await makeCredential(flags);
        await change(locate(flags, env).data, { change: 'rotate', name, credential });
        if (token === null) print(`rotated ${name}`);
        else showToken(name, token);
        return 0;
      },
    }),
    remove: defineVerb({
      help: `
Remove a submitter: it can neither ask nor use what was approved.

Usage
  countersign submitter remove NAME

Flags${DIR_HELP}

Examples
  countersign submitter remove ci
`,
      arguments: ['NAME'],
      flags: { dir: 'text' },
      async run({ arguments: [text = ''], flags, env }) {
        const name = parseName(text, 'NAME');
        await change(locate(flags, env).data, { change: 'remove', name });
        print(`removed ${name}`);
        return 0;
      },
    }),
  },
};

async function change(data: string, submitterChange: SubmitterChange): Promise<void> {
  await withDirectory(data, (directory) => directory.changeSubmitters(submitterChange));
}

/** A new credential; of a token only the hash goes further than the screen. */
async function makeCredential(
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

function showToken(name: string, token: string): void {
  print(token);
  tell(`this token of ${name} is shown once: keep it private, and give it as COUNTERSIGN_TOKEN`);
}

function required(texts: readonly string[], what: string): string[] {
  if (texts.length > 0) return [...texts];
  throw new Problem('usage', `${what} is missing`, { hint: `${what} '*' allows everything` });
}

function formatSubmitters(submitters: readonly Submitter[]): string {
  if (submitters.length === 0) return 'no submitters are enrolled';
  return formatTable([
    ['NAME', 'BY', 'ACTIONS', 'RESOURCES', 'DOORS', 'REQUESTERS'],
    ...submitters.map(({ name, credential, limits }) =>
      [
        name,
        credentialText(credential),
        limits.actions.join(' '),
        limits.resources.join(' '),
        limits.doors.join(' '),
        limits.requesters.join(' ') || '-',
      ].map(exact),
    ),
  ]);
}

function credentialText(credential: SubmitterCredential): string {
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
