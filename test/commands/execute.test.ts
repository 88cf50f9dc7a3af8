import { afterEach, expect, test, vi } from 'vitest';
import { execute } from '../../src/commands/execute.js';

afterEach(() => vi.unstubAllEnvs());

test('a command gets the environment, but not a token with which it was asked for', async () => {
  vi.stubEnv('COUNTERSIGN_TOKEN', 'secret');
  vi.stubEnv('COUNTERSIGN_OIDC_TOKEN', 'secret');
  vi.stubEnv('THEIRS', 'kept');
  const script = '[ "${COUNTERSIGN_TOKEN-none} ${COUNTERSIGN_OIDC_TOKEN-none} $THEIRS" = "none none kept" ]';
  const { end } = await execute('/bin/sh', ['sh', '-c', script]);
  expect(await end).toEqual({ code: 0, signal: null });
});
