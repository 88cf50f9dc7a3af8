import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { inDoor, lines } from './door-shell.js';
import { FINGERPRINT } from './fake-broker.js';
import { MemoryKey } from './receipt-mutations.js';

const MINIMAL = `broker=https://approvals.example.com
fingerprint=${FINGERPRINT}
door=gate:web-1
submitter=gate:web-1:%u
signers=/etc/countersign/signers
`;

/** What the modules of the gate print, with the account deploy; `setUp` comes before the configuration counts. */
const inGate = (script: string, args: readonly string[] = []) =>
  inDoor(
    `account=deploy account_id=1001 account_shell=/bin/sh config_account=deploy\n${script}\nend 0 internal ''`,
    {
      modules: ['gate'],
      args,
    },
  );

describeWith(['sshd', 'ssh-keygen'], 'the check of sshd', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'gate-'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'key')]);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** What is found where these lines are included before the block of the gate. */
  function found(included: string): string {
    writeFileSync(join(directory, 'included.conf'), included);
    const config = join(directory, 'sshd_config');
    const block = 'Match User root\nForceCommand /gate\nMatch Address 198.51.100.0/24\nForceCommand /late\n';
    writeFileSync(config, `HostKey ${directory}/key\ninclude "${directory}/*.conf"\n${block}`);
    const script = `check_sshd_config=$1; check_connections root; end 0 internal ''`;
    return inDoor(script, { modules: ['check', 'check-gate'], args: [config] }).stdout;
  }

  test.each([
    ['an address', 'Match Address !10.9.0.0/16,10.*\n', 'addr=10.1.1.1'],
    ['a network', 'match address=2001:db8::/32 User root\n', 'addr=2001:db8::'],
    ['a name', 'Match Host *.example.com\n', 'host=1.example.com'],
    ['a port', 'Match LocalPort 2222\n', 'lport=2222'],
    ['an address of this host', 'Match LocalAddress 192.0.2.1\n', 'laddr=192.0.2.1'],
  ])('finds that the gate does not hold for %s (A65)', (_, match, connection) => {
    expect(found(`${match}ForceCommand none\n`)).toMatch(
      new RegExp(`^FAIL {2}sshd: Match .* changes how root is held: .*${connection}.*\n$`),
    );
    expect(found(`${match}PasswordAuthentication no\n`)).toBe('');
  });
});

