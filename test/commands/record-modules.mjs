/** Preloaded by a test: writes the URL of every module that the program loads to a file of its own in RECORDS. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';

const file = join(process.env.RECORDS ?? '', `${process.pid}`);
registerHooks({
  load(url, context, next) {
    appendFileSync(file, `${url}\n`);
    return next(url, context);
  },
});
