import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseSignersFile } from '../../../src/ssh/signers-file.js';
import { eachOf } from './cases.js';
import { expectOpen, expectShut } from './door.js';
import { approved, reply } from './evil-broker.js';
import { BOB, CAROL, keys, receipt, signersFile } from './people.js';
import { onMachine } from './stage.js';

const VECTORS = fileURLToPath(new URL('../../fixtures/vectors/ssh/signers', import.meta.url));
const vectors = readFileSync(join(VECTORS, 'expected.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t') as [file: string, verdict: 'ok' | 'bad', line: string]);

onMachine('A door with a signers file that ssh-keygen would take', (stage) => {
  test('A57 the hook and the TypeScript parser refuse the same files, at the same line', async () => {
    expect(vectors.length).toBeGreaterThan(100);
    await eachOf(
      vectors,
      ([file]) => file,
      async ([file, verdict, line]) => {
        const text = readFileSync(join(VECTORS, file), 'latin1');
        const { door, broker } = await stage.door({ config: { 'shared-requester': 'accept' } });
        broker.conduct = { submit: (ask) => reply('denied', ask) };
        copyFileSync(join(VECTORS, file), door.file('signers'));
        const end = await door.login();
        if (verdict === 'ok') {
          expect(() => parseSignersFile(text)).not.toThrow();
          expectShut(end, 'denied');
        } else {
          expect(() => parseSignersFile(text)).toThrow(new RegExp(`line ${line}\\b`));
          expectShut(end, 'bad-signers');
          expect(end.output).toContain(`line ${line}:`);
          expect(broker.asks).toEqual([]);
        }
      },
    );
  });

  test('A57 a bad line keeps the door shut for a genuine receipt of another line too', async () => {
    const good = signersFile([BOB, CAROL]);
    const lines: string[] = [
      `* namespaces="decision@countersign" ${keys.stranger.line}\n`,
      `b?b namespaces="decision@countersign" ${keys.stranger.line}\n`,
      `!bob namespaces="decision@countersign" ${keys.stranger.line}\n`,
      `mallory cert-authority,namespaces="decision@countersign" ${keys.stranger.line}\n`,
      `mallory namespaces="*" ${keys.stranger.line}\n`,
      `mallory ${keys.stranger.line}\n`,
      `mallory namespaces="decision@countersign" ${keys.bob.line}\n`,
      `robert namespaces="decision@countersign" ${keys.stranger.line}\n`,
      `mallory namespaces="decision@countersign" ${keys.stranger.line}\r\n`,
      `mallory namespaces="decision@countersign" ${keys.stranger.line}`,
      'garbage\n',
      '\n',
      '\0',
    ];
    await eachOf(
      ['', ...lines],
      (line) => JSON.stringify(line),
      async (line) => {
        const { door } = await stage.approvedDoor({ config: { 'shared-requester': 'accept' } });
        writeFileSync(door.file('signers'), good + line);
        const end = await door.login();
        if (line === '') expectOpen(end);
        else expectShut(end, 'bad-signers');
        expect(door.uses).toBe(line === '' ? 1 : 0);
      },
    );
  });

  test('A57 a file that turns bad while the login waits keeps the door shut', async () => {
    const { door, broker } = await stage.door();
    broker.conduct = {
      redeem: (ask) => {
        writeFileSync(door.file('signers'), `* namespaces="decision@countersign" ${keys.stranger.line}\n`);
        return approved(ask, receipt(broker, ask));
      },
    };
    expectShut(await door.login(), 'bad-signers');
    expect(door.uses).toBe(0);
  });

  test('A57 keys of a file that was good once are not taken from memory', async () => {
    const { door } = await stage.approvedDoor({ config: { 'shared-requester': 'accept' } });
    expectOpen(await door.login());
    writeFileSync(door.file('signers'), signersFile([CAROL]));
    expectShut(await door.login(), 'unknown-approver');
    expect(door.uses).toBe(1);
  });
});
