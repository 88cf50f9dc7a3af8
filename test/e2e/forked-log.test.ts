import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatAuditHead } from '../../src/protocol/audit-head.js';
import { appendEntry, GENESIS } from '../../src/protocol/event-log.js';
import type { Digest } from '../../src/protocol/names.js';
import { verifyAuditHead } from '../../src/ssh/audit-head.js';
import { BrokerProcess, CLI, countersign, until } from './programs.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

describeWith(['tmux'], 'a log that whoever stole the key of the broker has edited (A49, A51)', () => {
  let broker: BrokerProcess;
  let console: TmuxPane;
  let bobKey: string;

  beforeAll(async () => {
    broker = new BrokerProcess();
    bobKey = await broker.enrol('bob');
    const limits = ['--action', '*', '--resource', '*', '--door', '*', '--requester', '*'];
    await broker.must('submitter', 'add', 'local', '--socket', ...limits);
    await broker.start();
    const words = ['console', '--key', bobKey, '--url', broker.address];
    console = new TmuxPane([process.execPath, CLI, ...words], broker.env, 80, 24);
    await console.shows('● live');
  });
  afterAll(async () => {
    console?.close();
    await broker?.remove();
  });

  const headsFile = (): string => join(broker.config, 'countersign', 'heads');
  const kept = (): readonly { readonly head?: string }[] =>
    existsSync(headsFile())
      ? readFileSync(headsFile(), 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line))
      : [];
  const there = (): string[] => ['--url', broker.address, '--key', bobKey];

  /** Edits the newest entry, and makes everything fit: digests, hashes, and heads signed with the real key. */
  function forge(): number {
    const database = new SqliteDatabase(join(broker.data, 'broker.db'));
    const rows = database.prepare('SELECT * FROM events ORDER BY seq').all() as {
      readonly at: number;
      readonly kind: string;
      readonly request: string | null;
      readonly body: string;
    }[];
    database.exec('DROP TRIGGER events_are_not_edited;');
    let last = GENESIS;
    for (const [index, row] of rows.entries()) {
      const body = index === rows.length - 1 ? row.body.replace('web-1', 'web-2') : row.body;
      const entry = appendEntry(last, { ...row, body });
      database
        .prepare('UPDATE events SET body = ?, digest = ?, hash = ? WHERE seq = ?')
        .run(body, Buffer.from(entry.digest ?? '', 'hex'), Buffer.from(entry.hash, 'hex'), entry.seq);
      const text = database.prepare('SELECT text FROM heads WHERE seq = ?').pluck().get(entry.seq);
      if (typeof text === 'string') {
        const statement = formatAuditHead({
          ...verifyAuditHead(text),
          hash: `sha256:${entry.hash}` as Digest,
        });
        database.prepare('UPDATE heads SET text = ? WHERE seq = ?').run(signed(statement), entry.seq);
      }
      last = entry;
    }
    database.close();
    return rows.length;
  }

  function signed(statement: string): string {
    const file = join(broker.directory, 'head');
    writeFileSync(file, statement);
    const key = join(broker.data, 'broker.key');
    execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', key, '-n', 'audit@countersign', file]);
    const armor = readFileSync(`${file}.sig`, 'utf8');
    execFileSync('rm', [file, `${file}.sig`]);
    return statement + armor;
  }

  test('stands out in red, by the number of the entry, in a console that saw it before', async () => {
    await until(() => kept().length === 1);
    await broker.must('request', 'ssh.login', '--resource', 'web-1', '--requester', 'alice', '--reason', 'x');
    await broker.signal('SIGTERM');
    await broker.start();
    // The head of the shutdown comes with the first picture.
    await until(() => kept().length === 2);
    await broker.signal('SIGTERM');
    const edited = forge();
    await broker.start();
    await console.shows(`entry ${edited} is not`);
    const { code, stdout } = await countersign(['doctor', ...there()], broker.env).outcome;
    expect([code, stdout]).toEqual([1, expect.stringContaining(`entry ${edited} is not what it was`)]);
    expect(await broker.must('status', ...there())).toContain(`LOG FORKED`);
    expect(kept().filter(({ head }) => head !== undefined)).toHaveLength(2);
  });

  test('stands out until a person accepts it, and both heads stay as evidence', async () => {
    const asked = await countersign(['audit', 'accept', ...there()], broker.env).outcome;
    expect([asked.code, asked.stdout]).toEqual([1, expect.stringContaining('kept here')]);
    const [, hash = ''] = /--head (sha256:\S+)/.exec(asked.stderr) ?? [];
    await broker.must('audit', 'accept', '--head', hash, ...there());
    await until(() => !console.screen().includes('is not the one seen here'));
    const { forks } = JSON.parse(await broker.must('audit', 'heads', '--json'));
    const [fork] = forks;
    expect(verifyAuditHead(fork.kept).seq).toBe(verifyAuditHead(fork.offered).seq);
    expect(fork.accepted).not.toBeNull();
  });
});
