import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { RunningBroker } from '../../broker/broker.js';
import type { BrokerOptions } from '../../broker/options.js';
import { DEFAULT_LISTEN, type Environment } from '../client/locations.js';
import { LEAST_RETENTION } from '../protocol/hold-messages.js';
import { Problem } from '../protocol/problems.js';
import { hasControllingTerminal } from './controlling-terminal.js';
import { parseSeconds } from './duration.js';

/**
 * Starts a broker in this process.
 *
 * @throws Problem `usage` where the address is taken, and those of the broker.
 */
export async function startBrokerHere(options: BrokerOptions): Promise<RunningBroker> {
  const { startBroker } = await import('../../broker/broker.js');
  try {
    return await startBroker(options);
  } catch (cause) {
    if (!isAddressTaken(cause)) throw cause;
    const { host, port } = options.listen ?? { host: '', port: 0 };
    throw new Problem('usage', `${host}:${port} is taken by another program`, {
      hint: 'choose another port with --listen HOST:PORT, or port 0 for a free one',
      cause,
    });
  }
}

export const isAddressTaken = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException | null)?.code === 'EADDRINUSE';

/**
 * Reads `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
 *
 * @throws Problem `usage`
 */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const form = /^(?:\[([0-9a-fA-F:.]+)\]|((?!\d+$)[^\s:/[\]]+))(?::(\d{1,5}))?$/;
  const [, ipv6, host = ipv6, port = String(DEFAULT_LISTEN.port)] = form.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new Problem('usage', `--listen ${JSON.stringify(text)} is not HOST:PORT`);
  }
  return { host, port: Number(port) };
}

/** Whether only this machine can reach a listener. */
export const isLoopbackHost = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** The policy file that a flag or the environment names, as an option of the broker. */
export function policyOption(
  flags: { readonly policy: string | undefined },
  env: Environment,
): Pick<BrokerOptions, 'policyFile'> {
  const file = flags.policy ?? env.COUNTERSIGN_POLICY;
  return file ? { policyFile: resolve(file) } : {};
}

/**
 * How long a flag, the environment or the configuration file has closed requests kept, as an option of the broker.
 *
 * @throws Problem `usage` for less than 30 days
 */
export function retainOption(
  flags: { readonly retain: string | undefined },
  env: Environment,
): Pick<BrokerOptions, 'retain'> {
  const text = flags.retain ?? env.COUNTERSIGN_RETAIN;
  if (!text) return {};
  const retain = parseSeconds(text, `--retain ${JSON.stringify(text)}`);
  if (retain >= LEAST_RETENTION) return { retain };
  throw new Problem('usage', `--retain ${text} is shorter than 30d`, {
    hint: 'give a longer time, like 400d; without --retain everything is kept',
  });
}

/** How the broker is called where nothing else is said. */
export const defaultName = (): string => hostname();

/** What asks this program to stop. */
export interface StopSignal {
  /** Resolves with the first signal; a second one ends the program at once. */
  readonly received: Promise<NodeJS.Signals>;
  /** Says what to do at SIGHUP, which ends nothing unless it means that the terminal is gone. */
  onHangup(reload: () => void): void;
  /** Leaves signals to others again. */
  release(): void;
}

const ENDING = ['SIGTERM', 'SIGHUP'] as const;

/**
 * Takes signals over, so that the broker can finish what it is doing. With a console Ctrl-C is a key like any other, and
 * at the prompt of a key it ends the prompt: then SIGINT is left alone. SIGHUP comes from the kernel when the terminal
 * goes away, and from an administrator who wants files read again.
 */
export function catchSignals({ hasConsole }: { readonly hasConsole: boolean }): StopSignal {
  const signals: readonly NodeJS.Signals[] = hasConsole ? ENDING : [...ENDING, 'SIGINT'];
  let release = (): void => {};
  let reload = (): void => {};
  const hadTerminal = hasControllingTerminal();
  const received = new Promise<NodeJS.Signals>((resolve) => {
    let isStopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      const isReload = signal === 'SIGHUP' && !isStopping && (!hadTerminal || hasControllingTerminal());
      if (isReload) {
        reload();
        return;
      }
      if (isStopping) process.exit(1);
      isStopping = true;
      resolve(signal);
    };
    // Not `once`: other listeners, Ink's too, end the program when they find themselves alone.
    for (const signal of signals) process.on(signal, stop);
    release = () => {
      for (const signal of signals) process.off(signal, stop);
    };
  });
  return {
    received,
    release,
    onHangup(given) {
      reload = given;
    },
  };
}
