import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bindCommand, checkUnchanged } from '../../src/commands/bound-command.js';
import { temporaryDirectory } from '../ssh/openssh.js';

function program(path: string, text: string, mode = 0o755): string {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a bound command', () => {
  test('is found in PATH as execvp does: the first file that may be executed', async () => {
    const [first, second, third] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
    mkdirSync(join(first, 'tool'));
    program(join(second, 'tool'), 'not executable', 0o644);
    const path = program(join(third, 'tool'), '#!/bin/sh\n');
    const PATH = ['/nowhere', first, second, third].join(':');
    expect(await bindCommand(['tool'], [], { PATH })).toMatchObject({ path, sha256: hashOf('#!/bin/sh\n') });
    await expect(bindCommand(['tool'], [], { PATH: '/nowhere' })).rejects.toThrow(
      'there is no program "tool"',
    );
    await expect(bindCommand([''], [], { PATH })).rejects.toThrow('there is no program ""');
  });

  test('whose name has a slash is a path, and an empty part of PATH is this directory', async () => {
    const cwd = process.cwd();
    const found = await bindCommand(['./scripts/countersign-pam'], [], { PATH: '' });
    expect(found.path).toBe(`${cwd}/./scripts/countersign-pam`);
    await expect(bindCommand(['package.json'], [], { PATH: '' })).rejects.toThrow(
      'no program "package.json"',
    );
  });

  test('is what a link leads to, under the name of the link', async () => {
    const directory = temporaryDirectory();
    program(join(directory, 'real'), 'text');
    symlinkSync('real', join(directory, 'link'));
    const { path, sha256 } = await bindCommand([join(directory, 'link'), 'x'], [], {});
    expect({ path, sha256 }).toEqual({ path: join(directory, 'link'), sha256: hashOf('text') });
  });

  test('says what the named variables are, and that they are not there (A2)', async () => {
    const env = { PATH: '/bin:/usr/bin', EMPTY: '', MODE: 'dry', OTHER: 'x' };
    const { details } = await bindCommand(['sh', '-c', ''], ['MODE', 'EMPTY', 'ABSENT', '__proto__'], env);
    expect(details).toMatchObject({ argv: ['sh', '-c', ''], cwd: process.cwd() });
    expect(Object.entries(details.environment ?? {})).toEqual([
      ['MODE', 'dry'],
      ['EMPTY', ''],
      ['ABSENT', null],
      ['__proto__', null],
    ]);
    for (const name of ['', 'A=1', '1A', 'A B'])
      await expect(bindCommand(['sh'], [name], env)).rejects.toThrow('is not the name of a variable');
  });

  test('does not run where its program or its directory is another one by then (A2, A5)', async () => {
    const directory = temporaryDirectory();
    const path = program(join(directory, 'tool'), '#!/bin/sh\n');
    const command = await bindCommand([path], [], {});
    await checkUnchanged(command);
    // As where a release was moved away from under it, and the next one has its name.
    for (const cwd of [directory, join(directory, 'gone')])
      await expect(checkUnchanged({ ...command, cwd })).rejects.toMatchObject({ code: 'directory-changed' });
    program(path, '#!/bin/sh\ntrue\n');
    await expect(checkUnchanged(command)).rejects.toMatchObject({ code: 'executable-changed' });
  });

  test('that is not UTF-8 is refused: what is shown would not be what was typed (A1)', async () => {
    await expect(bindCommand(['sh', 'a\ufffdb'], [], {})).rejects.toThrow('is not UTF-8');
    await expect(bindCommand(['sh'], ['X'], { X: '\ufffd' })).rejects.toThrow('is not UTF-8');
    // Nobody binds it, but the command would get another value than its user set.
    await expect(bindCommand(['sh'], [], { DATA: '/srv/a\ufffd' })).rejects.toThrow(
      'variable "DATA" is not UTF-8',
    );
  });
});
