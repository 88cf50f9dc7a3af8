import { brokerTalk } from '../client/talk.js';
import { parseRequestId } from '../protocol/names.js';
import { callAs, openAsApprover, withBroker } from './open-broker.js';
import { print, printJson } from './output.js';
import { talkedOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Have everybody rung at once who could sign a pending request, whatever order its rule
has for that: all consoles of theirs, and the notification command of the broker, which
is told who they are. Once a minute for a request, five times a minute by one approver,
and never by who asked for it.

Usage
  countersign escalate ID

Flags
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          print where the request stands then as JSON${BROKER_FLAGS_HELP}

Examples
  countersign escalate 01KB2X6C9V4T7M3N8QZ5R0EWHD
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ arguments: [id = ''], flags, env }) {
    const request = parseRequestId(id);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const status = await brokerTalk(callAs(broker)).escalate(request);
      if (flags.json) printJson(talkedOnWire(request, status));
      else print(`everybody who could sign ${request} is being rung`);
      return 0;
    });
  },
});
