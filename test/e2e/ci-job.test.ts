import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { LocalIssuer } from '../broker/oidc/local-issuer.js';
import { BARE_PROGRAMS, BareJob } from './bare-job.js';
import { BrokerProcess, CLI, countersign, type RunningProgram, start, until } from './programs.js';
import { Readme } from './readme/blocks.js';
import { describeWith } from './tools.js';

const ID = /countersign approve ([0-9A-Z]{26}) --url (\S+)\n/;
const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_SHA: '4f2a91c0d7e84b5a9c31f6d2e8b07a1594c3d6ef',
  GITHUB_RUN_ID: '8123456789',
  GITHUB_RUN_ATTEMPT: '1',
};

const LIMITS = ['--action', 'deploy', '--resource', 'shop', '--door', 'job:shop', '--requester', 'alice-dev'];

describeWith([...BARE_PROGRAMS, 'ssh-keygen', 'env'], 'a CI job with nothing but bash and curl', () => {
  let broker: BrokerProcess;
  let job: BareJob;
  let bob: string;
  let token: string;
  let signers: string;

  beforeAll(async () => {
    broker = new BrokerProcess();
    bob = await broker.enrol('bob', '--group', 'oncall');
    await broker.enrol('alice', '--alias', 'alice-dev');
    token = (await broker.must('submitter', 'add', 'ci', '--token', ...LIMITS)).trim();
    signers = await broker.must('roster', 'export');
    await broker.start();
  });
  afterAll(() => broker.remove());
  beforeEach(() => takeJob(new BareJob()));

  function takeJob(next: BareJob): void {
    job = next;
    Object.assign(job.env, {
      COUNTERSIGN_URL: broker.address,
      COUNTERSIGN_FINGERPRINT: broker.fingerprint,
      COUNTERSIGN_TOKEN: token,
      COUNTERSIGN_DOOR: 'job:shop',
      COUNTERSIGN_ACTION: 'deploy',
      COUNTERSIGN_RESOURCE: 'shop',
      COUNTERSIGN_REQUESTER: 'alice-dev',
    });
    writeFileSync(join(job.directory, 'signers'), signers);
    onTestFinished(() => next.remove());
  }

  const asked = (run: RunningProgram): Promise<string> =>
    until(() => {
      if (run.child.exitCode !== null) throw new Error(`the job ended: ${run.said.stderr}`);
      return ID.exec(run.said.stderr)?.[1];
    });
  const shown = async (id: string) =>
    JSON.parse(await broker.must('show', id, '--json', '--key', bob, '--url', broker.address));
  const decide = async (verdict: 'approve' | 'deny', id: string): Promise<void> => {
    const { digest, document } = await shown(id);
    const as = ['--key', bob, '--url', broker.address];
    await broker.must(verdict, id, '--yes-i-read-it', digest, ...as);
    // One job runs all the time, and is denied more often than an honest one.
    if (verdict === 'deny') await broker.must('unlock', document.requester, '--comment', id, ...as);
  };

  test('waits, is released by a real approval, and leaves nothing behind', async () => {
    const run = job.start(
      ['--signers', 'signers', '--detail', 'version=1.4.2', '--reason', 'CHG-118'],
      GITHUB,
    );
    const id = await asked(run);
    await decide('approve', id);
    const { code, stdout, stderr } = await run.outcome;
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^(countersign: [ -~]+\n)+$/);
    expect(stderr).toContain(`countersign: approved by bob (request ${id})\n`);
    const { document, report, submitter } = await shown(id);
    expect([report.outcome, submitter]).toEqual(['opened', 'ci']);
    const { GITHUB_ACTIONS: _, ...bound } = GITHUB;
    expect(document.details).toEqual({ version: '1.4.2', ci: { system: 'github-actions', ...bound } });
    expect(document.context).toEqual({ reason: 'CHG-118' });
    expect(readdirSync(job.directory).sort()).toEqual(['bin', 'countersign-ci', 'signers']);
  });

  test('becomes the command that was approved, in its own environment without our token', async () => {
    const script = 'printf "%s|" "$@" "$0" "$scope" "$LC_ALL" "${COUNTERSIGN_TOKEN-none}"; exit 7';
    const command = ['bash', '-c', script, 'word 0', '$(touch x)', ''];
    const run = job.start(['--signers', 'signers', '--', ...command], { scope: 'prod', LC_ALL: 'C.UTF-8' });
    const id = await asked(run);
    const { document } = await shown(id);
    expect(document.details).toMatchObject({ argv: command, cwd: job.directory, stdin: 'device' });
    await decide('approve', id);
    const { code, stdout } = await run.outcome;
    expect([code, stdout]).toEqual([7, '$(touch x)||word 0|prod|C.UTF-8|none|']);
  });

  test('ends with 2 when it is denied, and with 122 where a command waits', async () => {
    for (const [args, expected] of [
      [[], 2],
      [['--', 'bash', '-c', 'echo ran'], 122],
    ] as const) {
      const run = job.start(['--signers', 'signers', ...args]);
      await decide('deny', await asked(run));
      const { code, stdout, stderr } = await run.outcome;
      expect([code, stdout]).toEqual([expected, '']);
      expect(stderr).toContain('countersign: denied (request ');
    }
  });

  test('asks anew after a denial, and another commit is another document (A5)', async () => {
    const digests: string[] = [];
    for (const change of [{}, {}, { GITHUB_SHA: 'ffffffffffffffffffffffffffffffffffffffff' }]) {
      const run = job.start(['--signers', 'signers'], { ...GITHUB, ...change });
      const id = await asked(run);
      const { digest, scope } = await shown(id);
      digests.push(digest, scope);
      await decide('deny', id);
      expect((await run.outcome).code).toBe(2);
    }
    expect(new Set(digests.filter((_, at) => at % 2 === 0)).size).toBe(3);
    expect(digests[1]).toBe(digests[3]);
    expect(digests[5]).not.toBe(digests[3]);
  });

  test('stays shut on a runner with a wrong signers file, and reports it', async () => {
    const stranger = `${broker.makeKey('stranger')}.pub`;
    const other = new BrokerProcess();
    onTestFinished(() => other.remove());
    await other.must('roster', 'add', 'bob', '--key', stranger);
    writeFileSync(join(job.directory, 'signers'), await other.must('roster', 'export'));
    const run = job.start(['--signers', 'signers', '--shared-requester', 'accept']);
    const id = await asked(run);
    await decide('approve', id);
    const { code, stderr } = await run.outcome;
    expect(code).toBe(1);
    expect(stderr).toContain('error: the signature of bob does not hold');
    expect((await shown(id)).report).toMatchObject({ outcome: 'refused', code: 'bad-signature' });
  });

  test('asks nobody where the signers file could never be enough', async () => {
    const { code, stderr } = await job.start(['--signers', 'signers', '--people', '2']).outcome;
    expect(code).toBe(1);
    expect(stderr).toBe('countersign: error: nobody can approve this: 1 of 2 people have approved\n');
    const listed = await broker.must('list', '--json', '--key', bob, '--url', broker.address);
    expect(JSON.parse(listed).requests).toEqual([]);
  });

  test('without ssh-keygen only believes the broker when told so, and warns each time', async () => {
    takeJob(BareJob.withoutSshKeygen);
    const refused = await job.start(['--signers', 'signers']).outcome;
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('only --trust-broker is possible'),
    ]);
    const hinted = await job.start([], { COUNTERSIGN_TRUST_BROKER: 'yes' }).outcome;
    expect([hinted.code, hinted.stderr]).toEqual([1, expect.stringContaining('--signers FILE is missing')]);
    const run = job.start(['--trust-broker']);
    const id = await asked(run);
    expect(run.said.stderr).toMatch(/^countersign: WARNING: --trust-broker: signatures are not verified/);
    await decide('approve', id);
    expect((await run.outcome).code).toBe(0);
    expect((await shown(id)).report.outcome).toBe('opened');
  });

  test('fails when the broker is down, and goes on waiting when it comes back', async () => {
    const run = job.start(['--signers', 'signers']);
    const id = await asked(run);
    await broker.signal('SIGKILL');
    const down = await job.start(['--signers', 'signers']).outcome;
    expect([down.code, down.stderr]).toEqual([
      1,
      expect.stringMatching(
        /trying again\n(.*\n)*countersign: error: the broker cannot be reached: it cannot be connected to\n$/,
      ),
    ]);
    await broker.start();
    await decide('approve', id);
    expect((await run.outcome).code).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('takes the question back when %s ends it', async (signal) => {
    const run = job.start(['--signers', 'signers', '--', 'bash', '-c', 'echo ran']);
    const id = await asked(run);
    run.child.kill(signal);
    const { code, stdout, stderr } = await run.outcome;
    expect([code, stdout]).toEqual([124, '']);
    expect(stderr).toContain('countersign: the job was cancelled (request ');
    expect(await shown(id)).toMatchObject({ state: 'cancelled', endedBy: 'cancelled by the requester' });
  });

  test('takes the question back when nobody answers in time', async () => {
    const { code, stderr } = await job.start(['--signers', 'signers', '--wait', '1']).outcome;
    expect(code).toBe(3);
    expect(stderr).toContain('nobody answered within 1 seconds; the request is taken back');
    expect((await shown(ID.exec(stderr)?.[1] ?? '')).state).toBe('cancelled');
  });

  test('asks with the token of its CI system; what that says is shown as verified (A46)', async () => {
    const issuer = await LocalIssuer.start();
    const enrolled = ['--oidc-issuer', issuer.issuer, '--oidc-audience', 'countersign'];
    const claims = ['--oidc-claim', 'repository=acme/shop', '--oidc-claim', 'environment=production'];
    await broker.change('submitter', 'add', 'ci:oidc', ...enrolled, ...claims, ...LIMITS);
    const audiences: (string | null)[] = [];
    const github = createServer(async (request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost');
      audiences.push(searchParams.get('audience'));
      if (request.headers.authorization !== 'bearer of-this-job') response.writeHead(401).end();
      else response.end(JSON.stringify({ count: 1, value: await issuer.token(Date.now()) }));
    });
    await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void github.close());
    delete job.env.COUNTERSIGN_TOKEN;
    const run = job.start(['--signers', 'signers'], {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-this-job',
    });
    const id = await asked(run);
    expect(audiences).toEqual(['countersign']);
    const text = await broker.must('show', id, '--key', bob, '--url', broker.address);
    expect(text).toContain(
      `verified   by the broker: OIDC token of ${issuer.issuer}\n           repository acme/shop\n`,
    );
    expect(text).toContain('\n           actor alice\n');
    await decide('approve', id);
    expect((await run.outcome).code).toBe(0);
    const stolen = await job.start(['--signers', 'signers'], {
      COUNTERSIGN_OIDC_TOKEN: await issuer.token(Date.now(), { claims: { environment: 'staging' } }),
    }).outcome;
    expect(stolen.code).toBe(1);
    expect(stolen.stderr).toMatch(
      /error: the broker refuses: oidc-token-refused: the token is refused: nobody/,
    );
  });

  test('asks with a key', async () => {
    const key = broker.makeKey('job');
    await broker.change('submitter', 'add', 'ci-key', '--key', `${key}.pub`, ...LIMITS);
    delete job.env.COUNTERSIGN_TOKEN;
    const run = job.start(['--signers', 'signers', '--submitter', 'ci-key', '--key', key]);
    const id = await asked(run);
    expect(await shown(id)).toMatchObject({ submitter: 'ci-key' });
    await decide('approve', id);
    expect((await run.outcome).code).toBe(0);
  });

  test('shows the line that an approver can paste', async () => {
    const run = job.start(['--signers', 'signers']);
    await asked(run);
    const [, id = '', url = ''] = ID.exec(run.said.stderr) ?? [];
    const { digest } = await shown(id);
    const flags = ['--yes-i-read-it', digest, '--key', bob];
    const pasted = await countersign(['approve', id, '--url', url, ...flags], broker.env).outcome;
    expect(pasted.code).toBe(0);
    expect((await run.outcome).code).toBe(0);
  });

  test("holds the README's deploy host until somebody has signed", async () => {
    const readme = new Readme();
    const section = 'A CI job behind an approval';
    const file = (name: string, text: string): string => {
      writeFileSync(join(job.directory, name), text, { mode: 0o755 });
      return join(job.directory, name);
    };
    file('bin/countersign', `#!/bin/sh\nexec ${process.execPath} ${CLI} "$@"\n`);
    const enrolling = start('sh', ['-ec', readme.take(section)], {
      ...broker.env,
      PATH: `${join(job.directory, 'bin')}:${process.env.PATH}`,
    });
    expect(await broker.signChange(enrolling)).toMatchObject({ code: 0, stdout: 'added ci:shop\n' });
    await broker.change('submitter', 'remove', 'ci:shop');
    const limits = [
      '--action',
      'deploy',
      '--resource',
      'shop',
      '--door',
      'host:deploy-1',
      '--requester',
      '*',
    ];
    const hostToken = (await broker.change('submitter', 'add', 'ci:shop', '--token', ...limits)).trim();
    const script = readme
      .take(section, 'bash')
      .replace('https://approvals.example.com:7433', broker.address)
      .replace('SHA256:REPLACE-WITH-THE-FINGERPRINT-OF-THE-BROKER', broker.fingerprint)
      .replace('/etc/countersign/signers', join(job.directory, 'signers'))
      .replace('/usr/local/bin/countersign-ci', job.program)
      .replace('/srv/deploy/shop', file('shop', '#!/bin/bash\necho "deployed $1"\n'));
    const commit = GITHUB.GITHUB_SHA;
    const env = ['-i', `PATH=${job.env.PATH}`, `TMPDIR=${job.directory}`, `COUNTERSIGN_TOKEN=${hostToken}`];
    const run = start('env', [...env, file('deploy-shop', script), commit, 'alice-dev']);
    const id = await asked(run);
    expect((await shown(id)).document.details.argv).toEqual([join(job.directory, 'shop'), commit]);
    expect(run.said.stdout).toBe('');
    await decide('approve', id);
    expect(await run.outcome).toMatchObject({ code: 0, stdout: `deployed ${commit}\n` });
    const workflow = parse(readme.take(section, 'yaml'));
    expect(workflow.jobs.deploy.permissions).toEqual({ 'id-token': 'write' });
    expect(parse(readme.take(section, 'yaml')).deploy.id_tokens.COUNTERSIGN_OIDC_TOKEN.aud).toBe(
      'countersign',
    );
  });
});
