/**
 * A program for the tests: signs TEXT with KEY_FILE and the terminal at hand, and says how that went. It runs the
 * sources as they are, so their imports of `.js` are led to `.ts`.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier.startsWith('.') ? specifier.replace(/\.js$/, '.ts') : specifier, context),
});
const { createKeySigner } = await import('../../src/ssh/key-signer.js');
const { parsePublicKeyLine } = await import('../../src/ssh/public-key.js');

const { KEY_FILE: path = '', TEXT: text = '' } = process.env;
const publicKey = parsePublicKeyLine(readFileSync(`${path}.pub`, 'utf8'));
const signer = createKeySigner({ path, publicKey, source: 'file' }, { withTerminal: (run) => run() });
const outcome = await signer.sign('decision@countersign', text).catch((error) => `${error.code}\n`);
console.log(`outcome: ${outcome}`);
