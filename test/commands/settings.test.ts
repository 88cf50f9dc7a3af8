import { describe, expect, test } from 'vitest';
import { alertsOption } from '../../src/commands/alerts-option.js';
import { parseConfiguration } from '../../src/commands/configuration.js';
import { looksOption } from '../../src/commands/looks-option.js';
import { type GivenFlags, settle, sourceName, withSettings } from '../../src/commands/settings.js';
import { codeOf } from '../ssh/problem.js';

const FILE = `profile: production
profiles:
  production:
    url: https://approvals.example.com:7433
    ca: ~/ca.pem
    key: /keys/production
    token-file: /keys/token
    colour: red
    utc: true
  staging: { url: "https://staging.example.com", key: /keys/staging }
  here: { dir: /var/lib/countersign, key: /keys/here, colour: green, retain: 400d, webhooks: ~/webhooks.yaml }
`;
const configuration = parseConfiguration(FILE, '/c/config.yaml');

function settled(
  flags: GivenFlags = {},
  env: Record<string, string> = {},
  counterpart: 'broker' | 'directory' = 'broker',
) {
  const home = { HOME: '/home/bob', ...env };
  const settings = settle(flags, home, configuration, { counterpart, file: '/c/config.yaml' });
  const { COUNTERSIGN_URL, COUNTERSIGN_DIR, COUNTERSIGN_CA, COUNTERSIGN_KEY } = withSettings(settings, home);
  return {
    settings,
    name: settings.label?.name ?? null,
    filled: [COUNTERSIGN_URL, COUNTERSIGN_DIR, COUNTERSIGN_CA, COUNTERSIGN_KEY]
      .map((text) => text ?? '-')
      .join(' '),
    source: (name: 'profile' | 'url' | 'dir' | 'ca' | 'key' | 'utc') => sourceName(settings[name].source),
  };
}

describe('a setting', () => {
  test('comes from the flag, then the environment, then the profile, then the default', () => {
    const env = { COUNTERSIGN_KEY: '/keys/env' };
    expect(settled({ key: '/keys/flag' }, env).settings.key).toEqual({
      value: '/keys/flag',
      source: { kind: 'flag', flag: '--key' },
    });
    expect(settled({}, env).source('key')).toBe('COUNTERSIGN_KEY');
    expect(settled().source('key')).toBe('config.yaml line 6');
    expect(settled({ profile: 'here' }).source('url')).toBe('default');
  });

  test('of how long history is kept is that of the data directory, and of no other broker', () => {
    const retain = (flags: GivenFlags, env: Record<string, string> = {}) =>
      settled(flags, env, 'directory').settings.retain;
    expect(settled({ profile: 'here' }, { HOME: '/home/me' }, 'directory').settings.webhooks.value).toBe(
      '/home/me/webhooks.yaml',
    );
    expect(retain({ profile: 'here' })).toEqual({ value: '400d', source: { kind: 'file', line: 11 } });
    expect(retain({ profile: 'here', dir: '/var/lib/other' }).value).toBeNull();
    expect(retain({ profile: 'here' }, { COUNTERSIGN_RETAIN: '90d' }).value).toBe('90d');
    expect(retain({ profile: 'here', retain: '60d' }, { COUNTERSIGN_RETAIN: '90d' }).value).toBe('60d');
  });

  test('of the profile stands in for a variable that is not set; ~ is the home', () => {
    expect(settled().filled).toBe('https://approvals.example.com:7433 - /home/bob/ca.pem /keys/production');
    expect(settled({}, { COUNTERSIGN_KEY: '', COUNTERSIGN_CA: '/x' }).filled).toBe(
      'https://approvals.example.com:7433 - /x /keys/production',
    );
  });

  test('is the same without a file', () => {
    const settings = settle({}, {}, null, { counterpart: 'broker', file: 'f' });
    expect(settings).toMatchObject({ label: null, profile: { value: null }, url: { value: null } });
    expect(withSettings(settings, { A: 'b' })).toEqual({ A: 'b' });
  });
});

