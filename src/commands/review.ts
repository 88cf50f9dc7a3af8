import { answeringName, prepareReview } from '../client/decide.js';
import { shownTime } from '../client/shown-time.js';
import { parseRequestId } from '../protocol/names.js';
import { requestStatusSchema } from '../protocol/request-view.js';
import { confirmRead } from './decision.js';
import { openAsApprover, withBroker } from './open-broker.js';
import { exact, print, printJson } from './output.js';
import { fetchRequest } from './show.js';
import { fetchStatus } from './status.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Look at what somebody opened alone (break-glass), and sign that you did. Without an
ID: list what is still to be looked at. Two people other than the requester close it.

Usage
  countersign review [--json]
  countersign review ID [--comment TEXT]

Flags
  --comment TEXT  what you found; signed and kept
  --yes-i-read-it DIGEST
                  without a terminal: the digest of what you read
  --key FILE      sign with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign review
  countersign review 01KB2X6C9V4T7M3N8QZ5R0EWHD --comment "seen in the log of db-2"
`,
  arguments: ['ID?'],
  flags: { ...BROKER_FLAGS, key: 'text', comment: 'text', yesIReadIt: 'text', json: 'switch' },
  async run({ arguments: [id], flags, env, display: { zone } }) {
    const request = id === undefined ? null : parseRequestId(id);
    return withBroker(openAsApprover(flags, env), async (broker) => {
      const style = { zone, now: broker.clock.now() };
      const reviews = async () => (await fetchStatus(broker)).reviews;
      if (request === null) {
        const open = await reviews();
        if (flags.json) printJson({ reviews: open });
        else if (open.length === 0) print('nothing to review');
        else {
          print(
            formatTable([
              ['ID', 'OPENED', 'REQUESTER', 'RESOURCE', 'LOOKED AT BY'],
              ...open.map(({ request: opened, openedAt, requester, resource, signed }) => [
                opened,
                shownTime(openedAt, style),
                exact(requester),
                exact(resource),
                signed.map(exact).join(', '),
              ]),
            ]),
          );
        }
        return 0;
      }
      const view = await fetchRequest(broker, request);
      await confirmRead('sign that you looked at this', view, flags.yesIReadIt, style);
      const statement = prepareReview(view, {
        approver: broker.approver,
        broker: answeringName(view, broker),
        now: broker.clock.now(),
        comment: flags.comment ?? '',
      });
      const armor = await broker.signer.sign('review@countersign', statement);
      await broker.client.call(requestStatusSchema, {
        method: 'POST',
        path: `/v1/requests/${request}/reviews`,
        body: { statement: statement + armor },
      });
      const isOpen = (await reviews()).some((open) => open.request === request);
      if (flags.json) printJson({ id: request, open: isOpen });
      else
        print(
          isOpen ? `signed; somebody else must look at ${request} too` : `signed; ${request} is reviewed`,
        );
      return 0;
    });
  },
});
