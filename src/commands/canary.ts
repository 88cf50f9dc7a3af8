import { Asker, type Question, type SubmitCredential } from '../client/ask.js';
import { askingName } from '../client/broker-identity.js';
import { redeemPatiently } from '../client/patient-redeem.js';
import { type StandingAsk, StandingAsks } from '../client/standing-asks.js';
import { canaryNonce, canarySecret } from '../protocol/canary.js';
import { scopeOf } from '../protocol/document.js';
import { Problem } from '../protocol/problems.js';
import type { RequestStatus } from '../protocol/request-view.js';
import { askedLine, credentialOf } from './asking.js';
import type { ExitCode } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { type OpenBroker, openBroker, withBroker } from './open-broker.js';
import { exact, print, printed, printJson, tell } from './output.js';
import { QUESTION_FLAGS, questionOf } from './question.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Ask for something that nobody needs, to see whether approvers read what they sign.
It looks like any other request. Once it is answered, or at Ctrl-C, it is revealed,
signed with the submitter's key: an approval ends before anything can be opened
with it, and whoever decided is told. Each approver sees how he did, and nobody else.

Usage
  countersign canary ACTION --resource R --door D --requester N
                     --submitter NAME --key FILE
                     [--detail K=V]… [--reason TEXT] [--ticket TEXT] [--duration TIME]

Flags
  --resource R        what is asked for
  --door D            a door that the approvers know; it never hears of the canary
  --requester N       in whose name (default: the submitter)
  --detail K=V        what exactly would be opened or run; can be given several times
  --reason TEXT       for the reader: a reader should find it wrong
  --ticket TEXT       for the reader
  --duration TIME     length of the work: 90, 15m, 2h (default none)
  --submitter NAME    who asks; nobody else can reveal it. It must be enrolled for
                      canaries: see countersign submitter add
  --key FILE          the submitter's key (COUNTERSIGN_KEY)
  --json              as JSON${BROKER_FLAGS_HELP}

Exit: 0 denied (caught), 4 approved (and taken back at once), 3 nobody answered.

Examples
  countersign canary ssh.login --resource db-1.example.com --door host:db-1.example.com \\
    --requester alice --submitter host-db-1 --key /etc/ssh/ssh_host_ed25519_key \\
    --reason "printer is out of paper"
`,
  arguments: ['ACTION'],
  flags: { ...BROKER_FLAGS, ...QUESTION_FLAGS, submitter: 'text', key: 'text', json: 'switch' },
  async run({ arguments: [action = ''], flags, env, display: { zone } }) {
    return withBroker(openBroker(flags, env), async (broker) => {
      const credential = await credentialOf({ ...flags, tokenFile: undefined }, env, broker);
      if (credential.kind !== 'key') {
        throw new Problem('usage', 'a canary is revealed with the key of its submitter', {
          hint: 'give --submitter NAME --key FILE of a submitter that signs',
        });
      }
      const { clock } = broker;
      const asks = new StandingAsks(broker.locations.state, clock);
      const asker = new Asker(broker, asks, clock);
      const question = questionOf(action, flags, credential);
      const ask = await askedBefore(asks, broker, question);
      const standing = ask ?? (await askNow(asker, question, credential, { zone, broker }));
      const waited = await interruptible((signal) => {
        tell('waiting for the answer; Ctrl-C reveals it now');
        const onLost = (): void => tell('lost the broker; trying again');
        const patience = Number.POSITIVE_INFINITY;
        return redeemPatiently(standing, { asker, asks, clock, patience, onLost, signal, how: 'look' });
      });
      const status = await asker.reveal(standing, credential).catch(async (error: unknown) => {
        if (error instanceof Problem && error.code === 'canaries-not-allowed') {
          await takeBack(asker, standing).catch(() => {
            throw error;
          });
          await asks.forget(standing);
        }
        throw error;
      });
      await asks.forget(standing);
      const result = resultOf(status);
      if (flags.json) printJson({ id: standing.id, ...result });
      else print(`${standing.id} ${wordsOf(result)}`);
      if (waited.interrupted !== null) {
        await printed();
        process.kill(process.pid, waited.interrupted);
      }
      return EXITS[result.result];
    });
  },
});

/** It stands as a real request then, which nobody waits for: an approval of it is used up, and nothing opened with it. */
async function takeBack(asker: Asker, standing: StandingAsk): Promise<void> {
  const { status } = await asker.look(standing, 1);
  if (status.state !== 'approved') {
    await asker.detach(standing, { cancel: true });
    return;
  }
  await asker.redeem(standing, 1);
  await asker.report(standing, 'refused', 'canaries-not-allowed');
}

/** What became of a canary, and by whom. */
interface CanaryResult {
  readonly result: 'caught' | 'missed' | 'unanswered';
  readonly by: readonly string[];
}

const EXITS: Readonly<Record<CanaryResult['result'], ExitCode>> = { caught: 0, unanswered: 3, missed: 4 };

/** One approval is a miss, whatever others said: with it the next one might have opened. */
function resultOf({ votes }: RequestStatus): CanaryResult {
  const by = (verdict: 'approve' | 'deny'): readonly string[] =>
    votes.filter((vote) => vote.verdict === verdict).map(({ approver }) => approver);
  const missed = by('approve');
  if (missed.length > 0) return { result: 'missed', by: missed };
  const caught = by('deny');
  return caught.length > 0 ? { result: 'caught', by: caught } : { result: 'unanswered', by: [] };
}

function wordsOf({ result, by }: CanaryResult): string {
  const names = by.map(exact).join(', ');
  if (result === 'caught') return `caught: denied by ${names}`;
  if (result === 'missed') return `missed: approved by ${names}; the approval is taken back`;
  return 'nobody answered; it is taken back';
}

/** The canary that a former call of the same question did not come to reveal. */
async function askedBefore(
  asks: StandingAsks,
  broker: OpenBroker,
  question: Question,
): Promise<StandingAsk | null> {
  const standing = await asks.find(askingName(broker), question);
  if (standing === null) return null;
  const { document, claim, id } = standing;
  if (document.nonce === canaryNonce(canarySecret(claim), scopeOf(document))) return standing;
  throw new Problem('usage', `the same question stands as a real one: ${id}`, {
    hint: `take it back first: countersign cancel ${id}`,
  });
}

async function askNow(
  asker: Asker,
  question: Question,
  credential: SubmitCredential,
  { zone, broker }: { zone: string; broker: OpenBroker },
): Promise<StandingAsk> {
  const scope = scopeOf(question);
  const asked = await asker.ask(question, credential, null, undefined, (claim) =>
    canaryNonce(canarySecret(claim), scope),
  );
  tell(askedLine(asked, { zone, now: broker.clock.now() }));
  return asked.ask;
}
