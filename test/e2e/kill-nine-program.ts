// What programs do that a test kills: they run the built broker, beside the test runner and not in it, as they are written.

const build = new URL('../../build/', import.meta.url);

/** A module of the built program, such as `broker/broker.js`. */
export const built = async <Module>(file: string): Promise<Module> => import(new URL(file, build).href);

/** Says one line on standard output. Pipes are written synchronously: what was said before the kill is there to be read. */
export function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
