import { resolve } from 'node:path';
import { DEFAULT_LISTEN, locate, socketPath } from '../client/locations.js';
import { Problem } from '../protocol/problems.js';
import { hasDatabase } from './enrolled-directory.js';
import { print } from './output.js';
import {
  catchSignals,
  defaultName,
  parseListen,
  policyOption,
  retainOption,
  startBrokerHere,
} from './start-broker.js';
import { certificateSource, TLS_FLAGS, TLS_FLAGS_HELP, trustLines } from './tls-options.js';
import { defineVerb } from './verb.js';

const FLAGS = {
  dir: 'text',
  listen: 'text',
  socket: 'text',
  ...TLS_FLAGS,
  privateCa: 'switch',
  insecureHttp: 'switch',
  name: 'text',
  policy: 'text',
  webhooks: 'text',
  notifyCommand: 'text',
  retain: 'text',
} as const;

export const verb = defineVerb({
  help: `
Run the broker alone, until SIGTERM or Ctrl-C. It logs one line of JSON for each
event to stderr. Somebody must be enrolled first: countersign roster add. At SIGHUP it
takes certificate, policy and webhooks over again; waiting doors and open consoles do
not notice.

Usage
  countersign serve [--dir DIR] [--listen HOST:PORT] [--tls-cert FILE --tls-key FILE]
  countersign serve [--dir DIR] [--listen HOST:PORT] --private-ca [--tls-name NAME]…
  countersign serve … --policy FILE

Flags
  --dir DIR          data directory (COUNTERSIGN_DIR)
  --listen H:P       address, or none (default ${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port})
  --socket PATH      Unix socket, or none (default DIR/broker.sock)${TLS_FLAGS_HELP}
  --private-ca       make a CA and a certificate in DIR/tls, renew it, and say what
                     clients need to trust it
  --insecure-http    plain HTTP beyond this machine: only behind something that encrypts
  --name NAME        how it is called in answers (default: the host name)
  --policy FILE      who must sign for what (COUNTERSIGN_POLICY); without one, any one
                     other person. A file with a mistake is not loaded: at the start the
                     broker says what is wrong and ends; later the old one stays in force
  --webhooks FILE    who is sent events, and who is asked before a new request is made
                     (COUNTERSIGN_WEBHOOKS)
  --notify-command PROGRAM
                     run for a pending request at once while nobody who could approve
                     has a console open, else after 30 seconds without an answer; the
                     document is its standard input, the request's id COUNTERSIGN_ID
                     (COUNTERSIGN_NOTIFY_COMMAND)
  --retain AGE       erase what is written of requests so long after their end, like 400d
                     (COUNTERSIGN_RETAIN); at least 30d. Without it everything is kept.
                     The log keeps its chain, and says what was erased

Examples
  countersign serve --dir /var/lib/countersign
  countersign serve --listen 0.0.0.0:7433 --tls-cert cert.pem --tls-key key.pem
  countersign serve --listen 0.0.0.0:7433 --private-ca --tls-name approvals.example.com
  countersign serve --policy /etc/countersign/policy.yaml
`,
  arguments: [],
  flags: FLAGS,
  async run({ flags, env }) {
    const directory = locate(flags, env).data;
    if (!hasDatabase(directory)) {
      throw new Problem('no-approver', `nobody is enrolled in ${directory}`);
    }
    const listen = listenOf(flags.listen);
    const { host } = listen ?? DEFAULT_LISTEN;
    const { received, onHangup } = catchSignals({ hasConsole: false });
    const broker = await startBrokerHere({
      directory,
      listen,
      socket: socketOf(flags.socket, directory),
      tls: await certificateSource(flags, { host, directory, privateCa: flags.privateCa }),
      insecureHttp: flags.insecureHttp,
      name: flags.name ?? defaultName(),
      ...policyOption(flags, env),
      ...webhooksOf(flags.webhooks ?? env.COUNTERSIGN_WEBHOOKS),
      ...retainOption(flags, env),
      ...notifyOf(flags.notifyCommand ?? env.COUNTERSIGN_NOTIFY_COMMAND),
      log: 'json',
    });
    onHangup(() => void broker.reload());
    const lines = trustLines(broker);
    // Elsewhere the log has it, one event a line.
    if (lines !== null && process.stdout.isTTY) print(lines);
    await received;
    await broker.stop();
    return 0;
  },
});

function listenOf(text: string | undefined): ReturnType<typeof parseListen> | null {
  if (text === undefined) return DEFAULT_LISTEN;
  return text === 'none' ? null : parseListen(text);
}

function socketOf(text: string | undefined, directory: string): string | null {
  if (text === undefined) return socketPath(directory);
  return text === 'none' ? null : resolve(text);
}

const webhooksOf = (file: string | undefined) => (file ? { webhooksFile: resolve(file) } : {});
const notifyOf = (program: string | undefined) => (program ? { notifyCommand: resolve(program) } : {});
