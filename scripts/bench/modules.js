import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where the modules of the compiled program lie: the folder given first on the command line, else build. */
export const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../../build', import.meta.url)));

/** What is shipped of it, which lies beside. */
export const program = resolve(folder, '../dist/src/cli.js');

/**
 * Imports a module of the compiled program. The sources name each other by the `.js` files that they become, so they
 * cannot be run as they are.
 *
 * @template Module
 * @param {string} file for example `broker/broker.js`
 * @returns {Promise<Module>}
 */
export const compiled = (file) => import(pathToFileURL(resolve(folder, file)).href);
