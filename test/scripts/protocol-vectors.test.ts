import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inDoor, lines, VECTORS } from './door-shell.js';

const rows = (file: string): string[][] =>
  readFileSync(join(VECTORS, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

/** Reads a file as the end of a reply is read: printable ASCII, LF at the end, then receipts. */
const READ_RECEIPT = `read_receipt() {
  local text='' lines=()
  IFS= read -r -d '' text <"$1" && return 1
  [[ $text == *$'\\n' && $text != *[!$'\\n'\\ -~]* ]] || return 1
  mapfile -t lines <<<"\${text%$'\\n'}"
  parse_receipts "\${lines[@]}" && ((\${#receipt_statement[@]} == 1))
}`;

describe('the shared vectors in the shell', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'vectors-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('replies (A52)', () => {
    const expected = rows('protocol/replies/expected.tsv');
    const script = `while IFS= read -r file; do parse_reply "$1/$file" && echo ok || echo bad; done`;
    const input = expected.map(([file]) => `${file}\n`).join('');
    const found = lines(inDoor(script, { input, args: [`${VECTORS}/protocol/replies`] }));
    expect(expected.map(([file], index) => [file, found[index]])).toEqual(
      expected.map(([file, verdict]) => [file, verdict === 'ok' ? 'ok' : 'bad']),
    );
  });

  test('receipts, read and verified by a key of one person (A23, A59)', () => {
    const expected = rows('protocol/receipts/expected.tsv');
    const script = `${READ_RECEIPT}
run=$2/run known_keys_file=$2/known-keys
parse_signers "$1/signers.txt" || exit 1
while IFS= read -r file; do
  read_receipt "$1/$file" || { echo unreadable; continue; }
  # The vectors ask whether the key is right; whose it is stands in the next test.
  receipt_approver=("\${signer_names[0]}")
  (verify_signature 0) >/dev/null && echo ok || echo bad
done`;
    const folder = `${VECTORS}/protocol/receipts`;
    const input = expected.map(([file]) => `${file}\n`).join('');
    const found = lines(inDoor(script, { input, args: [folder, directory] }));
    const verdict = (word = ''): string => {
      if (word === 'ok') return 'ok';
      return word === 'malformed-receipt' || word === 'malformed-statement' ? 'unreadable' : 'bad';
    };
    expect(expected.map(([file], index) => [file, found[index]])).toEqual(
      expected.map(([file, word]) => [file, verdict(word)]),
    );
  });

  test('signatures, with and without a demand for touch (A58)', () => {
    const expected = rows('ssh/signatures/expected.tsv');
    const folder = `${VECTORS}/ssh/signatures`;
    const script = `run=$2/run known_keys_file=$2/known-keys
parse_signers "$1/signers.txt" || exit 1
IFS= read -r -d '' message <"$1/message.txt"
while read -r file name; do
  text='' receipt_armor=() receipt_statement=("$message") receipt_approver=("$name")
  IFS= read -r -d '' text <"$1/$file" && text=NUL
  mapfile -t lines <"$1/$file"
  if [[ $text != *$'\\n' || $text == *[!$'\\n'\\ -~]* ]] || ! take_armor "\${lines[@]}" || ((armor_lines != \${#lines[@]})); then
    echo bad bad
    continue
  fi
  for touch in no yes; do config[touch]=$touch; (verify_signature 0) >/dev/null && printf ok || printf bad; printf ' '; done
  echo
done`;
    const found = lines(
      inDoor(script, {
        input: expected.map(([file, , name]) => `${file} ${name}\n`).join(''),
        args: [folder, directory],
      }),
    );
    expect(expected.map(([file], index) => [file, found[index]?.trim()])).toEqual(
      expected.map(([file, verdict, , presence]) => {
        const holds = verdict === 'ok' ? 'ok' : 'bad';
        return [file, `${holds} ${presence === '1' ? 'ok' : 'bad'}`];
      }),
    );
  });

  test('documents that a door can write come to the same bytes, digest and scope', () => {
    interface Vector {
      readonly name: string;
      readonly canonical?: string;
      readonly digest?: string;
      readonly scope?: string;
    }
    const vectors: Vector[] = JSON.parse(readFileSync(`${VECTORS}/protocol/documents.json`, 'utf8'));
    const own = vectors.flatMap((vector) => {
      if (vector.canonical === undefined) return [];
      const document = JSON.parse(vector.canonical) as Record<string, unknown>;
      const isOurs =
        JSON.stringify(document.context) === '{}' &&
        document.duration === 0 &&
        document.details !== undefined;
      const details = /"details":(.*),"door":/s.exec(vector.canonical)?.[1] ?? '';
      return isOurs && vector.canonical.startsWith('{"action":') ? [{ ...vector, document, details }] : [];
    });
    expect(own.length).toBeGreaterThan(3);
    const script = `run=$1/run
while IFS= read -r -d '' action && IFS= read -r -d '' requester && IFS= read -r -d '' details &&
  IFS= read -r -d '' door && IFS= read -r -d '' resource && IFS= read -r -d '' nonce; do
  config[door]=$door config[resource]=$resource
  describe "$action" "$requester" "$details"
  compose "$nonce"
  printf '%s\\0' "$document" "$request" "$scope"
done`;
    const input = own
      .flatMap(({ document: { action, requester, door, resource, nonce }, details }) => [
        ...[action, requester, details, door, resource, nonce],
      ])
      .map((text) => `${text}\0`)
      .join('');
    const found = inDoor(script, { input, args: [directory] })
      .stdout.split('\0')
      .slice(0, -1);
    expect(found.map((text) => Buffer.from(text, 'latin1').toString('utf8'))).toEqual(
      own.flatMap(({ canonical, digest, scope }) => [canonical, digest, scope]),
    );
  });
});
