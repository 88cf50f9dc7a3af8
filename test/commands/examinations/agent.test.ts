import { expect, test } from 'vitest';
import { type AgentFacts, examineAgent } from '../../../src/commands/examinations/agent.js';

const examine = (facts: Partial<AgentFacts>): string[] =>
  examineAgent({ path: '/tmp/ssh-a/agent.1', maker: null, answer: 'keys', tmuxSocket: null, ...facts }).map(
    ({ state, what, fix }) => `${state}: ${what} | ${fix}`,
  );

test('an agent with keys is good', () => {
  expect(examine({})).toEqual(['good: the ssh agent answers and holds keys | null']);
  expect(examine({ answer: 'empty' })).toEqual([expect.stringMatching(/^note: .* holds no key \| ssh-add$/)]);
});

test('no agent is no mistake, a dead one is', () => {
  expect(examine({ answer: 'none', path: null })).toEqual([
    expect.stringMatching(/^note: no ssh agent is in use/),
  ]);
  expect(examine({ answer: 'none' })).toEqual([
    expect.stringMatching(/^warning: no ssh agent answers at .*agent\.1/),
  ]);
  expect(examine({ answer: 'unusable' })).toEqual([expect.stringMatching(/^wrong: ssh-add cannot be run/)]);
});

test('a pane of tmux with the socket of an older login is told the newer one, to paste', () => {
  expect(examine({ answer: 'none', tmuxSocket: '/tmp/my agents/agent.2' })).toEqual([
    expect.stringMatching(
      /^warning: .*stale.*\/tmp\/ssh-a\/agent\.1.* \| export SSH_AUTH_SOCK='\/tmp\/my agents\/agent\.2'$/,
    ),
  ]);
  expect(examine({ answer: 'none', path: null, tmuxSocket: '/s' })[0]).toContain('export SSH_AUTH_SOCK=/s');
  expect(examine({ answer: 'none', tmuxSocket: '/tmp/ssh-a/agent.1' })[0]).not.toContain('stale');
  expect(examine({ answer: 'keys', tmuxSocket: '/other' })).toHaveLength(1);
});

test.each([
  [{ maker: 'sshd' }],
  [{ maker: 'sshd-session' }],
  [{ path: '/home/bob/.ssh/agent/s.Ab12.sshd.Cd34' }],
])('an agent that sshd forwards is warned of: %j (A24)', (facts) => {
  expect(examine(facts)).toContainEqual(expect.stringMatching(/^warning: your ssh agent is forwarded/));
});

test.each([
  [{ maker: 'bash' }],
  [{ maker: null }],
  [{ path: '/run/user/1000/keyring/ssh' }],
  [{ path: '/home/bob/.ssh/agent/s.Ab12.agent.Cd34' }],
])('an agent of this machine is not: %j (A24)', (facts) => {
  expect(examine(facts).join()).not.toContain('forwarded');
});
