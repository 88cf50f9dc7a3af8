import { locate, locateBroker } from '../client/locations.js';
import { checkBroker, checkClock, checkDataDirectory, checkKeys, type Finding } from './examinations.js';
import { keyOption, reachable } from './open-broker.js';
import { print, printJson, prose } from './output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Check this installation as an approver or a requester uses it: data directory,
broker, clock, keys. Every finding that is wrong comes with what to do about it.
Changes nothing. Exits with 1 when something is wrong.

Usage
  countersign doctor [--json]

Flags
  --key FILE      look at this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign doctor
  countersign doctor --url https://approvals.example.com:7433 --json
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ flags, env }) {
    const locations = locate(flags, env);
    const isLocal = locateBroker(flags, env, locations).kind === 'socket';
    const { client } = await reachable(flags, env);
    try {
      const broker = await checkBroker(client, locations);
      const findings = [
        ...(await checkDataDirectory(locations.data, { mustExist: isLocal })),
        ...broker.findings,
        ...checkClock(broker.reply, Date.now()),
        ...(await checkKeys(broker.identity, {
          option: keyOption(flags, env),
          env,
          config: locations.config,
        })),
      ];
      if (flags.json) printJson({ findings });
      else print(findings.map(formatFinding).join('\n'));
      return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
    } finally {
      client.close();
    }
  },
});

const WORDS = { good: 'ok   ', note: 'note ', wrong: 'WRONG' } as const;

function formatFinding({ state, what, fix }: Finding): string {
  const line = `${WORDS[state]}  ${prose(what)}`;
  return fix === null ? line : `${line}\n       fix: ${prose(fix)}`;
}
