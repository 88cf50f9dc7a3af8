import { answeringName, prepareLoneApproval } from '../client/decide.js';
import { shownTime } from '../client/shown-time.js';
import { parseRequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { requestStatusSchema } from '../protocol/request-view.js';
import { codeFlag, confirmRead, missingCode } from './decision.js';
import { openAsApprover, withBroker } from './open-broker.js';
import { print, printJson, tell } from './output.js';
import { fetchRequest, statusOnWire } from './show.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Let yourself in alone, where the rule of your request and the door allow it: every
approver is told at once, anybody can deny it, and it opens only after a delay. Two
other people must look at it afterwards. The reason is signed and kept.

Usage
  countersign break-glass ID --reason TEXT

Flags
  --reason TEXT   what is broken, and why nobody else can sign
  --code DIGITS   the number that you were shown, where the request asks for one
  --yes-i-read-it DIGEST
                  without a terminal: the digest of your request
  --key FILE      sign with this key (COUNTERSIGN_KEY)
  --json          print where the request stands with it as JSON${BROKER_FLAGS_HELP}

Examples
  countersign break-glass 01KB2X6C9V4T7M3N8QZ5R0EWHD \\
    --reason "INC-4312: db-2 is down since 02:10 and nobody else of sre answers the pager"
`,
  arguments: ['ID'],
  flags: { ...BROKER_FLAGS, key: 'text', reason: 'text', code: 'text', yesIReadIt: 'text', json: 'switch' },
  async run({ arguments: [id = ''], flags, env, display: { zone } }) {
    const request = parseRequestId(id);
    const { reason } = flags;
    if (reason === undefined) throw new Problem('usage', '--reason is missing: it is signed and kept');
    const given = codeFlag(flags.code);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const view = await fetchRequest(broker, request);
      const code = given ?? (await missingCode('approve', view));
      const style = { zone, now: broker.clock.now() };
      // Before anything is asked, so that a reason that is too short is said first.
      const statement = prepareLoneApproval(view, {
        approver: broker.approver,
        broker: answeringName(view, broker),
        now: broker.clock.now(),
        reason,
        code,
      });
      await confirmRead('break the glass', view, flags.yesIReadIt, style);
      const armor = await broker.signer.sign('decision@countersign', statement);
      const status = await broker.client.call(requestStatusSchema, {
        method: 'POST',
        path: `/v1/requests/${request}/decisions`,
        body: { receipt: statement + armor },
      });
      if (flags.json) {
        printJson(statusOnWire(request, status));
        return 0;
      }
      print(`every approver is told; ${request} opens at ${shownTime(status.alone?.opensAt ?? 0, style)}`);
      tell('ask the door again then; anybody who denies it meanwhile ends it');
      return 0;
    });
  },
});
