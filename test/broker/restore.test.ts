import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OutgoingMessage, Sent } from '../../broker/outbox/sender.js';
import { restore } from '../../broker/restore.js';
import { type Backup, backUp } from '../../broker/store/sqlite/backup.js';
import { type LogEntry, verifyChain } from '../../src/protocol/event-log.js';
import { Console } from './stream/console.js';
import { NOON, newClaim, TestBroker } from './test-broker.js';

let broker: TestBroker;
let file: string;
beforeEach(async () => {
  broker = await TestBroker.start();
  file = join(broker.directory, 'broker.db.backup');
});
afterEach(() => broker.stop());

const backup = (): Backup => backUp(join(broker.directory, 'broker.db'), file, broker.now);

/** One request, as far as the named state. */
async function ask(as: 'pending' | 'approved') {
  const bound = broker.document();
  const { id, watch } = (await broker.submit(bound)).json;
  if (as === 'approved') await broker.decide(id, bound);
  const claim = newClaim();
  const redeem = () => broker.call('POST', `/v1/requests/${id}/redeem`, { token: watch, body: { claim } });
  return { id, bound, redeem };
}

const log = async (): Promise<LogEntry[]> =>
  (await broker.call('GET', '/v1/events', { token: await broker.signIn() })).json.events;
const status = async () => (await broker.call('GET', '/v1/status', { viaSocket: true })).json;

