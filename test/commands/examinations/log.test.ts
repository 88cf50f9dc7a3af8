import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { changeKeptLogs, keptHeadsPath, withHead } from '../../../src/client/kept-heads.js';
import { examineLog, logFacts } from '../../../src/commands/examinations/log.js';
import { verifyAuditHead } from '../../../src/ssh/audit-head.js';
import { PaperLog } from '../../client/paper-log.js';
import { temporaryDirectory } from '../../ssh/openssh.js';

const address = 'https://approvals.example.com';

/** A log of ten entries that was seen here, and what doctor says of it as it is then. */
async function seen() {
  const log = new PaperLog(10);
  const config = temporaryDirectory();
  const owner = { address, pins: [log.fingerprint] };
  const head = { ...verifyAuditHead(log.head()), address, text: log.head(), linked: true };
  await changeKeptLogs(config, (kept) => withHead(kept, owner, head));
  const look = async (source: PaperLog['source'] | null = log.source, text = log.head()) =>
    examineLog(await logFacts(config, owner, { seq: log.entries.length, text }, source), false);
  return { log, config, look };
}

describe('what doctor says of the log (A49)', () => {
  test('that it is the one that was seen, up to its newest head', async () => {
    const { log, look } = await seen();
    log.grow(5);
    expect(await look()).toMatchObject([{ state: 'good', what: expect.stringContaining('up to entry 15') }]);
  });

  test('that it is another one, and what to do', async () => {
    const { log, look } = await seen();
    log.edit(10);
    const [finding] = await look();
    expect(finding).toMatchObject({
      state: 'wrong',
      fix: expect.stringContaining('countersign audit accept'),
    });
  });

  test('that the head is signed by a key that is not pinned', async () => {
    const { look, log } = await seen();
    expect(await look(log.source, new PaperLog(12).head())).toMatchObject([{ state: 'wrong' }]);
  });

  test('that nobody who is not signed in can compare it', async () => {
    const { look } = await seen();
    expect(await look(null)).toMatchObject([{ state: 'note' }]);
  });

  test('that what was kept is damaged, and where', async () => {
    const { config, look } = await seen();
    writeFileSync(keptHeadsPath(config), 'x\n');
    expect(await look()).toMatchObject([{ state: 'wrong', what: expect.stringContaining('line 1') }]);
  });

  test('that the broker cannot sign', () => {
    expect(examineLog({ state: 'none kept' }, true)).toMatchObject([{ state: 'note' }, { state: 'warning' }]);
  });
});
