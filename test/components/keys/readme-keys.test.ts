import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KEY_SECTIONS } from '../../../components/keys/key-table.js';

const README = new URL('../../../README.md', import.meta.url);

test('the README has the table of keys as the console hears them', () => {
  const rows = KEY_SECTIONS.flatMap(({ title, rows: keys }) =>
    keys.map(({ shown, explained }, at) => `| ${at === 0 ? title : ''} | \`${shown}\` | ${explained} |`),
  );
  const table = ['| where | key | what it does |', '| --- | --- | --- |', ...rows].join('\n');
  expect(readFileSync(README, 'utf8')).toContain(`\n${table}\n`);
});
