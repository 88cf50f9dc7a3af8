import { Problem } from '../../src/protocol/problems.js';
import { inOrder, listMistakes, type Mistake } from '../yaml/mistake.js';
import { readShape, type Words } from '../yaml/shape.js';
import { type Path, readYaml, type YamlSource } from '../yaml/yaml-source.js';
import { readYamlFile } from '../yaml-file.js';
import { readCertificates, readSecrets, UnfitFile } from './private-files.js';
import { KEYS, type WebhooksFile, webhooksFileSchema } from './webhooks-file.js';

/** Somebody who is called, with all that this takes. */
export interface Receiver {
  readonly name: string;
  readonly url: URL;
  /** Each signs; at least one. */
  readonly secrets: readonly Buffer[];
  /** PEM certificates that alone are trusted; null for those that Node.js ships. */
  readonly ca: string | null;
  /** For the whole answer, in ms. */
  readonly timeout: number;
}

export interface Webhook extends Receiver {
  /** Patterns of kinds. */
  readonly events: readonly string[];
}

export interface Validator extends Receiver {
  /** Patterns of actions. */
  readonly actions: readonly string[];
}

/** The file of webhooks with all the files that it names, read. */
export interface WebhooksConfiguration {
  readonly webhooks: readonly Webhook[];
  readonly validate: readonly Validator[];
}

export const NO_WEBHOOKS: WebhooksConfiguration = { webhooks: [], validate: [] };

/** A file of webhooks that is not taken: Problem `bad-webhooks` with everything that is wrong with it, in the order of lines. */
export class BadWebhooks extends Problem {
  readonly mistakes: readonly Mistake[];

  constructor(file: string, found: readonly Mistake[]) {
    const mistakes = inOrder(found);
    super('bad-webhooks', listMistakes(file, mistakes));
    this.mistakes = mistakes;
  }
}

/**
 * Reads a file of webhooks and all that it names: all of it, or nothing.
 *
 * @throws BadWebhooks; Problem `bad-webhooks` or `unsafe-file` where the file cannot be read
 */
export async function readWebhooks(file: string): Promise<WebhooksConfiguration> {
  const text = await readYamlFile(file, 'bad-webhooks');
  const mistakes: Mistake[] = [];
  const source = readYaml(text, mistakes);
  const shape = source === null ? null : readShape(webhooksFileSchema, source, WORDS, mistakes);
  if (source === null || shape === null) throw new BadWebhooks(file, mistakes);
  checkNames(shape, source, mistakes);
  const reading = { source, mistakes };
  const webhooks = await Promise.all(
    shape.webhooks.map(async (one, index) => ({
      ...(await receiver(one, ['webhooks', index], reading)),
      events: one.events,
    })),
  );
  const validate = await Promise.all(
    shape.validate.map(async (one, index) => ({
      ...(await receiver(one, ['validate', index], reading)),
      actions: one.actions,
    })),
  );
  if (mistakes.length > 0) throw new BadWebhooks(file, mistakes);
  return { webhooks, validate };
}

interface Reading {
  readonly source: YamlSource;
  readonly mistakes: Mistake[];
}

async function receiver(
  one: Omit<WebhooksFile['validate'][number], 'actions'>,
  path: Path,
  { source, mistakes }: Reading,
): Promise<Receiver> {
  const orMistake = async <Value>(key: 'secret-file' | 'ca-file', reading: Promise<Value>) => {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof UnfitFile)) throw error;
      const message = `${written([...path, key])}${one[key]}: ${error.message}`;
      mistakes.push({ ...source.at([...path, key]), message });
      return null;
    }
  };
  const { 'ca-file': ca } = one;
  return {
    name: one.name,
    url: new URL(one.url),
    secrets: (await orMistake('secret-file', readSecrets(one['secret-file']))) ?? [],
    ca: ca === undefined ? null : await orMistake('ca-file', readCertificates(ca)),
    timeout: one.timeout * 1000,
  };
}

function checkNames({ webhooks, validate }: WebhooksFile, source: YamlSource, mistakes: Mistake[]): void {
  const seen = new Set<string>();
  const placed = [
    ...webhooks.map(({ name }, index) => ({ name, path: ['webhooks', index, 'name'] })),
    ...validate.map(({ name }, index) => ({ name, path: ['validate', index, 'name'] })),
  ];
  for (const { name, path } of placed) {
    if (seen.has(name))
      mistakes.push({ ...source.at(path), message: `${written(path)}the name ${name} stands twice` });
    seen.add(name);
  }
}

/** `webhook 2: url: `, as a reader finds it. */
function written(path: Path): string {
  const [list, index, ...rest] = path;
  const key = rest.length === 0 ? '' : `${rest.map(String).join('.')}: `;
  if (index === undefined) return list === undefined ? '' : `${String(list)}: `;
  return `${list === 'webhooks' ? 'webhook' : 'validate'} ${Number(index) + 1}: ${key}`;
}

const WORDS: Words = {
  written,
  keysAt: ([list, index, ...rest]) => {
    if (list === undefined) return KEYS.file;
    if (index === undefined || rest.length > 0) return [];
    return list === 'webhooks' ? KEYS.webhooks : KEYS.validate;
  },
};
