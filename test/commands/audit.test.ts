import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** The user of this machine approves what alice asks for; she writes what a spreadsheet and a terminal would act on. */
const me = userInfo().username;
const bob = new User();
const alice = new User({ COUNTERSIGN_DIR: bob.data });
const RESOURCE = '=1+1\u202e';

beforeAll(async () => {
  await (await bob.up()).says(/"address":"/);
  const asking = alice.start(['request', 'demo.hello', '--resource', RESOURCE, '--wait']);
  await asking.says(/an approver can sign with/);
  const { requests } = JSON.parse(await bob.must('list', '--json'));
  await bob.must('approve', requests[0].id, '--yes-i-read-it', requests[0].digest, '--comment', 'fine');
  await asking.ended;
});
afterAll(async () => {
  await alice.remove();
  await bob.remove();
});

test('audit report tells what was asked, by whom it was answered, and under which rule', async () => {
  const text = await bob.must('audit', 'report', '--since', '1h');
  expect(text).toMatch(/^asked from .*: 1 asked, 1 approved/);
  expect(text).toMatch(new RegExp(`\\nPERSON +APPROVED .*\\n${me} +1 `, 's'));
  expect(text).toContain('\nRULE ');
});

test('audit report gives decisions as CSV that no spreadsheet runs', async () => {
  const lines = (await bob.must('audit', 'report', '--format', 'csv')).split('\r\n');
  expect(lines[0]).toBe('time,person,did,requester,action,resource,door,rule,waited,became,request,comment');
  expect(lines[1]).toContain(`,${me},approve,`);
  expect(lines[1]).toContain(`,'=1+1\u202e,`);
  expect(lines).toHaveLength(3);
});

test('audit report gives everything as JSON, in ASCII', async () => {
  const text = await bob.must('audit', 'report', '--format', 'json');
  expect(text).not.toMatch(/[^\n\x20-\x7e]/);
  expect(JSON.parse(text)).toMatchObject({
    figures: { asked: 1, approved: 1 },
    decision: [{ person: me, did: 'approve', resource: RESOURCE, comment: 'fine' }],
    person: [{ person: me, approved: '1' }, { asked: '1' }],
  });
});

test('audit report shows in a table what could deceive', async () => {
  const text = await bob.must('audit', 'report', '--by', 'resource');
  expect(text).not.toContain('\u202e');
  expect(text).toMatch(/=1\+1.*202e/i);
});

test('audit report says which times and forms there are', async () => {
  for (const args of [
    ['--since', 'yesterday'],
    ['--by', 'moon'],
    ['--format', 'xml'],
    ['--since', '1m', '--until', '1h'],
  ]) {
    expect(await bob.run(...['audit', 'report', ...args])).toMatchObject({ code: 1, stdout: '' });
  }
});

test('audit show prints the life of a request with its receipts, and nothing that a terminal acts on', async () => {
  const { requests } = JSON.parse(await bob.must('list', '--state', 'all', '--json'));
  const { code, stdout, stderr } = await bob.run('audit', 'show', requests[0].id);
  expect(code).toBe(0);
  expect(stdout).toMatch(/ voted +\S+ says yes, for this one ask, until .*: fine \[signed by SHA256:/);
  expect(stdout).toMatch(/\nsigned in entry \d+:\ncountersign-decision 1\n.*-----END SSH SIGNATURE-----\n$/s);
  expect(stdout).not.toContain('\u202e');
  expect(stderr).toContain('all hold');
});

test('audit show knows no request that the log does not', async () => {
  const { code, stderr } = await bob.run('audit', 'show', '01KB2X6C9V4T7M3N8QZ5R0EWHD');
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no request of this id'),
  });
});