describe('how one is called', () => {
  const alerts = (flags: Parameters<typeof alertsOption>[0], env: Record<string, string> = {}) =>
    alertsOption(flags, env);

  test('is by the bell at any hour, unless a flag, a variable or the profile says otherwise', () => {
    expect(alerts({})).toEqual({ notify: 'bell', quiet: null, isInTmux: false });
    const env = { COUNTERSIGN_NOTIFY: 'osc9', COUNTERSIGN_QUIET: '22:00-07:00', TMUX: '/tmp/t,1,0' };
    expect(alerts({}, env)).toEqual({ notify: 'osc9', quiet: { from: 1320, to: 420 }, isInTmux: true });
    expect(alerts({ notify: 'off', quiet: '12:00-13:00' }, env)).toMatchObject({
      notify: 'off',
      quiet: { from: 720, to: 780 },
    });
    const file = parseConfiguration(
      'profile: p\nprofiles: { p: { url: "https://a", notify: off, quiet: 22:00-07:00 } }',
      'f',
    );
    const filled = (flags: GivenFlags) =>
      withSettings(settle(flags, {}, file, { counterpart: 'broker', file: 'f' }), {});
    expect(filled({})).toMatchObject({ COUNTERSIGN_NOTIFY: 'off', COUNTERSIGN_QUIET: '22:00-07:00' });
    expect(filled({ url: 'https://other' })).not.toHaveProperty('COUNTERSIGN_NOTIFY');
  });

  test.each([[{ notify: 'beep' }], [{ notify: '' }], [{ quiet: '22-7' }], [{ quiet: '' }]])(
    '%j is refused, so that nobody relies on what is not so',
    (flags) => expect(codeOf(() => alerts(flags))).toBe('usage'),
  );
});

describe('how the console looks', () => {
  const UTF8 = { LANG: 'en_US.UTF-8', TERM: 'xterm-256color' };
  const looks = (flags: Parameters<typeof looksOption>[0], env: Record<string, string> = {}) =>
    looksOption(flags, { ...UTF8, ...env });

  test('is dark, in Unicode and painted, unless a flag, a variable or the configuration says otherwise', () => {
    expect(looks({})).toEqual({ theme: 'dark', isAscii: false, isSpoken: false });
    const env = {
      COUNTERSIGN_THEME: 'none',
      COUNTERSIGN_ASCII: 'yes',
      COUNTERSIGN_SCREEN_READER: 'yes',
    };
    expect(looks({}, env)).toEqual({ theme: 'none', isAscii: true, isSpoken: true });
    expect(looks({ theme: 'light' }, env).theme).toBe('light');
    expect(looks({ ascii: true, screenReader: true })).toMatchObject({ isAscii: true, isSpoken: true });
    const file = parseConfiguration(
      'profile: p\ntheme: light\nascii: true\nscreen-reader: false\nprofiles: { p: { url: "https://a", theme: none }, q: {} }',
      'f',
    );
    const filled = (flags: GivenFlags) =>
      withSettings(settle(flags, {}, file, { counterpart: 'broker', file: 'f' }), {});
    expect(filled({})).toMatchObject({
      COUNTERSIGN_THEME: 'none',
      COUNTERSIGN_ASCII: 'yes',
      COUNTERSIGN_SCREEN_READER: 'no',
    });
    expect(filled({ profile: 'q' })).toMatchObject({ COUNTERSIGN_THEME: 'light' });
    expect(filled({ url: 'https://other' })).toMatchObject({ COUNTERSIGN_THEME: 'light' });
  });

  test.each([
    [{ LANG: '' }],
    [{ LANG: 'C' }],
    [{ LC_CTYPE: 'POSIX' }],
    [{ LC_ALL: 'en_US.ISO-8859-1' }],
    [{ LC_ALL: 'C', LC_CTYPE: 'C.UTF-8' }],
    [{ TERM: 'linux' }],
    [{ TERM: 'vt100' }],
    [{ TERM: 'dumb' }],
  ])('is in ASCII by itself with %j, and can be told not to', (env) => {
    expect(looks({}, env).isAscii).toBe(true);
    expect(looks({}, { ...env, COUNTERSIGN_ASCII: 'no' }).isAscii).toBe(false);
  });

  test.each([[{ LANG: 'de_DE.utf8' }], [{ LC_ALL: 'C.UTF-8', LANG: 'C' }], [{ TERM: 'screen-256color' }]])(
    'is in Unicode with %j',
    (env) => expect(looks({}, env).isAscii).toBe(false),
  );

  test('is one fact a line by itself on a terminal that cannot move its cursor', () => {
    expect(looks({}, { TERM: 'dumb' }).isSpoken).toBe(true);
    expect(looks({}, { TERM: 'dumb', COUNTERSIGN_SCREEN_READER: 'no' }).isSpoken).toBe(false);
  });

  test('is refused where it is not understood', () => {
    expect(codeOf(() => looks({ theme: 'bright' }))).toBe('usage');
    expect(codeOf(() => looks({}, { COUNTERSIGN_ASCII: '1' }))).toBe('usage');
    expect(codeOf(() => looks({}, { COUNTERSIGN_SCREEN_READER: 'true' }))).toBe('usage');
  });
});

