import { formatAddress } from '../../client/address.js';
import {
  changeKeptLogs,
  type KeptHead,
  logsOf,
  readKeptLogs,
  standingFork,
  withAccepted,
} from '../../client/kept-heads.js';
import { forkWords } from '../../client/log-standing.js';
import { shownTime, type TimeStyle } from '../../client/shown-time.js';
import { type AuditHead, parseAuditHead } from '../../protocol/audit-head.js';
import { Problem } from '../../protocol/problems.js';
import { parseSignedText } from '../../protocol/receipt.js';
import { verifyAuditHead } from '../../ssh/audit-head.js';
import { answerTo } from '../decision.js';
import { openForReading, type ReadableBroker, withBroker } from '../open-broker.js';
import { exact, print, tell } from '../output.js';
import { fetchStatus } from '../status.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from '../verb.js';

export const acceptVerb = defineVerb({
  help: `
Accept the log of a broker as it is now, after it turned out not to be the one that
this machine saw: a back-up was restored, and everybody knows of it. Shows the head
that was kept and the one that the broker signs now, and asks. Both stay in the file of
kept heads, as evidence. Where nobody can say why the log changed, do not accept it.

Usage
  countersign audit accept [--head HASH]

Flags
  --head HASH     accept this head and no other, without asking: sha256:…
  --key FILE      sign in with this key (COUNTERSIGN_KEY)${BROKER_FLAGS_HELP}

Examples
  countersign audit accept
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', head: 'text' },
  async run({ flags, env, display: { zone } }) {
    return withBroker(openForReading(flags, env), async (broker) => {
      const { config } = broker.locations;
      const owner = { address: formatAddress(broker.client.address), pins: broker.pins };
      const logs = await readKeptLogs(config);
      const fork = standingFork(logs, owner);
      if (fork === null) {
        print('nothing to accept: no other log of this broker was seen here');
        return 0;
      }
      const kept = logsOf(logs, owner).heads.at(-1) ?? null;
      const now = await newestHead(broker, owner.address);
      const style = { zone, now: broker.clock.now() };
      print(`seen ${shownTime(fork.seen, style)}: ${forkWords(fork)}`);
      if (kept !== null) print(describe('kept here', kept, style));
      print(describe('then signed', headIn(fork.offered), style));
      print(describe('signed now', now, style));
      await confirm(now, flags.head);
      await changeKeptLogs(config, (current) => withAccepted(current, owner, now, broker.clock.now()));
      tell(`accepted: from entry ${now.seq} on the log is compared with this`);
      return 0;
    });
  },
});

/** @throws Problem `not-found` where the broker has signed none, `bad-signature` where another key signed it */
async function newestHead(broker: ReadableBroker, address: string): Promise<KeptHead> {
  const { head } = await fetchStatus(broker);
  if (head === null) {
    throw new Problem('not-found', 'the broker has signed no head of its log yet', {
      hint: 'try again in a minute',
    });
  }
  const signed = verifyAuditHead(head.text);
  if (!broker.pins.includes(signed.broker))
    throw new Problem(
      'bad-signature',
      `the head of the log is signed by ${signed.broker}, which is not pinned`,
    );
  return { ...signed, address, text: head.text, linked: false };
}

/** null where the broker sent something else than a head. */
function headIn(text: string): AuditHead | null {
  try {
    return parseAuditHead(parseSignedText(text).statement);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function describe(what: string, head: AuditHead | null, style: TimeStyle): string {
  const name = what.padEnd(13);
  if (head === null) return `${name}something that is no head`;
  const { seq, hash, signed, epoch, broker } = head;
  return [
    `${name}entry ${seq}, ${hash}`,
    `${''.padEnd(13)}signed ${shownTime(signed, style)}`,
    `${''.padEnd(13)}by ${exact(broker)}`,
    `${''.padEnd(13)}of the database ${epoch}`,
  ].join('\n');
}

async function confirm({ hash }: KeptHead, given: string | undefined): Promise<void> {
  if (given === hash) return;
  if (given !== undefined) {
    throw new Problem('shown-differs', 'the newest head of the log is not the one that you give', {
      hint: 'nothing was accepted',
    });
  }
  if (!process.stdin.isTTY) {
    throw new Problem('usage', 'there is no terminal to ask on', {
      hint: `nothing was accepted. Without a terminal: countersign audit accept --head ${hash}`,
    });
  }
  const answer = (await answerTo('Take the log as it is now for the right one? [y/N] ')).trim();
  if (answer === 'y' || answer === 'Y') return;
  throw new Problem('usage', 'nothing was accepted', { hint: 'the kept heads stay as they are' });
}
