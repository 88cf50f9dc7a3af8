import { readFile } from 'node:fs/promises';
import { formatAddress } from '../client/address.js';
import { type CallAs, HttpClient } from '../client/http-client.js';
import { type Environment, locate, locateBroker } from '../client/locations.js';
import { logSource } from '../client/log-source.js';
import type { BearerToken } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { agentFacts, examineAgent } from './examinations/agent.js';
import { brokerFacts, examineBroker, examineStream, streamEnding } from './examinations/broker.js';
import { certificateFacts, examineCertificate } from './examinations/certificate.js';
import { askNtp, examineClock } from './examinations/clock.js';
import { examineFiles, fileFacts } from './examinations/files.js';
import { type Finding, wrong } from './examinations/finding.js';
import { examineKeys, keyFacts } from './examinations/keys.js';
import { examineLog, logFacts } from './examinations/log.js';
import { examineTmux, tmuxFacts } from './examinations/tmux.js';
import { examineTmuxSocket, tmuxSocketFacts } from './examinations/tmux-socket.js';
import { examineWork } from './examinations/work.js';
import { type BrokerFlags, keyOption } from './open-broker.js';
import { print, printJson, prose } from './output.js';
import { fetchStatus, type StatusReply } from './status.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Check this installation as an approver or a requester uses it: files, agent, tmux,
certificate, broker, WebSocket, clock, keys. A test text is signed with your key and
verified. Every finding that is wrong comes with what to do about it. Changes nothing
but known_brokers. Exits with 1 when something is wrong, with 0 for mere warnings.

Usage
  countersign doctor [--json]

Flags
  --key FILE      look at this key (COUNTERSIGN_KEY)
  --json          as JSON: {"findings":[{"state","what","fix"}]}, the state being one
                  of good, note, warning, wrong${BROKER_FLAGS_HELP}

Examples
  countersign doctor
  countersign doctor --url https://approvals.example.com:7433 --json
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ flags, env, display }) {
    const findings = await examine(flags, env, display.zone);
    if (flags.json) printJson({ findings });
    else print(findings.map(formatFinding).join('\n'));
    return findings.some(isWrong) ? 1 : 0;
  },
});

/** Gathers all facts and judges them; what could not be reached is left out after its reason. */
async function examine(
  flags: BrokerFlags & { readonly key: string | undefined },
  env: Environment,
  zone: string,
): Promise<readonly Finding[]> {
  const locations = locate(flags, env);
  const address = locateBroker(flags, env, locations);
  const ca = await readCa(flags.ca ?? (env.COUNTERSIGN_CA || null));
  const client = new HttpClient(address, { ca: ca.text });
  try {
    const reached = await brokerFacts(client, locations);
    const keys = await keyFacts(reached.reached ? reached.broker : null, {
      option: keyOption(flags, env),
      env,
      config: locations.config,
    });
    const { session } = keys;
    const keyFile = keys.chosen?.source === 'file' ? keys.chosen.path : null;
    const isLocal = address.kind === 'socket';
    const here = Date.now();
    const certificate = examineCertificate(await certificateFacts(address, ca.text), {
      now: here,
      zone,
      ca: ca.text === undefined ? null : ca.file,
    });
    const status = isLocal || session !== null ? await statusOf(client, session?.token) : null;
    return [
      ...examineFiles(await fileFacts(locations, keyFile), { data: locations.data, mustExist: isLocal }),
      ...examineAgent(await agentFacts(env)),
      ...examineTmux(await tmuxFacts(env), env.COUNTERSIGN_NOTIFY),
      ...examineTmuxSocket(await tmuxSocketFacts(env)),
      ...ca.findings,
      ...certificate,
      // Why nothing could be asked through a certificate that is not trusted has been said.
      ...(!reached.reached && certificate.some(isWrong) ? [] : examineBroker(reached)),
      ...examineClock({
        here,
        broker: reached.reached ? reached.reply.clock : null,
        isSynchronised: await askNtp(),
      }),
      ...examineKeys(keys),
      ...(session === null ? [] : examineStream(await streamEnding(client, session.token))),
      ...examineWork(status, zone),
      ...(reached.reached && status !== null
        ? examineLog(
            await logFacts(
              locations.config,
              { address: formatAddress(address), pins: reached.broker.pins },
              status.head,
              session === null ? null : logSource(callAs(client, session.token)),
            ),
            status.headFailing,
          )
        : []),
    ];
  } finally {
    client.close();
  }
}

const callAs =
  (client: HttpClient, token: BearerToken): CallAs =>
  (schema, call) =>
    client.call(schema, { ...call, token });

/** The CA file of the flags; what cannot be read is a finding, and the system's are tried instead. */
async function readCa(file: string | null): Promise<{
  readonly file: string | null;
  readonly text: string | undefined;
  readonly findings: readonly Finding[];
}> {
  if (file === null) return { file, text: undefined, findings: [] };
  try {
    const text = await readFile(file, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return { file, text, findings: [] };
    const what = wrong(`the CA file ${file} holds no certificate`, 'give one in PEM: --ca FILE');
    return { file, text: undefined, findings: [what] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = code === 'ENOENT' ? 'copy it there, or correct --ca' : 'make it readable for you';
    return { file, text: undefined, findings: [wrong(`the CA file ${file} cannot be read (${code})`, fix)] };
  }
}

/** Null where the broker does not answer any more, or not us: what it said before has been told. */
async function statusOf(client: HttpClient, token: BearerToken | undefined): Promise<StatusReply | null> {
  try {
    return await fetchStatus({ client, token });
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

const isWrong = ({ state }: Finding): boolean => state === 'wrong';

const WORDS = { good: 'ok   ', note: 'note ', warning: 'warn ', wrong: 'WRONG' } as const;

function formatFinding({ state, what, fix }: Finding): string {
  const line = `${WORDS[state]}  ${prose(what)}`;
  return fix === null ? line : `${line}\n       fix: ${prose(fix)}`;
}
