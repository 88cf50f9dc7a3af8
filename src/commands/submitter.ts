import { locate } from '../client/locations.js';
import { parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { Submitter } from '../protocol/roster-messages.js';
import { CHANGE_FLAGS, CHANGE_HELP, makeChange } from './enrolled-change.js';
import { hasDatabase, withDirectory } from './enrolled-directory.js';
import { exact, print, printJson, tell } from './output.js';
import { CREDENTIAL_FLAGS, CREDENTIAL_HELP, credentialText, makeCredential } from './submitter-credential.js';
import { formatTable } from './text-table.js';
import { defineVerb, type VerbGroup } from './verb.js';

const DIR_HELP = `
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)`;

export const verb: VerbGroup = {
  help: `
The machines and tools that may ask: how each proves who it is, and what it may ask
for. Works through the socket of a running broker, else on the data directory
itself, and over a URL for approvers. While the broker runs and two approvers are
enrolled, a change is a request that others must sign: see countersign roster --help

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
  --action A, --resource R, --door D, --requester N, --canaries
                  what it may ask for (add)
  --json          as JSON (list)
  --reason TEXT, --no-wait, --url ADDRESS, --sign-in FILE, --ca FILE
                  of a change: see countersign submitter add --help

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
                            [--canaries]

Flags
  --action A      what it may ask to do
  --resource R    on what
  --door D        for which doors
  --requester N   for whom, beside itself
  --canaries      it may ask canaries, too: see countersign canary${CREDENTIAL_HELP}${CHANGE_HELP}

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
      flags: {
        ...CREDENTIAL_FLAGS,
        ...CHANGE_FLAGS,
        action: 'texts',
        resource: 'texts',
        door: 'texts',
        requester: 'texts',
        canaries: 'switch',
      },
      async run({ arguments: [text = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        const { credential, token } = await makeCredential(flags);
        const limits = {
          actions: required(flags.action, '--action'),
          resources: required(flags.resource, '--resource'),
          doors: required(flags.door, '--door'),
          requesters: [...flags.requester],
          ...(flags.canaries ? { canaries: true as const } : {}),
        };
        const change = { change: 'add', submitter: { name, credential, limits } } as const;
        const asked = {
          of: 'submitters',
          change,
          done: `added ${name}`,
          ...shownToken(name, token),
        } as const;
        return makeChange(asked, flags, env, zone);
      },
    }),
    rotate: defineVerb({
      help: `
Give a submitter another key, token or set of claims; what it had ends at once.

Usage
  countersign submitter rotate NAME --key FILE | --token | --oidc-issuer URL…

Flags${CREDENTIAL_HELP}${CHANGE_HELP}

Examples
  countersign submitter rotate ci --token > ci.token
`,
      arguments: ['NAME'],
      flags: { ...CREDENTIAL_FLAGS, ...CHANGE_FLAGS },
      async run({ arguments: [text = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        const { credential, token } = await makeCredential(flags);
        const change = { change: 'rotate', name, credential } as const;
        const asked = {
          of: 'submitters',
          change,
          done: `rotated ${name}`,
          ...shownToken(name, token),
        } as const;
        return makeChange(asked, flags, env, zone);
      },
    }),
    remove: defineVerb({
      help: `
Remove a submitter: it can neither ask nor use what was approved.

Usage
  countersign submitter remove NAME

Flags${CHANGE_HELP}

Examples
  countersign submitter remove ci
`,
      arguments: ['NAME'],
      flags: CHANGE_FLAGS,
      async run({ arguments: [text = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        const done = `removed ${name}`;
        return makeChange({ of: 'submitters', change: { change: 'remove', name }, done }, flags, env, zone);
      },
    }),
  },
};

/** A token is shown as soon as the broker has heard of it: nobody could show it later. */
const shownToken = (name: string, token: string | null): { readonly onTaken?: () => void } =>
  token === null
    ? {}
    : {
        onTaken() {
          print(token);
          tell(`this token of ${name} is shown once: keep it private, and give it as COUNTERSIGN_TOKEN`);
        },
      };

function required(texts: readonly string[], what: string): string[] {
  if (texts.length > 0) return [...texts];
  throw new Problem('usage', `${what} is missing`, { hint: `${what} '*' allows everything` });
}

function formatSubmitters(submitters: readonly Submitter[]): string {
  if (submitters.length === 0) return 'no submitters are enrolled';
  return formatTable([
    ['NAME', 'BY', 'ACTIONS', 'RESOURCES', 'DOORS', 'REQUESTERS', 'CANARIES'],
    ...submitters.map(({ name, credential, limits }) =>
      [
        name,
        credentialText(credential),
        limits.actions.join(' '),
        limits.resources.join(' '),
        limits.doors.join(' '),
        limits.requesters.join(' ') || '-',
        limits.canaries === true ? 'yes' : '-',
      ].map(exact),
    ),
  ]);
}
