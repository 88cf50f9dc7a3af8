import type { BrokerOptions } from '../../broker/options.js';
import { socketAddress } from '../client/address.js';
import { identifyBroker } from '../client/broker-identity.js';
import { systemClock } from '../client/clock.js';
import type { Display } from '../client/display.js';
import { HttpClient } from '../client/http-client.js';
import { DEFAULT_LISTEN, type Environment, type Locations, locate, socketPath } from '../client/locations.js';
import { brokerReply } from '../protocol/messages.js';
import { Problem } from '../protocol/problems.js';
import { CONSOLE_FLAGS, CONSOLE_FLAGS_HELP, type ConsoleManners, consoleManners } from './console-flags.js';
import { type Enrolled, prepareFirstRun } from './first-run.js';
import { foldedLine, pasteableLine } from './invocation.js';
import { keyOption, withBroker } from './open-broker.js';
import { openConsole } from './open-console.js';
import { exact, print, tell } from './output.js';
import {
  catchSignals,
  defaultName,
  isAddressTaken,
  isLoopbackHost,
  parseListen,
  policyOption,
  retainOption,
  startBrokerHere,
} from './start-broker.js';
import { certificateSource, TLS_FLAGS, TLS_FLAGS_HELP, trustLines } from './tls-options.js';
import { defineVerb, type FlagValues } from './verb.js';

export const verb = defineVerb({
  help: `
Start everything on this machine. On first use make the data directory, enrol you as
the approver with the key of your agent or ~/.ssh, and let the local socket ask for
demonstrations; then start the broker and open the console. Where a broker runs
already, only open the console. Without a terminal: run the broker and log, until
SIGTERM. On an address that others reach it speaks TLS, where no certificate is given
with one of its own CA, and prints what consoles and doors need to trust it.

Usage
  countersign up [--dir DIR] [--listen HOST[:PORT]] [FLAGS OF ITS CONSOLE]

Flags
  --dir DIR          data directory (COUNTERSIGN_DIR)
  --listen H:P       address (default ${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port}, or a free port if taken)
  --policy FILE      who must sign for what (COUNTERSIGN_POLICY), else one other person
  --retain AGE       how long closed requests are kept (COUNTERSIGN_RETAIN), else for ever
  --key FILE         be enrolled, and decide, with this key (COUNTERSIGN_KEY)${TLS_FLAGS_HELP}

Flags of its console${CONSOLE_FLAGS_HELP}

Examples
  countersign up
  countersign up --dir /tmp/try --listen 127.0.0.1:0
  countersign up --theme light --notify osc9
  countersign up --listen 0.0.0.0 --tls-name approvals.example.com
`,
  arguments: [],
  flags: {
    dir: 'text',
    listen: 'text',
    policy: 'text',
    retain: 'text',
    key: 'text',
    ...CONSOLE_FLAGS,
    ...TLS_FLAGS,
  },
  async run({ flags, env, display }) {
    const locations = locate(flags, env);
    const hasTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const seat = {
      locations,
      key: keyOption(flags, env),
      env,
      display,
      // Without a console its settings mean nothing; only what was said here must be right.
      manners: consoleManners(flags, hasTerminal ? env : {}),
    };
    if (await isRunning(locations)) {
      tell(`a broker runs in ${exact(locations.data)} already`);
      if (hasTerminal) await showConsole(seat, null);
      return 0;
    }
    const enrolled = await prepareFirstRun(locations, seat);
    if (enrolled !== null) tellEnrolled(enrolled, locations);
    const signals = catchSignals({ hasConsole: hasTerminal });
    const broker = await start(locations.data, flags, {
      ...policyOption(flags, env),
      ...retainOption(flags, env),
      log: hasTerminal ? 'silent' : 'json',
    });
    signals.onHangup(() => void broker.reload());
    let signal: NodeJS.Signals | null;
    try {
      print(`broker ${broker.fingerprint} listens at ${broker.address} and ${exact(locations.data)}`);
      const lines = trustLines(broker);
      if (lines !== null) print(lines);
      print(`To ask for something, paste this into another terminal:\n\n  ${demoLine(locations.data)}\n`);
      const closed = hasTerminal ? showConsole(seat, BROKER_STOPS).then(() => null) : signals.received;
      signal = await Promise.race([closed, signals.received]);
    } finally {
      await broker.stop();
      signals.release();
    }
    // The console still has the terminal: it gives it back when this signal ends the program.
    if (hasTerminal && signal !== null) process.kill(process.pid, signal);
    return 0;
  },
});

/** The line that makes a demonstration, from any directory. */
const demoLine = (data: string): string =>
  pasteableLine([
    'request',
    'demo.hello',
    '--dir',
    data,
    '--resource',
    'demo',
    '--reason',
    'try it',
    '--wait',
  ]);

async function isRunning({ data }: Locations): Promise<boolean> {
  const client = localClient(data);
  try {
    await client.call(brokerReply, { method: 'GET', path: '/v1/broker' });
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === 'broker-unreachable') return false;
    throw error;
  } finally {
    client.close();
  }
}

async function start(
  directory: string,
  flags: FlagValues<typeof TLS_FLAGS> & { readonly listen: string | undefined },
  settings: Pick<BrokerOptions, 'log' | 'policyFile' | 'retain'>,
) {
  const { listen } = flags;
  const address = listen === undefined ? DEFAULT_LISTEN : parseListen(listen);
  const { host } = address;
  const options = {
    directory,
    listen: address,
    socket: socketPath(directory),
    tls: await certificateSource(flags, { host, directory, privateCa: !isLoopbackHost(host) }),
    insecureHttp: false,
    name: defaultName(),
    ...settings,
  };
  try {
    return await startBrokerHere(options);
  } catch (error) {
    const isTaken = error instanceof Problem && isAddressTaken(error.cause);
    if (!isTaken || listen !== undefined) throw error;
    tell(`${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port} is taken by another program: taking a free port`);
    return startBrokerHere({ ...options, listen: { ...DEFAULT_LISTEN, port: 0 } });
  }
}

/** Whose console is opened, and for which directory. */
interface Seat {
  readonly locations: Locations;
  readonly key: string | undefined;
  readonly env: Environment;
  readonly display: Display;
  readonly manners: ConsoleManners;
}

const BROKER_STOPS = 'the broker stops with this console: nobody gets an answer until fg';

/** @param note what stops with the console where it is stopped */
async function showConsole(
  { locations, key, env, display, manners }: Seat,
  note: string | null,
): Promise<void> {
  const client = localClient(locations.data);
  const broker = { client, ...(await identifyBroker(client, locations)), locations, clock: systemClock };
  await withBroker(Promise.resolve(broker), async () => {
    await openConsole(broker, {
      key,
      env,
      display,
      invitation: foldedLine(demoLine(locations.data), 76),
      stop: { note },
      ...manners,
    });
    return 0;
  });
}

const localClient = (data: string): HttpClient => new HttpClient(socketAddress(socketPath(data)));

function tellEnrolled({ approver, key, madeKey }: Enrolled, { data }: Locations): void {
  const { fingerprint } = key.publicKey;
  const from =
    madeKey === null ? `from ${key.source === 'agent' ? 'your agent' : key.path}` : `made at ${madeKey}`;
  tell(`first run: made ${exact(data)}, enrolled ${approver} with the key ${fingerprint}, ${exact(from)}`);
}