describe('the profile', () => {
  test('is that of --profile, then COUNTERSIGN_PROFILE, then the file', () => {
    const env = { COUNTERSIGN_PROFILE: 'staging' };
    expect(settled({ profile: 'here' }, env)).toMatchObject({
      name: 'here',
      filled: '- /var/lib/countersign - /keys/here',
    });
    expect(settled({}, env)).toMatchObject({
      name: 'staging',
      filled: 'https://staging.example.com - - /keys/staging',
    });
    expect(settled()).toMatchObject({ name: 'production' });
  });

  test('that is unknown is refused, and those that exist are named', () => {
    const unknown = () => settled({ profile: 'prod' });
    expect(codeOf(unknown)).toBe('usage');
    expect(unknown).toThrow('there is no profile "prod" in /c/config.yaml');
    expect(unknown).toThrow(expect.objectContaining({ hint: 'the profiles are here, production, staging' }));
    const none = () => settle({ profile: 'p' }, {}, null, { counterpart: 'broker', file: 'f' });
    expect(none).toThrow(expect.objectContaining({ hint: expect.stringContaining('config init') }));
  });
});

describe('another broker than that of the profile', () => {
  test.each([
    [{ url: 'https://evil.example.com' }, {}, '- - - -'],
    [{ dir: '/tmp/try' }, {}, '- - - -'],
    [{}, { COUNTERSIGN_URL: 'https://evil.example.com' }, 'https://evil.example.com - - -'],
    [{}, { COUNTERSIGN_DIR: '/tmp/try' }, '- /tmp/try - -'],
    [{ url: 'https://staging.example.com' }, {}, '- - - -'],
  ])('named by %j or %j gets neither its key nor its CA, name and colour', (flags, env, filled) => {
    const other = settled(flags, env);
    expect(other).toMatchObject({ name: null, filled });
    expect(other.settings.colour.value).toBeNull();
    expect(other.settings.unused).toMatch(/names another broker than the profile production/);
  });

  test('still has times shown as the reader wants them', () => {
    expect(settled({ url: 'https://evil.example.com' }).settings.utc.value).toBe(true);
  });

  test('gets key and CA where --profile asks for them by name, but never its name', () => {
    const tunnel = settled({ profile: 'production', url: 'https://127.0.0.1:9000' });
    expect(tunnel).toMatchObject({ name: null, filled: '- - /home/bob/ca.pem /keys/production' });
    expect(tunnel.settings.unused).toContain('its token, name and colour are not');
  });

  test('is never sent the token of the profile', () => {
    const tokenAt = (flags: GivenFlags) => settled(flags).settings.tokenFile.value;
    expect(tokenAt({ profile: 'production' })).toBe('/keys/token');
    expect(tokenAt({ url: 'https://approvals.example.com:7433' })).toBe('/keys/token');
    expect(tokenAt({ url: 'https://evil.example.com' })).toBeNull();
    expect(tokenAt({ profile: 'production', url: 'https://evil.example.com' })).toBeNull();
  });
});

test.each([
  [{ COUNTERSIGN_URL: 'https://other.example.com' }, 'broker'],
  [{ COUNTERSIGN_DIR: '/tmp/try' }, 'broker'],
  [{ COUNTERSIGN_DIR: '/tmp/try' }, 'directory'],
] as const)('--profile beside %j is refused: neither is what was asked for (%s)', (env, counterpart) => {
  const both = () => settled({ profile: 'production' }, env, counterpart);
  expect(codeOf(both)).toBe('usage');
  expect(both).toThrow(`--profile production and ${Object.keys(env)[0]} name two brokers`);
});

test.each([
  [{ url: 'https://approvals.example.com:7433/' }, {}],
  [{}, { COUNTERSIGN_URL: 'https://APPROVALS.example.com:7433' }],
])('the same broker, named once more by %j or %j, is that of the profile', (flags, env) => {
  expect(settled(flags, env)).toMatchObject({
    name: 'production',
    settings: { key: { value: '/keys/production' }, unused: null },
  });
});

describe('a verb that works on a data directory', () => {
  test('uses nothing of a profile with an address', () => {
    expect(settled({}, {}, 'directory')).toMatchObject({ name: null, filled: '- - - -' });
    expect(settled({}, { COUNTERSIGN_URL: 'https://x' }, 'directory')).toMatchObject({ name: null });
  });

  test('refuses such a profile where it is asked for: it would change another broker', () => {
    expect(codeOf(() => settled({ profile: 'production' }, {}, 'directory'))).toBe('usage');
    expect(codeOf(() => settled({ profile: 'production', dir: '/d' }, {}, 'directory'))).toBeNull();
  });

  test('uses a profile with a directory', () => {
    expect(settled({ profile: 'here' }, {}, 'directory')).toMatchObject({
      name: 'here',
      filled: '- /var/lib/countersign - /keys/here',
    });
    expect(settled({ dir: '/d' }, { COUNTERSIGN_PROFILE: 'here' }, 'directory')).toMatchObject({
      name: null,
      filled: '- - - -',
    });
  });
});
