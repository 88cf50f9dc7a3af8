import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { policyJsonSchema } from '../../../broker/policy/policy-file.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the JSON Schema that editors read is that of this version, and is in the package', async () => {
  const text = `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(root, 'scripts/policy.schema.json'));
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(files).toContain('scripts/policy.schema.json');
});

test('each key of it says what it is for', () => {
  const nameless: string[] = [];
  const look = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties') {
        for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) {
          if (property.description === undefined) nameless.push(`${path}/${name}`);
          look(property, `${path}/${name}`);
        }
      } else look(value, path);
    }
  };
  look(policyJsonSchema(), '');
  expect(nameless).toEqual([]);
});