describe('a back-up', () => {
  test('of a broker that runs is whole, private, and says what it holds', async () => {
    await ask('pending');
    await ask('approved');
    const held = backup();
    const events = await log();
    expect(held).toMatchObject({
      requests: 2,
      live: 2,
      head: { seq: events.length, hash: events.at(-1)?.hash },
      copiedAt: broker.now,
      bytes: statSync(file).size,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file).includes('PRIVATE KEY')).toBe(false);
    expect(readdirSync(broker.directory).filter((name) => name.endsWith('unfinished'))).toEqual([]);
  });

  test('overwrites nothing, not even what appears while it is made', async () => {
    writeFileSync(file, 'mine');
    expect(backup).toThrow('exists already');
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test('of a broker that stopped or was cut off holds what was acknowledged', async () => {
    const { id } = await ask('pending');
    await broker.running.stop();
    expect(backup()).toMatchObject({ requests: 1, live: 1 });
    const copy = new SqliteDatabase(file, { readonly: true });
    expect(copy.prepare('SELECT id FROM requests').pluck().all()).toEqual([id]);
    copy.close();
    await broker.restart();
  });

  test('of a damaged log is refused, and leaves no file', async () => {
    await ask('pending');
    await broker.running.stop();
    const database = new SqliteDatabase(join(broker.directory, 'broker.db'));
    database.exec("DROP TRIGGER events_are_not_edited; UPDATE events SET body = '{}' WHERE seq = 2");
    database.close();
    expect(backup).toThrow('the chain of events does not hold at number 2');
    expect(existsSync(file)).toBe(false);
    await broker.restart();
  });
});

describe('a restore', () => {
  test('ends what was pending, and what was approved and not used, and says why', async () => {
    const [pending, approved] = [await ask('pending'), await ask('approved')];
    backup();
    const restored = await broker.restoreFrom(file);
    expect(restored).toMatchObject({ ended: 2, backupAt: broker.now, restoredAt: broker.now });
    expect((await pending.redeem()).json).toMatchObject({
      code: 'cancelled',
      detail: 'the broker was restored from a back-up',
    });
    expect((await approved.redeem()).json).toMatchObject({ code: 'lapsed' });
  });

  test('an approval that was used after the back-up is not given out again (A55)', async () => {
    const approved = await ask('approved');
    backup();
    expect((await approved.redeem()).json.receipts).toHaveLength(1);
    await broker.restoreFrom(file);
    const again = await approved.redeem();
    expect([again.status, again.json.code]).toEqual([410, 'lapsed']);
    expect(again.text).not.toContain('SSH SIGNATURE');
  });

  test('goes on with the chain of the back-up, in a new epoch that names what it replaced', async () => {
    await ask('pending');
    const { epoch } = await status();
    const held = backup();
    await ask('pending');
    const lost = (await log()).at(-1);
    const restored = await broker.restoreFrom(file);
    const events = await log();
    expect(verifyChain(events)).toBeNull();
    const [begun, ended] = events.slice(held.head.seq);
    expect(begun).toMatchObject({ kind: 'store.restored', previous: held.head.hash });
    expect(JSON.parse(begun?.body ?? '')).toEqual({
      backup: { at: '2026-01-31T12:00:00Z', epoch, ...held.head },
      ended: 1,
      epoch: restored.epoch,
      replaced: { seq: lost?.seq, hash: lost?.hash },
    });
    expect(ended).toMatchObject({ kind: 'request.cancelled' });
    expect((await status()).epoch).toBe(restored.epoch);
  });

  test('signs everybody out', async () => {
    const token = await broker.signIn();
    backup();
    await broker.restoreFrom(file);
    expect((await broker.call('GET', '/v1/requests', { token })).status).toBe(401);
  });

  test('goes on where each receiver was in the back-up, under the names of before, and then says that it is a restore', async () => {
    const came: OutgoingMessage[] = [];
    let sent: Sent = { outcome: 'taken' };
    const send = async (message: OutgoingMessage) => {
      if (sent.outcome === 'taken') came.push(message);
      return sent;
    };
    broker.senders = [{ sink: 'webhook:siem', wants: () => true, send }];
    await broker.restart();
    const { epoch } = await status();
    sent = { outcome: 'unreachable', why: 'away' };
    const before = await ask('pending');
    const waiting = (await log()).filter(({ request }) => request === before.id).map(({ seq }) => seq);
    while ((await status()).outbox[0].failing === null);
    const held = backup();
    sent = { outcome: 'taken' };
    await ask('pending');
    const restored = await broker.restoreFrom(file);
    while ((await status()).outbox[0].waiting > 0) broker.pass(1);
    const keys = came.map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(waiting.map((event) => `${epoch}-${event}`)));
    expect(came.find(({ kind }) => kind === 'store.restored')?.key).toBe(
      `${restored.epoch}-${held.head.seq + 1}`,
    );
  });

  test('keeps the database that stood there, under another name', async () => {
    const first = await ask('pending');
    backup();
    const second = await ask('pending');
    const { aside } = await broker.restoreFrom(file);
    const old = new SqliteDatabase(aside ?? '', { readonly: true });
    expect(old.prepare('SELECT id FROM requests ORDER BY n').pluck().all()).toEqual([first.id, second.id]);
    old.close();
  });

  test('leaves everything to the owner of the directory, also where root does it', async () => {
    backup();
    await broker.running.stop();
    const owner = process.geteuid?.() === 0 ? 65_534 : (process.geteuid?.() ?? 0);
    const directory = join(broker.directory, 'other');
    mkdirSync(directory, { mode: 0o700 });
    chownSync(directory, owner, statSync(directory).gid);
    await restore({ file, directory, clock: () => NOON, random: (bytes) => Buffer.alloc(bytes) });
    const files = readdirSync(directory);
    expect(files).toEqual(expect.arrayContaining(['broker.db', 'broker.lock']));
    for (const name of files) {
      const { uid, mode } = statSync(join(directory, name));
      expect([name, uid, mode & 0o777]).toEqual([name, owner, 0o600]);
    }
    await broker.restart();
  });

  test('takes the place of a database that is damaged, and keeps that too', async () => {
    backup();
    await broker.running.stop();
    writeFileSync(join(broker.directory, 'broker.db'), 'no database, but longer than a header '.repeat(99));
    const { aside } = await broker.restoreFrom(file);
    expect(readFileSync(aside ?? '', 'utf8')).toMatch(/^no database/);
    expect((await status()).pending).toBe(0);
  });

  test('brings a console with a later seq of the old life the new picture, with what it must know', async () => {
    const before = await Console.open(broker);
    const { epoch } = await before.next('snapshot');
    backup();
    for (let more = 0; more < 20; more += 1) await broker.submit();
    await broker.restoreFrom(file);
    const after = await Console.open(broker, `?epoch=${epoch}&after=99`);
    const snapshot = await after.next('snapshot');
    expect(snapshot.requests).toEqual([]);
    expect(snapshot.restoration).toEqual({ backupAt: NOON, restoredAt: NOON, ended: 0 });
  });

  test('is shown until an approver takes note, who stands in the log, across restarts', async () => {
    backup();
    await broker.restoreFrom(file);
    await broker.restart();
    const shown = { backupAt: '2026-01-31T12:00:00Z', restoredAt: '2026-01-31T12:00:00Z', ended: 0 };
    expect((await status()).restoration).toEqual(shown);
    const console = await Console.open(broker);
    await console.next('snapshot');
    const acknowledge = async () =>
      broker.call('POST', '/v1/restoration/acknowledgements', { token: await broker.signIn() });
    expect((await acknowledge()).status).toBe(200);
    expect(await console.next('other')).toMatchObject({ restoration: null });
    expect((await acknowledge()).status).toBe(200);
    const noted = (await log()).filter(({ kind }) => kind === 'restore.acknowledged');
    expect(noted.map(({ body }) => JSON.parse(body ?? '').approver)).toEqual(['bob']);
    await broker.restart();
    expect((await status()).restoration).toBeNull();
  });

  test('from a back-up of a restored broker says so anew', async () => {
    await ask('pending');
    backup();
    await broker.restoreFrom(file);
    broker.pass(60);
    file += '-2';
    backup();
    const again = await broker.restoreFrom(file);
    expect(again).toMatchObject({ ended: 0, backupAt: NOON + 60_000 });
    expect(verifyChain(await log())).toBeNull();
  });
});

describe('a restore is refused, and changes nothing,', () => {
  const tryRestore = (from = file) =>
    restore({
      file: from,
      directory: broker.directory,
      clock: () => NOON,
      random: (bytes) => Buffer.alloc(bytes),
    });
  const edited = (sql: string): void => {
    const database = new SqliteDatabase(file);
    database.exec(sql);
    database.close();
  };
  let before: Buffer;
  beforeEach(async () => {
    await ask('pending');
    backup();
    await broker.running.stop();
    before = readFileSync(join(broker.directory, 'broker.db'));
  });
  afterEach(async () => {
    expect(readdirSync(broker.directory)).not.toContain('restoring');
    expect(readFileSync(join(broker.directory, 'broker.db')).equals(before)).toBe(true);
    await broker.restart();
  });

  test('of a file that is not ours', async () => {
    writeFileSync(file, 'not a database, but long enough for a header '.repeat(99));
    await expect(tryRestore()).rejects.toMatchObject({ code: 'storage-failed' });
    writeFileSync(file, '');
    await expect(tryRestore()).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(tryRestore(`${file}.none`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('of a file that a newer version wrote', async () => {
    edited('PRAGMA user_version = 99');
    await expect(tryRestore()).rejects.toMatchObject({ code: 'newer-store' });
  });

  test('of a file that was edited, at any place of the log (A49)', async () => {
    const database = new SqliteDatabase(file);
    const named = "SELECT sql FROM sqlite_schema WHERE name = 'events_are_not_edited'";
    const trigger = String(database.prepare(named).pluck().get());
    database.close();
    edited(`DROP TRIGGER events_are_not_edited; UPDATE events SET at = at + 1 WHERE seq = 1; ${trigger}`);
    await expect(tryRestore()).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('at number 1'),
    });
  });

  test.each([
    [
      'a trigger',
      'trigger another',
      'CREATE TRIGGER another AFTER INSERT ON events BEGIN DELETE FROM outbox; END',
    ],
    ['a view', 'view another', 'CREATE VIEW another AS SELECT * FROM requests'],
    ['one trigger less', 'trigger events_are_not_edited', 'DROP TRIGGER events_are_not_edited'],
    [
      'a trigger that does nothing any more',
      'trigger events_are_not_deleted',
      `DROP TRIGGER events_are_not_deleted;
       CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN SELECT 1; END`,
    ],
    ['another column', 'table store', 'ALTER TABLE store ADD COLUMN another TEXT'],
  ])('of a file in which somebody has put %s', async (_, name, sql) => {
    edited(sql);
    await expect(tryRestore()).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining(`has another ${name} than`),
    });
  });

  test('of a file that is cut off', async () => {
    writeFileSync(file, readFileSync(file).subarray(0, 20_000));
    await expect(tryRestore()).rejects.toMatchObject({ code: 'storage-failed' });
  });

  test('while a broker runs there', async () => {
    await broker.restart();
    await expect(tryRestore()).rejects.toMatchObject({ code: 'broker-locked' });
    await broker.running.stop();
  });

  test('into a directory that others may enter', async () => {
    chmodSync(broker.directory, 0o755);
    await expect(tryRestore()).rejects.toMatchObject({ code: 'usage' });
    chmodSync(broker.directory, 0o700);
  });
});
