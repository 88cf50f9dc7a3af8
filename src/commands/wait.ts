import { Asker } from '../client/ask.js';
import { StandingAsks } from '../client/standing-asks.js';
import { parseRequestId } from '../protocol/names.js';
import { awaitAnswer } from './answer.js';
import { parseSeconds } from './duration.js';
import { whereFlags } from './invocation.js';
import { openBroker, withBroker } from './open-broker.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Wait for a request that was made from here before, use its approval, and exit with
the answer: 0 approved, 2 denied, 3 expired, lapsed or still pending, 4 cancelled or
revoked, 1 error.

Usage
  countersign wait ID [--for TIME] [--automatic] [--json]

Flags
  --for TIME      wait at most so long: 90, 15m (default: as long as an answer can come)
  --automatic     take an approval by the policy alone, which nobody has signed
  --json          as JSON, with the receipts${BROKER_FLAGS_HELP}

Examples
  countersign wait 01KB2X6C9V4T7M3N8QZ5R0EWHD
  countersign wait 01KB2X6C9V4T7M3N8QZ5R0EWHD --for 5m --json
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, for: 'text', automatic: 'switch', json: 'switch' },
  async run({ arguments: [id = ''], flags, env }) {
    const request = parseRequestId(id);
    const seconds = flags.for === undefined ? Number.POSITIVE_INFINITY : parseSeconds(flags.for, '--for');
    return withBroker(openBroker(flags, env), async (broker) => {
      const asks = new StandingAsks(broker.locations.state, broker.clock);
      return awaitAnswer(await asks.findById(request), {
        asker: new Asker(broker, asks, broker.clock),
        asks,
        clock: broker.clock,
        patience: seconds * 1000,
        json: flags.json,
        automatic: flags.automatic,
        where: whereFlags(flags, env),
        detachOnInterrupt: false,
      });
    });
  },
});
