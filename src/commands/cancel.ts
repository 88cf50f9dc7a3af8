import { Asker } from '../client/ask.js';
import { StandingAsks } from '../client/standing-asks.js';
import { parseRequestId } from '../protocol/names.js';
import { openBroker, withBroker } from './open-broker.js';
import { print, printJson } from './output.js';
import { statusOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Take back a request that was made from here. It ends at once, unless somebody else
waits for the same one.

Usage
  countersign cancel ID

Flags
  --json          print where the request stands then as JSON${BROKER_FLAGS_HELP}

Examples
  countersign cancel 01KB2X6C9V4T7M3N8QZ5R0EWHD
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, json: 'switch' },
  async run({ arguments: [id = ''], flags, env }) {
    const request = parseRequestId(id);
    return withBroker(openBroker(flags, env), async (broker) => {
      const asks = new StandingAsks(broker.locations.state, broker.clock);
      const ask = await asks.findById(request);
      const { status } = await new Asker(broker, asks, broker.clock).detach(ask, { cancel: true });
      if (flags.json) {
        printJson(statusOnWire(request, status));
        return 0;
      }
      const isOver = status.state === 'cancelled';
      print(isOver ? `cancelled ${request}` : `detached from ${request}: it is ${status.state}`);
      return 0;
    });
  },
});
