import { constants, open } from 'node:fs/promises';
import { Problem, type ProblemCode } from '../src/protocol/problems.js';
import { MAX_YAML_BYTES } from './yaml/yaml-source.js';

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Reads a file that says what the broker does.
 *
 * @param bad the code of a file that cannot be read or is no text
 * @throws Problem with that code; `unsafe-file` for one that others may write
 */
export async function readYamlFile(file: string, bad: ProblemCode): Promise<string> {
  try {
    // A pipe that nobody writes to would keep who opens it for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new Problem(bad, `${file} is not a file`);
      if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) {
        throw new Problem('unsafe-file', `others may write ${file}`, {
          hint: `make it yours alone to write: chmod go-w ${file}`,
        });
      }
      if (stats.size > MAX_YAML_BYTES) {
        throw new Problem(bad, `${file} is larger than ${MAX_YAML_BYTES} bytes`);
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    const why = (cause as NodeJS.ErrnoException).code ?? 'it is not a text';
    throw new Problem(bad, `${file} cannot be read (${why})`, {
      hint: 'give the path of a file that the user of the broker may read',
      cause,
    });
  }
}
