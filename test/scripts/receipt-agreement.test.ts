import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../src/protocol/problems.js';
import { parseReceipts } from '../../src/protocol/receipt.js';
import { parseTextReply } from '../../src/protocol/text-reply.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { inDoor, lines, VECTORS } from './door-shell.js';
import { MemoryKey, mutatedReceipts } from './receipt-mutations.js';

/** COUNTERSIGN_RECEIPT_MUTATIONS=1000000 is the full mode; it takes about half an hour. */
const COUNT = Number(process.env.COUNTERSIGN_RECEIPT_MUTATIONS ?? 400);
const BATCH = 20_000;
const SEED = Number(process.env.COUNTERSIGN_RECEIPT_SEED ?? 59);
const HEAD = `countersign/1 approved 01J00000000000000000000000
watch: ${'w'.repeat(43)}
code: -
answer-by: -
claim-by: -
hint: -

`;

const STATEMENTS = readdirSync(`${VECTORS}/protocol/receipts`)
  .filter((file) => file.startsWith('ok-'))
  .map((file) => readFileSync(`${VECTORS}/protocol/receipts/${file}`, 'latin1').split('-----BEGIN')[0] ?? '');

/** Whether the shell and TypeScript take each text, as the end of a reply. */
function taken(receipts: readonly string[], directory: string): { shell: string[]; typeScript: string[] } {
  // From a file: a shell reads a pipe byte by byte.
  const script = `while IFS= read -r -d '' text; do
  printf '%s%s' "$2" "$text" >"$1/reply"
  if parse_reply "$1/reply"; then echo "\${#receipt_statement[@]}"; else echo bad; fi
done <"$1/receipts"`;
  writeFileSync(join(directory, 'receipts'), receipts.map((text) => `${text}\0`).join(''), 'latin1');
  const shell = lines(inDoor(script, { args: [directory, HEAD] }));
  const typeScript = receipts.map((text) => {
    try {
      return String(parseTextReply(HEAD + Buffer.from(text, 'latin1').toString('utf8')).receipts.length);
    } catch (error) {
      if (error instanceof Problem) return 'bad';
      throw error;
    }
  });
  return { shell, typeScript };
}

describe('receipts in the shell and in TypeScript', () => {
  let directory: string;
  const key = new MemoryKey();
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'receipts-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test(
    `${COUNT} mutated receipts get the same verdict in both (A59)`,
    () => {
      const mutations = mutatedReceipts(STATEMENTS, key, SEED);
      let good = 0;
      for (let done = 0; done < COUNT; done += BATCH) {
        const batch = Array.from(
          { length: Math.min(BATCH, COUNT - done) },
          () => mutations.next().value as string,
        );
        const { shell, typeScript } = taken(batch, directory);
        expect(shell.length).toBe(batch.length);
        const differs = batch.findIndex((_, index) => shell[index] !== typeScript[index]);
        expect([batch[differs], shell[differs]]).toEqual([batch[differs], typeScript[differs]]);
        good += typeScript.filter((verdict) => verdict !== 'bad').length;
      }
      // Both verdicts occur often enough for their equality to say something.
      expect(good).toBeGreaterThan(COUNT / 20);
      expect(good).toBeLessThan(COUNT / 2);
    },
    2 ** 31 - 1,
  );

  test('receipts with a mutated signature are verified by both or by neither (A23, A59)', () => {
    const statement = STATEMENTS[0]?.replace(/^approver: .*$/m, 'approver: bob') ?? '';
    const armor = key.sign(statement);
    const mutations = mutatedReceipts([armor], key, SEED);
    const receipts = [
      statement + armor,
      statement + key.sign(statement, 'git'),
      statement + key.sign(`${statement}\n`),
      statement + new MemoryKey().sign(statement),
      ...Array.from(
        { length: 60 },
        () => statement + (mutations.next().value as string).slice(0, armor.length),
      ),
    ];
    writeFileSync(join(directory, 'signers'), `bob namespaces="decision@countersign" ${key.line}\n`);
    const script = `run=$1/run
parse_signers "$1/signers" || exit 1
while IFS= read -r -d '' text; do
  printf '%s%s' "$2" "$text" >"$1/reply"
  if parse_reply "$1/reply" && (verify_signature 0) >/dev/null 2>&1; then echo good; else echo bad; fi
done`;
    const input = Buffer.from(receipts.map((text) => `${text}\0`).join(''), 'latin1');
    const shell = lines(inDoor(script, { input, args: [directory, HEAD] }));
    const typeScript = receipts.map((text) => {
      try {
        const [receipt, ...others] = parseReceipts(text);
        if (receipt === undefined || others.length > 0) return 'bad';
        const signed = verifySignature(receipt.statement, receipt.armor, 'decision@countersign');
        return `${signed.key.type} ${signed.key.base64}` === key.line ? 'good' : 'bad';
      } catch (error) {
        if (error instanceof Problem) return 'bad';
        throw error;
      }
    });
    expect(shell).toEqual(typeScript);
    expect(shell.slice(0, 4)).toEqual(['good', 'bad', 'bad', 'bad']);
  });
});
