import { isName, type Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { EpochMs } from '../protocol/time.js';
import { formatPublicKey, type PublicKey, parsePublicKeyLine } from './public-key.js';

/** One key of a person, with the first and the last second in which it may sign; null is no limit. */
export interface SignerKey {
  readonly key: PublicKey;
  readonly validAfter: Date | null;
  readonly validBefore: Date | null;
}

/** One person of a signers file: all lines that begin with the same NAME. */
export interface Signer {
  readonly name: Name;
  /** Further names of the same person, in the order of the file. */
  readonly aliases: readonly string[];
  /** Groups without their `group:`, in the order of the file. */
  readonly groups: readonly string[];
  readonly keys: readonly SignerKey[];
}

interface Entry {
  readonly line: number;
  readonly principals: string;
  readonly signer: Signer;
}

const GROUP = 'group:';
const GROUP_PRINCIPAL = /^group:[a-z0-9._@:+-]{1,122}$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const LINE = /^([^ ]+) ([^ ]+) ([^ ]+ [^ ]+)$/;
const NAMESPACES = 'namespaces="decision@countersign"';
const OPTIONS = /^namespaces="decision@countersign"(?:,valid-after="([^"]*)")?(?:,valid-before="([^"]*)")?$/;
/** From the year 2000 on: before 1970 ssh-keygen takes no time, and a key of ours is not that old. */
const TIMESTAMP = /^(2[0-9]{3})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z$/;

/**
 * Parses the strict subset of the ALLOWED SIGNERS format of ssh-keygen(1) that a door takes. Each line ends with LF,
 * holds printable ASCII only, and is either a comment that begins with `#`, or
 *
 *     NAME[,ALIAS…][,group:G…] namespaces="decision@countersign"[,valid-after="T"][,valid-before="T"] TYPE BASE64
 *
 * with single spaces, where T is `YYYYMMDDHHMMSSZ` from the year 2000 on. There are no blank lines. A key stands once in
 * the file, all lines of a person have equal principals, and a NAME or alias belongs to one person. At least one line
 * names a signer. The shell of the doors reads the same language: test/fixtures/vectors/ssh/signers holds both to it.
 *
 * @throws Problem `malformed-signers-file` that names the first bad line and the reason
 */
export function parseSignersFile(text: string): readonly Signer[] {
  const lines = text.split('\n');
  const unended = lines.pop();
  const people = new Map<string, [Entry, ...Entry[]]>();
  const owners = new Map<string, string>();
  const keyLines = new Map<string, number>();
  for (const [index, content] of lines.entries()) {
    const entry = parseLine(content, index + 1);
    if (entry === null) continue;
    const { line, signer } = entry;
    for (const { key } of signer.keys) {
      const keyLine = keyLines.get(key.base64);
      if (keyLine !== undefined) throw badLine(line, `the key stands in line ${keyLine} already`);
      keyLines.set(key.base64, line);
    }
    const earlier = people.get(signer.name);
    if (earlier !== undefined) {
      if (entry.principals !== earlier[0].principals)
        throw badLine(line, `the principals of ${signer.name} differ from line ${earlier[0].line}`);
      earlier.push(entry);
      continue;
    }
    for (const name of [signer.name, ...signer.aliases]) {
      const owner = owners.get(name);
      if (owner !== undefined) throw badLine(line, `${name} belongs to ${owner} already`);
      owners.set(name, signer.name);
    }
    people.set(signer.name, [entry]);
  }
  if (unended !== '') throw badLine(lines.length + 1, 'the line does not end with LF');
  if (people.size === 0) throw badLine(Math.max(1, lines.length), 'the file names no signer');
  return [...people.values()].map((entries) => ({
    ...entries[0].signer,
    keys: entries.flatMap(({ signer }) => signer.keys),
  }));
}

/**
 * Writes a signers file that `parseSignersFile` takes; milliseconds are cut off. A person without keys has no line.
 *
 * @throws Problem `malformed-signers-file` if the signers break a rule of the file, or nobody has a key
 */
export function formatSignersFile(signers: readonly Signer[]): string {
  const text = signers.flatMap(({ keys, ...person }) => keys.map((key) => formatLine(person, key))).join('');
  parseSignersFile(text);
  return text;
}

/**
 * Says whether a key may sign now, to the second as ssh-keygen does: both ends are included.
 *
 * @throws Problem `key-not-yet-valid`, `key-expired`
 */
export function checkSignerAt({ key, validAfter, validBefore }: SignerKey, now: EpochMs): void {
  const second = Math.floor(now / 1000) * 1000;
  if (validAfter !== null && !(second >= validAfter.getTime()))
    throw new Problem(
      'key-not-yet-valid',
      `${key.fingerprint} is valid after ${formatTimestamp(validAfter)}`,
    );
  if (validBefore !== null && !(second <= validBefore.getTime()))
    throw new Problem('key-expired', `${key.fingerprint} was valid before ${formatTimestamp(validBefore)}`);
}

function parseLine(text: string, line: number): Entry | null {
  if (!PRINTABLE_ASCII.test(text))
    throw badLine(line, 'a byte is not printable ASCII (lines end with LF alone)');
  if (text.startsWith('#')) return null;
  const [, principals = '', options = '', keyText = ''] = LINE.exec(text) ?? [];
  if (keyText === '') throw badLine(line, 'not PRINCIPALS OPTIONS TYPE BASE64 with single spaces');
  const validity = parseOptions(options, line);
  const signer = {
    ...parsePrincipals(principals, line),
    keys: [{ key: parseKey(keyText, line), ...validity }],
  };
  return { line, principals, signer };
}

function parsePrincipals(principals: string, line: number): Omit<Signer, 'keys'> {
  const all = principals.split(',');
  if (new Set(all).size < all.length) throw badLine(line, 'a principal stands twice in the line');
  const firstGroup = all.findIndex((principal) => principal.startsWith(GROUP));
  const names = firstGroup < 0 ? all : all.slice(0, firstGroup);
  const groups = all.slice(names.length);
  if (!names.every(isName) || !groups.every((group) => GROUP_PRINCIPAL.test(group)))
    throw badLine(line, 'a principal is not a literal name, or a group stands before a name');
  const [name, ...aliases] = names;
  if (name === undefined) throw badLine(line, 'the line begins with a group instead of a name');
  return { name, aliases, groups: groups.map((group) => group.slice(GROUP.length)) };
}

function parseOptions(options: string, line: number): Pick<SignerKey, 'validAfter' | 'validBefore'> {
  const match = OPTIONS.exec(options);
  if (match === null)
    throw badLine(line, `the options are not ${NAMESPACES}[,valid-after="T"][,valid-before="T"]`);
  const [validAfter, validBefore] = match.slice(1).map((time) => parseTimestamp(time, line));
  if (validAfter && validBefore && validBefore <= validAfter)
    throw badLine(line, 'valid-before is not later than valid-after');
  return { validAfter: validAfter ?? null, validBefore: validBefore ?? null };
}

function parseTimestamp(text: string | undefined, line: number): Date | null {
  if (text === undefined) return null;
  const time = new Date(text.replace(TIMESTAMP, '$1-$2-$3T$4:$5:$6Z'));
  // Dates that no calendar has come out as another date or none.
  if (!TIMESTAMP.test(text) || Number.isNaN(time.getTime()) || formatTimestamp(time) !== text)
    throw badLine(line, 'a time is not a date of the calendar in the form YYYYMMDDHHMMSSZ');
  return time;
}

function parseKey(text: string, line: number): PublicKey {
  try {
    return parsePublicKeyLine(text);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw badLine(line, error.message, error);
  }
}

function formatLine(person: Omit<Signer, 'keys'>, { key, validAfter, validBefore }: SignerKey): string {
  const principals = [person.name, ...person.aliases, ...person.groups.map((group) => GROUP + group)];
  const options = [NAMESPACES];
  if (validAfter !== null) options.push(`valid-after="${formatTimestamp(validAfter)}"`);
  if (validBefore !== null) options.push(`valid-before="${formatTimestamp(validBefore)}"`);
  return `${principals.join(',')} ${options.join(',')} ${formatPublicKey(key)}\n`;
}

const formatTimestamp = (time: Date): string =>
  `${time
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, '')}Z`;

function badLine(line: number, reason: string, cause?: unknown): Problem {
  return new Problem('malformed-signers-file', `line ${line}: ${reason}`, { cause });
}
