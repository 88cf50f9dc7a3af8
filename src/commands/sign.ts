import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer as readStream } from 'node:stream/consumers';
import { ReadStream } from 'node:tty';
import { formatAddress, parseAddress } from '../client/address.js';
import { localFingerprint } from '../client/broker-identity.js';
import { systemClock } from '../client/clock.js';
import { readKnownBrokers } from '../client/known-brokers.js';
import { type Environment, type Locations, locate } from '../client/locations.js';
import { LONGEST_OFFLINE, prepareOfflineApproval } from '../client/offline-approval.js';
import { shownTime } from '../client/shown-time.js';
import { candidateKeys } from '../client/sign-in.js';
import { type BoundDocument, MAX_DOCUMENT_BYTES, parseDocument } from '../protocol/document.js';
import { asksNumber, type MatchedNumber, readTypedNumber } from '../protocol/matched-number.js';
import { type Fingerprint, isFingerprint, type Name, parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parseStrictJson } from '../protocol/strict-json.js';
import { type AvailableKey, resolveKey } from '../ssh/available-keys.js';
import { createKeySigner } from '../ssh/key-signer.js';
import { parseSignersFile, type Signer } from '../ssh/signers-file.js';
import { hasControllingTerminal } from './controlling-terminal.js';
import { confirmDigest } from './decision.js';
import { parseSeconds } from './duration.js';
import { keyOption } from './open-broker.js';
import { tell } from './output.js';
import { formatDocument } from './request-text.js';
import { signersPath } from './run-settings.js';
import { defineVerb, type FlagValues } from './verb.js';

const FLAGS = {
  approver: 'text',
  broker: 'text',
  url: 'text',
  dir: 'text',
  code: 'text',
  comment: 'text',
  for: 'text',
  key: 'text',
  yesIReadIt: 'text',
} as const;

export const verb = defineVerb({
  help: `
Sign yes to the document of a door whose broker cannot be reached: for this one ask,
once, for at most 15 minutes. The whole document is shown; typing the first
characters of its digest confirms that it was read. Nothing is sent anywhere: the
receipt is printed, and root of that host puts it into a file of the directory that
its configuration names (offline=/DIR). The door counts people as ever.

Usage
  countersign sign FILE
  countersign sign -

Flags
  --approver NAME  under which name the signers file of that door has your key
                   (default: as your own signers file has it)
  --broker KEY     fingerprint of the broker's key that the door pins
                   (default: the one that is pinned here)
  --url ADDRESS    the broker that is pinned under this address (COUNTERSIGN_URL)
  --dir DIR        the broker of this data directory (COUNTERSIGN_DIR)
  --for TIME       for how long it is good: 90, 15m (default: 15m, which is the most)
  --code DIGITS    the number that the requester was shown, where the door has one
  --comment TEXT   signed and kept
  --key FILE       sign with this key (COUNTERSIGN_KEY)
  --yes-i-read-it DIGEST
                   without a terminal: the digest of what you read

Examples
  countersign sign - --approver bob
  countersign sign document.json --comment "INC-4312, by telephone" > bob.receipt
`,
  arguments: ['FILE'],
  flags: FLAGS,
  async run({ arguments: [file = ''], flags, env, display: { zone } }) {
    const locations = locate(flags, env);
    const broker = await pinnedBroker(flags, env, locations);
    const bound = await readDocument(file);
    const { key, approver } = await findSigner(flags, env, locations);
    const now = systemClock.now();
    const statement = prepareOfflineApproval(bound, {
      approver,
      broker,
      code: codeFor(bound, flags.code),
      comment: flags.comment ?? '',
      now,
      validity: flags.for === undefined ? LONGEST_OFFLINE : parseSeconds(flags.for, '--for'),
    });
    await confirm(bound, flags.yesIReadIt, [
      formatDocument(bound),
      `signed as  ${approver}`,
      `broker     ${broker}`,
      `good for   one use, until ${shownTime(Date.parse(notAfterOf(statement)), { zone, now })}`,
    ]);
    // Standard input is where the document came from: ssh-keygen asks on the terminal itself.
    const withTerminal = hasControllingTerminal() ? <T>(work: () => Promise<T>) => work() : undefined;
    const armor = await createKeySigner(key, { env, withTerminal }).sign('decision@countersign', statement);
    process.stdout.write(statement + armor);
    tell('nothing was sent: root of that host puts this into a file of the directory of its offline= line');
    return 0;
  },
});

type SignFlags = FlagValues<typeof FLAGS>;

