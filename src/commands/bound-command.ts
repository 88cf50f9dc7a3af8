import { createHash } from 'node:crypto';
import { constants, createReadStream, fstatSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { isatty } from 'node:tty';
import type { Environment } from '../client/locations.js';
import { Problem } from '../protocol/problems.js';
import type { JsonObject } from '../protocol/strict-json.js';

/** A command with everything that an approval of it binds. */
export interface BoundCommand {
  /** Never empty. */
  readonly argv: readonly string[];
  /** Absolute path of what will be executed. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Absolute path of the directory in which it will be executed. */
  readonly cwd: string;
  /** As they stand in the document: executable, arguments, directory, user, host, environment, standard input. */
  readonly details: JsonObject;
}

/** Where execvp(3) looks when PATH is not set. */
const DEFAULT_PATH = '/bin:/usr/bin';
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Binds a command to what it would do here and now.
 *
 * @param names environment variables whose values, or absence, are bound too
 * @param env what the command will get
 * @throws Problem `usage` where there is no such program, or a text or variable is not UTF-8
 */
export async function bindCommand(
  argv: readonly string[],
  names: readonly string[],
  env: Environment,
): Promise<BoundCommand> {
  const cwd = process.cwd();
  const path = await findExecutable(argv[0] ?? '', env.PATH ?? DEFAULT_PATH, cwd);
  const sha256 = await hashFile(path);
  const environment = Object.fromEntries(names.map((name) => [variable(name), valueIn(name, env)]));
  const details = {
    argv,
    cwd,
    environment,
    executable: { path, sha256 },
    host: hostname(),
    stdin: stdinKind(),
    user: userName(),
  };
  checkEnvironment(env);
  // Bytes that are no UTF-8 reach Node as U+FFFD: what is shown would not be what was typed.
  if (JSON.stringify(details).includes('\ufffd'))
    throw new Problem('usage', 'the command, its directory or a variable is not UTF-8');
  return { argv, path, sha256, cwd, details };
}

/**
 * Looks whether the executable and the directory are still what was approved: both have names, under which something else may
 * stand by now. Between this look and the execution only those can change it who can write there.
 *
 * @throws Problem `executable-changed`, `directory-changed`
 */
export async function checkUnchanged({ path, sha256, cwd }: BoundCommand): Promise<void> {
  if ((await hashFile(path)) !== sha256) {
    throw new Problem(
      'executable-changed',
      `${JSON.stringify(path)} is not what it was when it was asked for`,
    );
  }
  const [here, named] = await Promise.all([stat('.'), stat(cwd).catch(() => null)]);
  if (named === null || here.dev !== named.dev || here.ino !== named.ino) {
    throw new Problem(
      'directory-changed',
      `${JSON.stringify(cwd)} is not the directory that it was when it was asked for`,
    );
  }
}

/**
 * SHA-256 of a file, in hex.
 *
 * @throws Problem `usage` where it cannot be read: what cannot be read cannot be bound
 */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    throw new Problem('usage', `cannot read ${JSON.stringify(path)}`, {
      cause,
      hint: 'only a program that you may read can be bound to what it holds',
    });
  }
  return hash.digest('hex');
}

/**
 * Finds a program as execvp(3) does: a name with a slash is a path, any other is looked for in the directories of PATH, of
 * which an empty one is the current directory.
 */
async function findExecutable(name: string, searchPath: string, cwd: string): Promise<string> {
  const absolute = (path: string): string => (path.startsWith('/') ? path : `${cwd}/${path}`);
  const candidates = name.includes('/')
    ? [absolute(name)]
    : searchPath.split(':').map((directory) => absolute(directory === '' ? name : `${directory}/${name}`));
  for (const path of name === '' ? [] : candidates) if (await isExecutable(path)) return path;
  throw new Problem('usage', `there is no program ${JSON.stringify(name)}`, {
    hint: name.includes('/')
      ? 'check the path, and that you may execute it'
      : 'check PATH, or give the path; builtins of a shell need one: sh -c "…"',
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Bytes of a variable that are no UTF-8 would reach the command as U+FFFD. */
function checkEnvironment(env: Environment): void {
  for (const [name, value] of Object.entries(env)) {
    if (!`${name}${value}`.includes('\ufffd')) continue;
    throw new Problem(
      'usage',
      `the variable ${JSON.stringify(name)} is not UTF-8: the command would get another`,
      {
        hint: 'unset it: env -u NAME countersign run …',
      },
    );
  }
}

function variable(name: string): string {
  if (VARIABLE.test(name)) return name;
  throw new Problem('usage', `--env ${JSON.stringify(name)} is not the name of a variable`);
}

const valueIn = (name: string, env: Environment): string | null =>
  (Object.hasOwn(env, name) ? env[name] : undefined) ?? null;

/** A command that reads what nobody has seen is another one than the same command at a terminal (A6). */
function stdinKind(): string {
  if (isatty(0)) return 'terminal';
  const found = fstatSync(0);
  if (found.isFIFO()) return 'pipe';
  if (found.isFile()) return 'file';
  return found.isSocket() ? 'socket' : 'device';
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid:${process.getuid?.()}`;
  }
}
