import { describe, expect, test } from 'vitest';
import {
  examineTmuxSocket,
  readAccess,
  sharedTmuxRemark,
  sharedTmuxWarnings,
  type TmuxSocketFacts,
  tmuxSocketFacts,
} from '../../../src/commands/examinations/tmux-socket.js';

const SELF = 1000;
const own = (mode: number) => ({ owner: SELF, mode });
const tmux = (given: Partial<TmuxSocketFacts> = {}): TmuxSocketFacts => ({
  path: '/tmp/tmux-1000/default',
  socket: own(0o770),
  directory: own(0o700),
  self: { id: SELF, name: 'bob' },
  access: [],
  clients: 1,
  ...given,
});
const examine = (given: Partial<TmuxSocketFacts>): string[] =>
  examineTmuxSocket(tmux(given)).map(({ state, what, fix }) => `${state}: ${what} | ${fix}`);

describe('the tmux around a console (A36)', () => {
  test('is one’s own where nobody else is let in', () => {
    expect(examine({})).toEqual(['good: nobody but you and root can type in this tmux | null']);
    expect(examine({ socket: { owner: 0, mode: 0o600 }, directory: { owner: 0, mode: 0o1777 } })).toEqual([
      expect.stringMatching(/^good/),
    ]);
    expect(sharedTmuxWarnings(tmux())).toEqual([]);
    expect(examineTmuxSocket(null)).toEqual([]);
  });

  test('is another person’s after su', () => {
    expect(examine({ socket: { owner: 1001, mode: 0o770 }, access: null })).toEqual([
      'warning: this tmux belongs to user 1001, who can type here | open the console in a tmux of your own: tmux -L own',
    ]);
  });

  test.each([0o777, 0o770])('can be exchanged in a directory of mode %o', (mode) => {
    expect(examine({ path: '/srv/our tmux/s', directory: own(mode) })).toEqual([
      expect.stringMatching(/^warning: others can put a tmux of theirs .* \| chmod go-w '\/srv\/our tmux'$/),
    ]);
  });

  test('can be exchanged in the directory of another person', () => {
    expect(examine({ directory: { owner: 1001, mode: 0o755 } })[0]).toMatch(/^warning: others can put/);
  });

  test.each([
    [0o660, 0o750, true],
    [0o606, 0o701, true],
    [0o660, 0o700, false],
    [0o660, 0o701, false],
    [0o600, 0o755, false],
    [0o644, 0o755, false],
  ])(
    'before 3.3 is open by its socket of mode %o in a directory of mode %o: %s',
    (mode, directory, isOpen) => {
      const warnings = sharedTmuxWarnings(
        tmux({ socket: own(mode), directory: own(directory), access: null }),
      );
      expect(warnings).toHaveLength(isOpen ? 1 : 0);
      expect(sharedTmuxWarnings(tmux({ socket: own(mode), directory: own(directory) }))).toEqual([]);
    },
  );

  test('is open to whom its list lets type; whom it lets watch is a fact', () => {
    expect(
      examine({
        access: [
          { user: 'carol', mayType: true },
          { user: 'dave', mayType: false },
        ],
      }),
    ).toEqual([
      'warning: tmux lets the account carol type here | tmux server-access -d carol',
      'note: tmux lets the account dave see what stands here | tmux server-access -d dave',
    ]);
  });

  test('that several terminals show is no alarm, but said', () => {
    expect(sharedTmuxWarnings(tmux({ clients: 2 }))).toEqual([]);
    expect(sharedTmuxRemark(tmux({ clients: 2 }))).toBe(
      '2 terminals show this session of tmux, each may type here',
    );
    expect(sharedTmuxRemark(tmux())).toBeNull();
    expect(sharedTmuxRemark(tmux({ clients: null }))).toBeNull();
  });

  test('says what to do in the line that the console shows', () => {
    expect(sharedTmuxWarnings(tmux({ access: [{ user: 'carol', mayType: true }] }))).toEqual([
      'tmux lets the account carol type here, and decide with your key unless it asks for a touch. To end that: tmux server-access -d carol',
    ]);
  });
});

test('what tmux prints of its list is read; a line that is not understood may type', () => {
  expect(readAccess('carol (W)\ndave (R)\neve\n')).toEqual([
    { user: 'carol', mayType: true },
    { user: 'dave', mayType: false },
    { user: 'eve', mayType: true },
  ]);
  expect(readAccess('')).toEqual([]);
});

test('nothing is looked at outside tmux, or where its socket is gone', async () => {
  expect(await tmuxSocketFacts({})).toBeNull();
  expect(await tmuxSocketFacts({ TMUX: '/nowhere/at,all,1,0', PATH: '/nowhere' })).toBeNull();
});
