import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Outcome, type RunningProgram, until } from './programs.js';
import { Readme } from './readme/blocks.js';
import { Machine, Network } from './readme/machine.js';
import { describeWith } from './tools.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The part of PID 1: starts the unit's command as its user, with its directory and flags, until SIGTERM. */
const SYSTEMCTL = readFileSync(new URL('readme/systemctl', import.meta.url), 'utf8');
const TOOLS = [
  ...['root', 'mount namespaces', 'ip', 'npm', 'git', 'sudo', 'sshd', 'ssh-keygen'],
  ...['systemd-sysusers', 'curl', 'script', 'useradd', 'jq', 'python3', 'openssl'],
];
/** What the README asks the reader to put in its place. */
const FINGERPRINT = 'SHA256:REPLACE-WITH-THE-FINGERPRINT-OF-THE-BROKER';
const BOB = '--key bob-new';

/**
 * The tests follow the README from its installation to the removal, on the same machines: the broker's, which is the reader's own
 * too, and a host behind a door. What is between the README's blocks is what its text tells the reader to bring or to do.
 */
describeWith(TOOLS, 'the README, by its own text', () => {
  const readme = new Readme();
  const network = new Network();
  let approvals: Machine;
  let web: Machine;
  let fingerprint = '';
  let receiving: RunningProgram;

  const onBroker = (block: string): Promise<string> => approvals.run(block, { user: 'countersign' });

  beforeAll(async () => {
    await network.up();
    approvals = await Machine.boot('approvals.example.com', network, ['web-1.example.com']);
    web = await Machine.boot('web-1.example.com', network, ['approvals.example.com']);
    for (const machine of [approvals, web]) machine.write('/usr/local/bin/systemctl', SYSTEMCTL, '0755');
    clone(approvals);
  });
  afterAll(async () => {
    await approvals?.remove();
    await web?.remove();
    network.remove();
  });

  /** The request that waits, once there is one. */
  async function pending(): Promise<{ readonly id: string; readonly digest: string }> {
    for (;;) {
      const { requests } = JSON.parse(await onBroker(`countersign list --json ${BOB}`));
      const found = requests.find(
        ({ state, document }: { state: string; document: { action: string } }) =>
          state === 'pending' && document.action !== 'roster.change',
      );
      if (found !== undefined) return found;
    }
  }

  /** Runs lines that change people or submitters on the broker's machine; bob and alice sign what that takes. */
  async function changed(block: string): Promise<void> {
    const changing = approvals.start(block, { user: 'countersign' });
    await signChanges(changing);
    const { code, stderr } = await changing.outcome;
    expect(code, stderr).toBe(0);
  }

  async function signChanges(changing: RunningProgram): Promise<void> {
    const signed = new Set<string>();
    const asked = (): string | undefined =>
      [...changing.said.stderr.matchAll(/waiting for approval: (\S+),/g)]
        .map(([, id = '']) => id)
        .find((id) => !signed.has(id));
    for (;;) {
      const id = await until(() => asked() ?? (changing.child.exitCode === null ? undefined : 'over'));
      if (id === 'over') return;
      signed.add(id);
      for (const key of [BOB, '--key alice']) {
        const { digest } = JSON.parse(await onBroker(`countersign show ${id} --json ${key}`));
        await onBroker(`countersign approve ${id} --yes-i-read-it ${digest} ${key}`);
      }
    }
  }

  /** Somebody asks, bob answers, and this is what came of it. */
  async function answered(verb: 'approve' | 'deny', asking: RunningProgram): Promise<Outcome> {
    const found = await Promise.race([pending(), asking.outcome]);
    if (!('id' in found)) throw new Error(`nobody was asked: ${found.stdout}${found.stderr}`);
    await onBroker(`countersign ${verb} ${found.id} --yes-i-read-it ${found.digest} ${BOB}`);
    return asking.outcome;
  }

  test('installs the broker from the tarball and runs it as a service', { timeout: 120_000 }, async () => {
    const install = () => readme.take('Install the broker');
    const clone = { cwd: '/root/countersign', outside: true };
    expect(await approvals.run(install(), clone)).toMatch(/^\d+\.\d+\.\d+$/m);
    await approvals.run(install());
    await approvals.run('ssh-keygen -q -t ed25519 -N "" -C bob -f bob');
    expect(await approvals.run(install())).toMatch(/^approvers +1$/m);
  });

  test('makes a private CA that curl trusts for the broker', async () => {
    approvals.write('/etc/default/countersign', readme.take('TLS', 'ini'));
    await approvals.run('systemctl restart countersign');
    const ca = await onBroker('cat tls/ca.pem');
    approvals.write('/root/ca.pem', ca);
    web.write('/root/ca.pem', ca);
    const reply = await web.run('curl -sS --cacert ca.pem https://approvals.example.com:7433/v1/broker');
    fingerprint = JSON.parse(reply).fingerprint;
    expect(await onBroker('countersign status')).toContain(fingerprint);
  });

  test('gives an approver who lost a key another one, and the lost one is in no signers file', async () => {
    await approvals.run('cp bob.pub ~countersign/ && chown countersign ~countersign/bob.pub');
    await onBroker('ssh-keygen -q -t ed25519 -N "" -C bob -f bob-new');
    await onBroker(readme.take('Runbook: an approver lost a key'));
    const keyOf = async (file: string): Promise<string> => (await onBroker(`cut -d ' ' -f 2 ${file}`)).trim();
    const signers = await onBroker('cat signers');
    expect(signers).toContain(await keyOf('bob-new.pub'));
    expect(signers).not.toContain(await keyOf('bob.pub'));
  });

  test('protects a host: observed first, then approved, denied, and shut without the broker', {
    timeout: 120_000,
  }, async () => {
    const protect = () => readme.take('Protect one host in five minutes');
    await approvals.run('ssh-keygen -q -t ed25519 -N "" -C alice -f alice');
    await hand(approvals, web, '/root/alice.pub');
    await approvals.run(
      'install -o countersign -m 0644 alice.pub ~countersign/alice.pub && install -o countersign -m 0600 alice ~countersign/alice',
    );
    await onBroker(protect());

    await web.run(
      'useradd --create-home --shell /bin/bash alice-admin && install -D -o alice-admin -m 0600 alice.pub ~alice-admin/.ssh/authorized_keys',
    );
    await startSshd(web);
    web.unpack(archive(approvals, 'scripts'), '/root');
    web.write('/root/signers', await onBroker('cat signers'));
    const installed = await yes(web, protect().replace(FINGERPRINT, fingerprint));
    await changed(toPaste(installed));

    const login = () => approvals.start(SSH('alice-admin', 'true'));
    expect((await login().outcome).code).toBe(0);
    await web.run(protect());
    await yes(web, protect());
    expect((await answered('approve', login())).code).toBe(0);
    expect((await answered('deny', login())).code).not.toBe(0);
    await approvals.run('systemctl stop countersign');
    expect((await login().outcome).code).not.toBe(0);
    await approvals.run('systemctl start countersign');
  });

  test('watches the sessions of the host', async () => {
    const said = await web.run(readme.take('Sessions that end with their approval'));
    expect(said).toContain('ok    PAM sshd: its sessions end when their approval is revoked');
    expect((await answered('approve', approvals.start(SSH('alice-admin', 'true')))).code).toBe(0);
  });

  test('opens without the broker for what ssh-keygen alone has signed and root has brought', async () => {
    const offline = () => readme.take('Without the broker');
    await web.run(offline());
    await approvals.run('systemctl stop countersign');
    const login = () => approvals.start(SSH('alice-admin', 'true')).outcome;
    const refused = await login();
    const document = /^\{"action".*\}$/m.exec(refused.stderr)?.[0] ?? '';
    web.write('/root/document.json', `${document}\n`);
    web.write('/root/.ssh/id_ed25519', await onBroker('cat bob-new'), '0600');
    await web.run(offline().replace(FINGERPRINT, fingerprint));
    await web.run(offline());
    expect((await login()).code).toBe(0);
    expect((await login()).code).not.toBe(0);
    await approvals.run('systemctl start countersign');
  });

  test('brings signers files to hosts with commands that Ansible can run', async () => {
    const [exporting, installing] = parse(readme.take('Signers files', 'yaml')) as AnsibleTask[];
    const command = exporting?.['ansible.builtin.command']?.replace(
      '{{ inventory_hostname }}',
      'web-1.example.com',
    );
    const validate = installing?.['ansible.builtin.copy']?.validate;
    const signers = await onBroker(command ?? 'false');
    expect(signers).toMatch(/^# signers of host:web-1\.example\.com\n/);
    web.write('/root/new', signers);
    await web.run(validate?.replace('%s', '/root/new') ?? 'false');
    web.write('/root/new', `${signers}nobody in particular\n`);
    const bad = web.start(validate?.replace('%s', '/root/new') ?? 'true');
    expect((await bad.outcome).code).toBe(1);
  });

  test('has the host follow the signers files that approvers sign', async () => {
    const said = await web.run(readme.take('Signers files'));
    expect(said).toBe('nothing newer is signed\n'.repeat(2));
  });

  test('verifies the receipt of that login with ssh-keygen alone', async () => {
    const { requests } = JSON.parse(await onBroker(`countersign list --state all --json ${BOB}`));
    const opened = requests.find(
      ({ report }: { report: { outcome: string } | null }) => report?.outcome === 'opened',
    );
    const shown = JSON.parse(await onBroker(`countersign show ${opened.id} --json ${BOB}`));
    web.write('/root/receipt', shown.votes[0].receipt);
    expect(await web.run(readme.take('Verify a receipt'))).toContain(
      'Good "decision@countersign" signature for bob',
    );
  });

  test('puts an account behind the gate, where one approved command runs', async () => {
    const gate = () => readme.take('Commands behind the gate');
    await changed(toPaste(await yes(web, gate())));
    await web.run(gate());
    await web.run(gate());
    const { code, stdout, stderr } = await answered('approve', approvals.start(SSH('deploy', 'id -un')));
    expect([code, stdout], stderr).toEqual([0, 'deploy\n']);
  });

  test('lets everybody in where a host is locked out, loudly', async () => {
    await web.run(readme.take('Runbook: a host is locked out'));
    expect((await approvals.start(SSH('alice-admin', 'true')).outcome).code).toBe(0);
  });

  test('runs a command of the own machine behind an approval', async () => {
    const run = () => readme.take('A command behind an approval');
    await approvals.run(run());
    await approvals.run(
      'ssh-keygen -q -t ed25519 -N "" -f carol && install -m 0644 carol.pub .config/countersign/run_key.pub ~countersign',
    );
    await changed(run());
    approvals.write('/root/signers', await onBroker('cat signers'));
    const env = { COUNTERSIGN_CA: '/root/ca.pem' };
    const { code, stdout } = await answered('approve', approvals.start(run(), { env }));
    expect([code, stdout]).toEqual([0, 'nginx restarted\n']);
  });

  test('sends events to a receiver that verifies them', async () => {
    const guide = (language?: string) => readme.take('Send events to your SIEM or chat', language);
    approvals.write('/root/receive.py', guide('python'));
    await approvals.run(guide());
    receiving = approvals.start('exec python3 receive.py /etc/countersign/siem.secret 8099');
    approvals.write('/etc/countersign/webhooks.yaml', guide('yaml'));
    const flags = 's|^COUNTERSIGN_FLAGS=|&--webhooks /etc/countersign/webhooks.yaml |';
    await approvals.run(`sed -i '${flags}' /etc/default/countersign`);
    await approvals.run(guide());
    expect(await approvals.run('cat /var/log/pid1')).toContain('"event":"webhooks-loaded"');
  });

  test('enrols a pipeline, and asks from a script with a token', async () => {
    await changed(readme.take('A CI job behind an approval'));
    const asking = approvals.start(readme.take('Asking from scripts'), { user: 'countersign' });
    const [{ code, stderr }] = await Promise.all([answered('approve', asking), signChanges(asking)]);
    expect(code, stderr).toBe(0);
    // What was asked here has been sent on.
    await until(() => /^Asked: .*\n(?:.*\n)*Approved: /m.test(receiving.said.stdout));
  });

  test('takes over a certificate from elsewhere, and has metrics to watch', async () => {
    await approvals.run(readme.take('TLS'));
    await approvals.run(
      'cp ~countersign/tls/server.pem fullchain.pem && cp ~countersign/tls/server.key privkey.pem',
    );
    await approvals.run('RENEWED_LINEAGE=/root /etc/letsencrypt/renewal-hooks/deploy/countersign');
    expect(await approvals.run(readme.take('Watch it'))).toContain('\ncountersign_pending 0\n');
  });

  test('searches what was asked', async () => {
    const said = await onBroker(`export COUNTERSIGN_KEY=bob-new\n${readme.take('Search what was asked')}`);
    expect(said).toMatch(/\n01[0-9A-Z]{24} +opened .* alice-admin +ssh\.login /);
    expect(said).toContain('"searchedTo": null');
  });

  test('reports who approved what', async () => {
    const report = readme.take('Who approved what');
    const said = await onBroker(`export COUNTERSIGN_KEY=bob-new\n${report}\ncat decisions.csv`);
    expect(said).toMatch(/\nPERSON +APPROVED .*\nbob +\d+ /s);
    expect(said).toContain(',bob,approve,carol,command.run,');
  });

  test('lists the heads of the log that were kept, and has nothing to accept', async () => {
    const heads = readme.take('A log that is not what it was');
    expect(await onBroker(`export COUNTERSIGN_KEY=bob-new\n${heads}`)).toContain('nothing to accept');
  });

  test('holds what a case needs, and lets it go again', async () => {
    const holds = await approvals.run(readme.take('How long things are kept'));
    expect(holds).toContain('case-7');
    expect(holds).toContain('CASE-7');
  });

  test('exports the log, and verifies it with the program and without (A49)', async () => {
    const check = () => readme.take('Check the log yourself');
    expect(await onBroker(`export COUNTERSIGN_KEY=bob-new\n${check()}`)).toMatch(/\nresult +good\n/);
    expect(await onBroker(check().replace(FINGERPRINT, fingerprint))).toMatch(
      /^good: \d+ entries, \d+ signatures /,
    );
  });

  test('backs up, restores, upgrades and rotates the key of the broker', { timeout: 300_000 }, async () => {
    await approvals.run(readme.take('Back up and restore'));
    await approvals.run(readme.take('Back up and restore'));
    expect(await onBroker('countersign status')).toContain('restored');
    await approvals.run(readme.take('Upgrade'), { cwd: '/root/countersign', outside: true });
    expect(await onBroker(readme.take("Runbook: rotate the broker's key"))).toContain(fingerprint);
  });

  test('takes everything off again, and leaves nothing behind', async () => {
    await web.run(readme.take('Runbook: take the door off a host'));
    await web.run(readme.take('Runbook: take the door off a host'));
    await changed(readme.take('Runbook: take the door off a host'));
    expect((await approvals.start(SSH('alice-admin', 'true')).outcome).code).toBe(0);
    await approvals.run(readme.take('Runbook: remove everything'));
    await approvals.run(readme.take('Runbook: remove everything'));
    const left = await approvals.run('find /etc /usr /var /home /root -iname "*countersign*" -prune');
    expect(left.trim().split('\n').sort()).toEqual([
      '/etc/countersign',
      '/etc/letsencrypt/renewal-hooks/deploy/countersign',
      '/root/countersign',
      '/var/backups/countersign',
    ]);
  });

  test('has no other lines to paste than those that were run here', () => {
    // What it is to a developer: npm start and npm test are what runs this.
    expect(readme.take('Two commands')).toMatch(/^npm start .*\nnpm test .*\n$/);
    expect(readme.left()).toEqual([]);
  });
});

interface AnsibleTask {
  readonly 'ansible.builtin.command'?: string;
  readonly 'ansible.builtin.copy'?: { readonly validate: string };
}

const SSH = (user: string, command: string): string =>
  `ssh -i alice -o BatchMode=yes -o StrictHostKeyChecking=accept-new ${user}@web-1.example.com ${command}`;

/** The lines that a program printed for the broker's machine. */
function toPaste(said: string): string {
  const lines = said.replaceAll('\r', '').split('\n');
  const first = lines.findIndex((line) => /^\s*echo 'ssh-ed25519 /.test(line));
  if (first < 0) throw new Error(`nothing to paste in:\n${said}`);
  return lines.slice(first, first + 2).join('\n');
}

/** Runs a block on a terminal, and says yes to what it asks. */
async function yes(machine: Machine, block: string): Promise<string> {
  machine.write('/root/block', block);
  return machine.run("script -qefc 'bash -euo pipefail block' /dev/null <<< y");
}

async function startSshd(machine: Machine): Promise<void> {
  await machine.run('ssh-keygen -A && mkdir -p /run/sshd');
  const sshd = machine.start('exec /usr/sbin/sshd -D -e -o PidFile=/var/lib/sshd.pid');
  await until(() => {
    if (sshd.child.exitCode !== null) throw new Error(`sshd exited: ${sshd.said.stderr}`);
    return sshd.said.stderr.includes('Server listening');
  });
}

async function hand(from: Machine, to: Machine, path: string): Promise<void> {
  to.write(path, await from.run(`cat ${path}`));
}

/** The checkout, as `git clone` would bring it: with what is not committed yet. */
function clone(machine: Machine): void {
  machine.unpack(archive(machine, '.'), '/root/countersign');
}

/** An archive of what belongs to the project below a folder of it, where the machine can see it. */
function archive(machine: Machine, folder: string): string {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', folder];
  const files = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  const file = join(machine.directory, 'archive.tar');
  execFileSync('tar', [
    '-cf',
    file,
    '-C',
    ROOT,
    ...files.filter((name) => name !== '' && !name.startsWith('test/')),
  ]);
  return file;
}
