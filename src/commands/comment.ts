import { brokerTalk } from '../client/talk.js';
import { parseRequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { isCommentText, MAX_COMMENT_TEXT_BYTES } from '../protocol/talk.js';
import { callAs, openAsApprover, withBroker } from './open-broker.js';
import { print, printJson } from './output.js';
import { talkedOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Say something to the other approvers about a request that lives: in their consoles, and
in countersign show. Who asked, and the door, are not told. It is kept in the log, and
signed by nobody: it decides nothing. What is signed goes with a decision: approve and
deny take a comment of their own.

Usage
  countersign comment ID TEXT

Flags
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          print where the request stands then as JSON${BROKER_FLAGS_HELP}

Examples
  countersign comment 01KB2X6C9V4T7M3N8QZ5R0EWHD "I am calling her, wait with your yes"
`,
  arguments: ['ID', 'TEXT'],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ arguments: [id = '', text = ''], flags, env }) {
    const request = parseRequestId(id);
    if (!isCommentText(text)) {
      throw new Problem('usage', `TEXT is not 1 to ${MAX_COMMENT_TEXT_BYTES} bytes of text`);
    }
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const status = await brokerTalk(callAs(broker)).comment(request, text);
      if (flags.json) printJson(talkedOnWire(request, status));
      else print(`commented on ${request}, for the other approvers; not signed`);
      return 0;
    });
  },
});
