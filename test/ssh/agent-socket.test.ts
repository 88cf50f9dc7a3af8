import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findAgentSocket, isForwarded } from '../../src/ssh/agent-socket.js';
import { temporaryDirectory } from './openssh.js';

test('the program that made a socket is found by the number in its name, through links', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, `agent.${process.pid}`);
  writeFileSync(path, '');
  symlinkSync(path, join(directory, 'link'));
  const socket = await findAgentSocket({ SSH_AUTH_SOCK: join(directory, 'link') });
  expect(socket.path).toBe(path);
  expect(socket.maker).not.toBe('');
  expect(isForwarded(socket)).toBe(false);
});

test('a process that has ended, another name and no socket at all have no maker', async () => {
  expect(await findAgentSocket({ SSH_AUTH_SOCK: '/tmp/ssh-x/agent.999999999' })).toEqual({
    path: '/tmp/ssh-x/agent.999999999',
    maker: null,
  });
  expect((await findAgentSocket({ SSH_AUTH_SOCK: '/run/keyring/ssh' })).maker).toBeNull();
  expect(await findAgentSocket({ SSH_AUTH_SOCK: '' })).toEqual({ path: null, maker: null });
});

test.each([
  [{ path: '/tmp/ssh-a/agent.7', maker: 'sshd' }, true],
  [{ path: '/tmp/ssh-a/agent.7', maker: 'sshd-session' }, true],
  [{ path: '/home/bob/.ssh/agent/s.Ab12.sshd.Cd34', maker: null }, true],
  [{ path: '/home/bob/.ssh/agent/s.Ab12.agent.Cd34', maker: null }, false],
  [{ path: '/tmp/ssh-a/agent.7', maker: 'bash' }, false],
  [{ path: '/tmp/sshd.sshd.x', maker: null }, false],
  [{ path: null, maker: null }, false],
])('%j is forwarded: %s (A24)', (socket, forwarded) => {
  expect(isForwarded(socket)).toBe(forwarded);
});