describe('what a gate makes of a session', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'gate-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const write = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text, 'latin1');
    return file;
  };

  /** How a session with these variables is described, or why it is not. */
  function describeSession(variables: Record<string, string>, settings = '', prelude = ''): string {
    const assignments = Object.entries({ SSH_CONNECTION: '203.0.113.9 50000 192.0.2.1 22', ...variables })
      .map(
        ([name, value]) =>
          `session_variable[${name}]=${quote(value)}; session_environment+=(${quote(`${name}=${value}`)})`,
      )
      .join('\n');
    const script = `read_config "$1"\n${assignments}\n${prelude}\ndescribe_session
printf '%s\\n' "$gate_action" "$gate_details" "\${session_program[@]}"`;
    return inGate(script, [write('gate.conf', MINIMAL + settings)]).stdout;
  }

  test('%u is the account, in what the file says and in what it does not say', () => {
    const said = lines(
      inGate(
        'read_config "$1"; echo "${config[submitter]} ${config[key]} ${config[state]} ${config[wait]}"',
        [write('gate.conf', MINIMAL)],
      ),
    );
    expect(said).toEqual([
      'gate:web-1:deploy /etc/countersign/gate/deploy.key /var/lib/countersign-gate/deploy 300',
    ]);
  });

  test.each(['users=alice', 'groups=ops', 'exempt-group=ops', 'mode=observe', 'sudo-wait=3'])(
    'gate.conf does not know %s: a gate is for everybody whom sshd sends there',
    (line) => {
      expect(inGate('read_config "$1"', [write('gate.conf', `${MINIMAL}${line}\n`)]).stdout).toContain(
        'unknown key',
      );
    },
  );

  test('a number is for gates, but not beside grants', () => {
    const read = (text: string): string =>
      inGate('read_config "$1"; echo "${config[number]}"', [write('gate.conf', MINIMAL + text)]).stdout;
    expect([read(''), read('number=yes\n')]).toEqual(['no\n', 'yes\n']);
    expect(read('number=yes\ngrants=yes\n')).toMatch(/^bad-config: .*number and grants exclude each other/);
    expect(read('number=123456\n')).toMatch(/^bad-config: .*value of number/);
  });

  test.each([
    'environment=LANG,',
    'environment=*',
    'environment=A-B',
    'environment=[A]',
    'interactive=maybe',
  ])('%s is no value', (line) => {
    expect(inGate('read_config "$1"', [write('gate.conf', `${MINIMAL}${line}\n`)]).status).toBe(1);
  });

  test('a command, its variables, key, source and terminal are canonical JSON, sorted (A1, A2, A6)', () => {
    const command = 'echo "a\\b"\n\ttwo  é';
    const said = describeSession(
      { SSH_ORIGINAL_COMMAND: command, LC_TIME: 'C', LANG: 'de_DE.UTF-8', HOME: '/home/deploy' },
      '',
      'login_keys=(SHA256:one)',
    );
    expect(Buffer.from(said, 'latin1').toString()).toBe(
      `ssh.command
{"command":${JSON.stringify(command)},"environment":["LANG=de_DE.UTF-8","LC_TIME=C"],"keys":["SHA256:one"],"source":"203.0.113.9","tty":false,"user":"deploy"}
/bin/sh\n-c\n${command}\n`,
    );
  });

  test('on a terminal, TERM is bound as well', () => {
    const said = describeSession({ SSH_ORIGINAL_COMMAND: 'x', TERM: 'xterm' }, '', 'session_tty=true');
    expect(said).toContain('"environment":["TERM=xterm"],"keys":[],"source":"203.0.113.9","tty":true');
  });

  test.each([
    ['no command', {}, 'no-interactive'],
    ['internal-sftp', { SSH_ORIGINAL_COMMAND: 'internal-sftp' }, 'no-sftp'],
    ['internal-sftp with flags', { SSH_ORIGINAL_COMMAND: 'internal-sftp -f AUTH -l INFO' }, 'no-sftp'],
    ['the program of sshd', { SSH_ORIGINAL_COMMAND: '/usr/lib/openssh/sftp-server' }, 'no-sftp'],
    ['a command of 4,097 bytes', { SSH_ORIGINAL_COMMAND: 'x'.repeat(4_097) }, 'long-command'],
    ['a command that is no UTF-8', { SSH_ORIGINAL_COMMAND: 'x\xff' }, 'long-command'],
    ['a variable that is no UTF-8', { SSH_ORIGINAL_COMMAND: 'x', LANG: '\xff' }, 'bad-environment'],
  ])('%s is refused', (_, variables, code) => {
    expect(describeSession(variables as Record<string, string>)).toMatch(new RegExp(`^${code}: `));
  });

  test('a command that only looks like SFTP is a command like any other', () => {
    const said = describeSession({ SSH_ORIGINAL_COMMAND: '/bin/sftp-server; id' });
    expect(said.split('\n')[0]).toBe('ssh.command');
  });

  test('a shell and SFTP have actions of their own where they may be asked for', () => {
    expect(describeSession({}, 'interactive=yes\n').split('\n').slice(0, 2)).toEqual([
      'ssh.shell',
      '{"environment":[],"keys":[],"source":"203.0.113.9","tty":false,"user":"deploy"}',
    ]);
    const sftp = describeSession({ SSH_ORIGINAL_COMMAND: '/usr/lib/sftp-server' }, 'sftp=yes\n');
    expect(sftp.split('\n')[0]).toBe('ssh.sftp');
  });

  test('who asks is whose key logged in; with nobody’s, or with two people’s, it is the account (A8, A63)', () => {
    const keys = { alice: new MemoryKey(), bob: new MemoryKey(), nobody: new MemoryKey() };
    const file = write(
      'signers',
      ['alice,alice-admin', 'bob']
        .map(
          (names) =>
            `${names} namespaces="decision@countersign" ${keys[names.split(',')[0] as 'bob'].line}\n`,
        )
        .join(''),
    );
    const requesters = [['alice'], ['bob'], ['nobody'], [], ['alice', 'bob'], ['alice', 'nobody']] as const;
    const script = requesters
      .map(
        (who) =>
          `login_key_texts=(${who.map((name) => quote(keys[name].line)).join(' ')}); find_requester; echo "$requester"`,
      )
      .join('\n');
    expect(lines(inGate(`parse_signers "$1"\n${script}`, [file]))).toEqual([
      ...['alice', 'bob', 'deploy', 'deploy', 'deploy', 'alice'],
    ]);
  });

  test.each([
    ['no file', null],
    ['no last LF', 'publickey ssh-ed25519 AAAA'],
    ['a key in another form', 'publickey ssh-ed25519 AAAA more\n'],
    ['a key that is none', 'publickey ssh-ed25519 AAAA\n'],
    ['bytes that are no ASCII', 'publickey ssh-ed25519 \xe9\n'],
  ])('shut where sshd’s word on the login is %s', (_, text) => {
    const file = text === null ? join(directory, 'missing') : write('auth', text);
    const { status, stdout } = inGate(`session_variable[SSH_USER_AUTH]=$1; read_login_keys; echo "read"`, [
      file,
    ]);
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^no-auth-info: /)]);
  });
});

const quote = (text: string): string =>
  `$'${[...Buffer.from(text, text.includes('\xff') ? 'latin1' : 'utf8')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`;
