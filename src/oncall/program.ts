import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';

/** A program that prints the names of a group, one a line, for `command` of a group in the policy file. */
export interface GroupProgram<Options extends ParseArgsOptionsConfig> {
  readonly name: string;
  readonly help: string;
  readonly options: Options;
  names(call: GroupCall<Options>): Promise<readonly Name[]>;
}

type GroupCall<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; strict: true }>
>;

/**
 * Runs a program to its end: names on stdout and 0, or nothing there, one line on stderr and 1.
 *
 * @returns the exit code
 */
export async function runGroupProgram<const Options extends ParseArgsOptionsConfig>(
  { name, help, options, names }: GroupProgram<Options>,
  args: readonly string[],
): Promise<0 | 1> {
  try {
    if (args.includes('--help')) {
      process.stdout.write(help.trimStart());
      return 0;
    }
    const found = await names(parse(options, args));
    process.stdout.write(found.map((one) => `${one}\n`).join(''));
    return 0;
  } catch (error) {
    process.stderr.write(`${name}: ${printable(reasonOf(error))}\n`);
    return 1;
  }
}

function parse<const Options extends ParseArgsOptionsConfig>(
  options: Options,
  args: readonly string[],
): GroupCall<Options> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new Problem('usage', `${(cause as Error).message} See --help.`, { cause });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What others wrote reaches neither a terminal nor a log as anything but letters. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]+/gu, '?').slice(0, 1000);
