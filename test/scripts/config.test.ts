import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inDoor, lines, VECTORS } from './door-shell.js';

const FOLDER = `${VECTORS}/door/config`;
const EXPECTED = readFileSync(`${FOLDER}/expected.tsv`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));

describe('the configuration of a door', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** What `read_config` sets, or why it does not. */
  function read(text: string): { status: number; said: string } {
    const file = join(directory, 'pam.conf');
    writeFileSync(file, text);
    const script = `read_config "$1"
for key in "\${!config[@]}"; do echo "$key=\${config[$key]}"; done | sort
echo "url=$broker_url socket=$broker_socket groups=\${required_groups[*]} counts=\${required_counts[*]}"
end 0 internal ''`;
    const { status, stdout } = inDoor(script, { args: [file] });
    return { status, said: stdout.replaceAll(file, 'FILE') };
  }

  test('every shared vector has its verdict (A11, A65)', () => {
    const script = `while IFS= read -r file; do (read_config "$1/$file") >/dev/null && echo ok || echo bad; done`;
    const found = lines(
      inDoor(script, { input: EXPECTED.map(([file]) => `${file}\n`).join(''), args: [FOLDER] }),
    );
    expect(EXPECTED.map(([file], index) => [file, found[index]])).toEqual(EXPECTED);
  });

  test('what is not said has its default', () => {
    const { status, said } = read(readFileSync(`${FOLDER}/ok-minimal.conf`, 'utf8'));
    expect(status).toBe(0);
    expect(said.split('\n')).toEqual(
      expect.arrayContaining([
        ...['people=1', 'touch=no', 'grants=no', 'longest=900', 'longest-duration=0', 'mode=enforce'],
        ...['shared-requester=one-more', 'wait=100', 'sudo-wait=60', 'users=', 'groups=', 'exempt-group='],
        ...['resource=web-1.example.com', 'state=/var/lib/countersign', 'key=/etc/ssh/ssh_host_ed25519_key'],
        'url=https://countersign.example.com:7433 socket= groups= counts=',
      ]),
    );
  });

  test('what is said stands, and a socket is no address', () => {
    const text = readFileSync(`${FOLDER}/ok-everything.conf`, 'utf8').replace(
      /^broker=.*$/m,
      'broker=unix:/run/c/s',
    );
    const { said } = read(text.replace(/^ca=.*\n/m, ''));
    expect(said).toContain('url=http://localhost socket=/run/c/s groups=oncall db counts=1 2');
    expect(said).toContain('\npeople=2\n');
  });

  test.each([
    ['peoples=2\n', 'bad-config: FILE line 6: unknown key peoples'],
    ['people=2\npeople=3\n', 'bad-config: FILE line 7: people stands twice'],
    ['people = 2\n', 'bad-config: FILE line 6: not key=value'],
    [
      'duration=61\nlongest-duration=60\n',
      'bad-config: FILE: duration is above longest-duration: this door would not take what it asks for',
    ],
    [
      'number=yes\n',
      'bad-config: FILE line 6: number is for gates, run and CI jobs: whoever logs in is shown nothing before it is decided',
    ],
    ['people=0\n', 'bad-config: FILE: the value of people is not one that this key takes'],
  ])('the reason names the line or the key: %j', (line, reason) => {
    const text = readFileSync(`${FOLDER}/ok-minimal.conf`, 'utf8');
    expect(read(text + line)).toEqual({ status: 1, said: `${reason}\n` });
  });

  test('a file that is not there keeps the door shut', () => {
    const { status, stdout } = inDoor('read_config /nonexistent/pam.conf; echo open');
    expect([status, stdout.includes('open')]).toEqual([1, false]);
  });
});
