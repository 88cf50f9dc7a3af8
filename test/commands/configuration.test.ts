import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfiguration } from '../../src/commands/configuration.js';
import { readConfiguration } from '../../src/commands/configuration-file.js';
import { EXAMPLE_CONFIGURATION } from '../../src/commands/example-configuration.js';
import { Problem } from '../../src/protocol/problems.js';
import { temporaryDirectory } from '../ssh/openssh.js';

const FULL = `
profile: production
profiles:
  production:
    url: https://approvals.example.com:7433
    ca: /etc/countersign/ca.pem
    key: ~/.ssh/id_ed25519_sk
    colour: red
    utc: true
  staging: { url: "https://staging.example.com", colour: green, token-file: ~/t }
  here:
    dir: /var/lib/countersign
`;

const refusal = (text: string): string => {
  try {
    parseConfiguration(text, 'config.yaml');
    return 'taken';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.code).toBe('malformed-configuration');
    return `${error.message} | ${error.hint}`;
  }
};

describe('config.yaml', () => {
  test('gives every value with its line', () => {
    const { profile, profiles } = parseConfiguration(FULL, 'config.yaml');
    expect(profile).toEqual({ value: 'production', line: 2 });
    expect(profiles.get('production')).toEqual({
      name: 'production',
      url: { value: 'https://approvals.example.com:7433', line: 5 },
      dir: null,
      ca: { value: '/etc/countersign/ca.pem', line: 6 },
      key: { value: '~/.ssh/id_ed25519_sk', line: 7 },
      tokenFile: null,
      retain: null,
      webhooks: null,
      colour: { value: 'red', line: 8 },
      utc: { value: true, line: 9 },
      notify: null,
      quiet: null,
      theme: null,
    });
    expect(profiles.get('staging')).toMatchObject({ tokenFile: { value: '~/t', line: 10 } });
    expect(profiles.get('here')).toMatchObject({ dir: { line: 12 }, url: null });
  });

  test('says how the console looks, for all brokers and for one', () => {
    const text =
      'theme: light\nascii: true\nscreen-reader: false\nprofiles: { p: { theme: none } }\nclipboard: osc52';
    const parsed = parseConfiguration(text, 'config.yaml');
    expect(parsed).toMatchObject({
      theme: { value: 'light', line: 1 },
      ascii: { value: true, line: 2 },
      screenReader: { value: false, line: 3 },
      clipboard: { value: 'osc52', line: 5 },
    });
    expect(parsed.profiles.get('p')?.theme).toEqual({ value: 'none', line: 4 });
    expect(refusal('theme: bright')).toContain('line 1: theme is not one of dark, light, colour-blind, none');
  });

  test.each(['', '# nothing\n', 'profiles: {}\n'])('%j has no profiles', (text) => {
    expect(parseConfiguration(text, 'config.yaml').profiles.size).toBe(0);
  });

  test.each([
    ['profiles:\n  p:\n    color: red', 'line 3: unknown key "color" | did you mean colour?'],
    ['profils: {}', 'line 1: unknown key "profils" | did you mean profile?'],
    ['profiles:\n  p:\n    nonsense: 1', 'line 3: unknown key "nonsense" | the keys here are url, dir, ca'],
    [
      'profiles:\n  p:\n    url: https://a\n    url: https://b',
      'line 4: this key stands there a second time',
    ],
    ['profiles:\n  p: {}\n  q: {}\n  p: {}', 'line 4: this key stands there a second time'],
    ['profiles:\n  p:\n    utc: yes', 'line 3: p utc is not true or false'],
    ['profiles:\n  p:\n    utc: "true"', 'line 3: p utc is not true or false'],
    ['profiles:\n  p:\n    url: 7433', 'line 3: p url is not a text'],
    ['profiles:\n  p:\n    url:', 'line 3: p url is not a text'],
    ['profiles:\n  p:\n    url: ftp://a', 'line 3: p url is no address'],
    ['profiles:\n  p:\n    url: https://u:p@a', 'line 3: p url is no address'],
    ['profiles:\n  p:\n    key: id_ed25519', 'line 3: p key is not a path from / or ~/'],
    ['profiles:\n  p:\n    retain: 400', 'line 3: p retain is not a text'],
    ['profiles:\n  p:\n    retain: a year', 'line 3: p retain is not a time like 400d'],
    ['profiles:\n  p:\n    notify: beep', 'line 3: p notify is not one of bell, osc9, osc777, off'],
    ['profiles:\n  p:\n    quiet: 22-7', 'line 3: p quiet are no hours like 22:00-07:00'],
    ['profiles:\n  p:\n    quiet: 2200', 'line 3: p quiet is not a text'],
    ['profiles:\n  p:\n    colour: pink', 'line 3: p colour is not one of red, yellow'],
    ['profiles:\n  p:\n    url: https://a\n    dir: /b', 'line 4: p dir names a broker, and url another one'],
    ['profiles:\n  Prod: {}', 'line 2: Prod is not a name of at most 20'],
    ['profiles:\n  "a\\e[31m": {}', 'is not a name of at most 20'],
    ['profiles:\n  p:', 'line 2: p is not a list of KEY: VALUE'],
    ['profiles: [p]', 'line 1: profiles is not a list of KEY: VALUE'],
    ['profiles:', 'line 1: profiles is not a list of KEY: VALUE'],
    ['- a', 'line 1: the file is not a list of KEY: VALUE'],
    ['profile: q\nprofiles: { p: {} }', 'line 1: there is no profile q | the profiles are p'],
    ['profile: q', 'line 1: there is no profile q | the file has no profiles'],
    ['profiles:\n  p: &x { utc: true }\n  q: *x', 'line 2: anchors and aliases are not taken'],
    ['profiles:\n  p:\n    utc: !!bool true', 'line 3: tags are not taken'],
    ['profiles:\n  p:\n    url: !js https://a', 'line 3: not YAML: Unresolved tag'],
    ['profiles:\n  p: { utc: true', 'not YAML'],
    ['profiles: {}\n---\nprofiles: {}', 'line 2: a second document begins here'],
    ['profiles:\n\tp: {}', 'line 2: not YAML'],
    ['#'.repeat(70_000), 'larger than 64 KiB'],
    ['profiles:\n  __proto__:\n    url: https://a', 'line 2: __proto__ is not taken'],
  ])('%j is refused with its line', (text, message) => {
    expect(refusal(text)).toContain(message);
  });

  test('says in a profile how one is called, in the words of YAML 1.2, where off is no boolean', () => {
    const { profiles } = parseConfiguration(
      'profiles:\n  p:\n    notify: off\n    quiet: 22:00-07:00\n',
      'f',
    );
    expect(profiles.get('p')).toMatchObject({ notify: { value: 'off' }, quiet: { value: '22:00-07:00' } });
  });

  test('of the example is one that can be read, with and without its comments', () => {
    expect(parseConfiguration(EXAMPLE_CONFIGURATION, 'f').profiles.size).toBe(0);
    const uncommented = EXAMPLE_CONFIGURATION.replaceAll(/^# (?=profile| {2})/gm, '');
    expect([...parseConfiguration(uncommented, 'f').profiles.keys()]).toEqual([
      'production',
      'staging',
      'this-machine',
      'deploy-job',
    ]);
  });
});

describe('the file', () => {
  const make = (): string => {
    const directory = temporaryDirectory();
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o700);
    const path = join(directory, 'config.yaml');
    writeFileSync(path, FULL, { mode: 0o600 });
    return path;
  };

  test('may be absent', async () => {
    expect(await readConfiguration(join(temporaryDirectory(), 'config.yaml'))).toBeNull();
  });

  test('may be read by others', async () => {
    const path = make();
    chmodSync(path, 0o644);
    expect(await readConfiguration(path)).toMatchObject({ path });
  });

  test.each([0o620, 0o602])('is refused where others may write it (mode %o)', async (mode) => {
    const path = make();
    chmodSync(path, mode);
    await expect(readConfiguration(path)).rejects.toMatchObject({
      code: 'malformed-configuration',
      message: `${path} may be written by others`,
      hint: `chmod go-w ${path}`,
    });
  });

  test('is refused where others may put another one into its place', async () => {
    const path = make();
    chmodSync(join(path, '..'), 0o777);
    await expect(readConfiguration(path)).rejects.toMatchObject({ code: 'malformed-configuration' });
  });
});