const notAfterOf = (statement: string): string => /^not-after: (.+)$/m.exec(statement)?.[1] ?? '';

/** @throws Problem `malformed-json`, `malformed-document`, `body-too-large` */
async function readDocument(file: string): Promise<BoundDocument> {
  if (file === '-' && process.stdin.isTTY)
    tell('paste the line that the door printed, then Enter and Ctrl-D');
  const bytes = file === '-' ? await readStream(process.stdin) : await readFile(file);
  // What stands around it, and a line end.
  if (bytes.length > 2 * MAX_DOCUMENT_BYTES)
    throw new Problem('body-too-large', 'that is larger than any document');
  return parseDocument(parseStrictJson(bytes));
}

/** Whom the door knows as broker, from what was pinned here before: nobody can be asked now. */
async function pinnedBroker(
  flags: SignFlags,
  env: Environment,
  { config, data }: Locations,
): Promise<Fingerprint> {
  if (flags.broker !== undefined) {
    if (isFingerprint(flags.broker)) return flags.broker;
    throw new Problem('usage', '--broker is not a fingerprint like SHA256:…');
  }
  const known = await readKnownBrokers(config);
  const url = flags.url ?? (flags.dir === undefined ? env.COUNTERSIGN_URL || undefined : undefined);
  const local = url === undefined ? await localFingerprint(data) : null;
  const pins =
    url === undefined ? [...known.values()].flat() : (known.get(formatAddress(parseAddress(url))) ?? []);
  const fingerprints = local === null ? [...new Set(pins.map(({ fingerprint }) => fingerprint))] : [local];
  const [only] = fingerprints;
  if (only !== undefined && fingerprints.length === 1) return only;
  const hint = 'name it with --broker: it stands in the line fingerprint= of the door';
  if (only === undefined) throw new Problem('usage', 'no key of that broker is pinned here', { hint });
  throw new Problem('usage', `more than one key of a broker is pinned here: ${fingerprints.join(' ')}`, {
    hint,
  });
}

async function findSigner(
  flags: SignFlags,
  env: Environment,
  { config }: Locations,
): Promise<{ readonly key: AvailableKey; readonly approver: Name }> {
  const text = await readFile(signersPath(config), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const signers = text === null ? [] : parseSignersFile(text);
  const key = await findKey(keyOption(flags, env), env, config, signers);
  const approver =
    flags.approver === undefined ? ownerOf(key, signers)?.name : parseName(flags.approver, '--approver');
  if (approver !== undefined) return { key, approver };
  throw new Problem('usage', '--approver is missing: the name under which the door knows your key');
}

/** Without a broker nobody says which key is enrolled: the first that the own signers file has, else the first. */
async function findKey(
  option: string | undefined,
  env: Environment,
  config: string,
  signers: readonly Signer[],
): Promise<AvailableKey> {
  if (option !== undefined) return resolveKey(option, env);
  const keys = await candidateKeys(env, config);
  const key = keys.find((candidate) => ownerOf(candidate, signers) !== undefined) ?? keys[0];
  if (key === undefined) throw new Problem('no-key', 'there is no key in the agent and none in ~/.ssh');
  return key;
}

const ownerOf = ({ publicKey }: AvailableKey, signers: readonly Signer[]): Signer | undefined =>
  signers.find(({ keys }) => keys.some(({ key }) => key.base64 === publicKey.base64));

function codeFor({ document }: BoundDocument, text: string | undefined): MatchedNumber | null {
  const code = text === undefined ? null : readTypedNumber(text);
  if (text !== undefined && code === null) throw new Problem('usage', '--code is not six digits');
  if (asksNumber(document) && code === null) {
    throw new Problem('usage', '--code is missing: this door shows a number to whoever asks', {
      hint: 'ask the requester, by voice, for the six digits on the screen',
    });
  }
  return code;
}

async function confirm(
  bound: BoundDocument,
  given: string | undefined,
  shown: readonly string[],
): Promise<void> {
  if (given !== undefined) {
    if (given === bound.digest) return;
    throw new Problem('shown-differs', 'the digest that you give is not the one of this document', {
      hint: 'nothing was signed',
    });
  }
  if (!hasControllingTerminal()) {
    throw new Problem('usage', 'there is no terminal to confirm on', {
      hint: 'read the document, then give --yes-i-read-it DIGEST',
    });
  }
  process.stderr.write(`${shown.join('\n')}\n\n`);
  const terminal = new ReadStream(openSync('/dev/tty', 'r+'));
  try {
    await confirmDigest('sign', bound.digest, terminal);
  } finally {
    terminal.destroy();
  }
}
