import { Asker } from '../client/ask.js';
import { StandingAsks } from '../client/standing-asks.js';
import { answerOf, awaitAnswer } from './answer.js';
import { credentialOf, tellAsked } from './asking.js';
import { parseSeconds } from './duration.js';
import { whereFlags } from './invocation.js';
import { openBroker, withBroker } from './open-broker.js';
import { print, printJson } from './output.js';
import { QUESTION_FLAGS, questionOf } from './question.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

const FLAGS = {
  ...BROKER_FLAGS,
  ...QUESTION_FLAGS,
  wait: 'optional',
  automatic: 'switch',
  submitter: 'text',
  key: 'text',
  tokenFile: 'text',
  json: 'switch',
} as const;

export const verb = defineVerb({
  help: `
Ask for something. The same question again joins the request that stands. With
--wait it waits for the approver, uses the approval and exits with the answer;
checking the signatures of the receipts against a signers file, and opening or not,
is the work of a door.

Usage
  countersign request ACTION --resource R [--door D] [--requester N] [--detail K=V]…
                      [--wait[=TIME]]

Flags
  --resource R        what is to be opened
  --door D            the enforcement point that checks it (over the socket: demo)
  --requester N       who wants access (default: the submitter; over the socket: demo)
  --detail K=V        bound: what exactly is opened or run; can be given several times
  --reason TEXT       for the reader, not bound
  --ticket TEXT       for the reader, not bound
  --duration TIME     length of the work, from first use: 90, 15m, 2h (default none)
  --wait[=TIME]       wait for the answer, without a value as long as it can come
  --automatic         take an approval by the policy alone, which nobody has signed
  --submitter NAME    ask as this submitter, signed with --key FILE (COUNTERSIGN_KEY)
  --key FILE          the submitter's key
  --token-file FILE   ask with the token in this file, a bearer token or an OIDC token
                      (COUNTERSIGN_TOKEN, COUNTERSIGN_OIDC_TOKEN)
  --json              as JSON, with the receipts${BROKER_FLAGS_HELP}

Examples
  countersign request demo.hello --resource demo --reason "try it" --wait
  countersign request db.migrate --resource orders --door job:migrate --requester alice \\
    --submitter ci --key ci_key --detail commit=4f2a91c --reason CHG-118 \\
    --wait=15m --json > answer.json
`,
  arguments: ['ACTION'],
  flags: FLAGS,
  async run({ arguments: [action = ''], flags, env, display: { zone } }) {
    const patience = flags.wait === undefined ? null : patienceOf(flags.wait);
    return withBroker(openBroker(flags, env), async (broker) => {
      const credential = await credentialOf(flags, env, broker);
      const question = questionOf(action, flags, credential);
      const asks = new StandingAsks(broker.locations.state, broker.clock);
      const asker = new Asker(broker, asks, broker.clock);
      const asked = await asker.ask(question, credential);
      tellAsked(asked, { where: whereFlags(flags, env), style: { zone, now: broker.clock.now() } });
      if (patience === null) {
        if (flags.json) printJson(answerOf(asked));
        else print(asked.ask.id);
        return 0;
      }
      return awaitAnswer(asked.ask, {
        asker,
        asks,
        clock: broker.clock,
        patience,
        json: flags.json,
        automatic: flags.automatic,
        where: whereFlags(flags, env),
        detachOnInterrupt: true,
      });
    });
  },
});

const patienceOf = (wait: string | true): number =>
  wait === true ? Number.POSITIVE_INFINITY : parseSeconds(wait, '--wait') * 1000;
