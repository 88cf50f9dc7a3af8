import * as z from 'zod';
import { prepareUnlocking } from '../client/decide.js';
import { parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { answerTo } from './decision.js';
import { openAsApprover, withBroker } from './open-broker.js';
import { print, printJson } from './output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

/** `POST /v1/locks/lifts` */
const liftedReply = z.object({ locks: z.int(), mutes: z.int() });

const QUESTION = 'How it was cleared up; it is signed and kept: ';

export const verb = defineVerb({
  help: `
Let somebody ask again: lifts the lock of a deny as fraud, and the mutes of repeated
denials. Signed and kept. Nobody unlocks himself.

Usage
  countersign unlock REQUESTER [--comment TEXT]

Flags
  --comment TEXT  how it was cleared up; signed and kept; asked for on a terminal
  --key FILE      sign with this key (COUNTERSIGN_KEY)
  --json          print what was lifted as JSON${BROKER_FLAGS_HELP}

Examples
  countersign locks
  countersign unlock alice --comment "called her: the laptop was stolen, its key is out"
`,
  arguments: ['REQUESTER'],
  flags: { ...BROKER_FLAGS, key: 'text', comment: 'text', json: 'switch' },
  async run({ arguments: [text = ''], flags, env }) {
    const requester = parseName(text, 'REQUESTER');
    const comment = flags.comment ?? (process.stdin.isTTY ? await answerTo(QUESTION) : '');
    if (comment === '') {
      throw new Problem('usage', 'how it was cleared up must be said', { hint: 'give --comment TEXT' });
    }
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const { approver, fingerprint, clock, signer, client } = broker;
      const statement = prepareUnlocking(requester, {
        approver,
        broker: fingerprint,
        now: clock.now(),
        comment,
      });
      const armor = await signer.sign('unlock@countersign', statement);
      const lifted = await client.call(liftedReply, {
        method: 'POST',
        path: '/v1/locks/lifts',
        body: { statement: statement + armor },
      });
      if (flags.json) printJson({ requester, ...lifted });
      else print(`unlocked ${requester}`);
      return 0;
    });
  },
});
