import { describe, expect, test } from 'vitest';
import { kebabCase } from '../../src/commands/command-line.js';
import { HELP } from '../../src/commands/main.js';
import { isVerbGroup, type Verb, type VerbGroup } from '../../src/commands/verb.js';
import { VERBS } from '../../src/commands/verbs.js';

const verbs: [string, Verb][] = [];
const groups: [string, VerbGroup][] = [];
for (const [name, load] of Object.entries(VERBS)) collect(name, (await load()).verb);

function collect(name: string, verb: Verb | VerbGroup): void {
  if (!isVerbGroup(verb)) {
    verbs.push([name, verb]);
    return;
  }
  groups.push([name, verb]);
  for (const [word, inner] of Object.entries(verb.verbs)) collect(`${name} ${word}`, inner);
}

describe('the help', () => {
  test('names each verb', () => {
    const named = HELP.match(/(?<=^ {2})[a-z-]+(?=\n| +[a-z])/gm);
    for (const verb of Object.keys(VERBS)) expect(named).toContain(verb);
  });

  test.each(verbs)('of %s says how it is used, with examples that can be pasted', (name, { help }) => {
    expect(help).toMatch(new RegExp(`\nUsage\n  countersign ${name}`));
    expect(help).toMatch(new RegExp(`\nExamples\n(.*\n)*?.*countersign ${name}`));
  });

  test.each(verbs)('of %s names the flags that it has, and no others', (_name, { help, flags }) => {
    // Other programs in the text have flags of their own.
    const named = new Set(
      help.replaceAll(/^.*(?:jq|countersign-pam|\| countersign).*$/gm, '').match(/--[a-z][a-z-]+/g),
    );
    expect([...named].sort()).toEqual(
      Object.keys(flags)
        .map((flag) => `--${kebabCase(flag)}`)
        .sort(),
    );
  });

  test.each(verbs)('of %s fits a terminal', (_name, { help }) => {
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(90);
  });

  test.each(groups)('of %s names each of its verbs', (name, { help, verbs: inner }) => {
    for (const word of Object.keys(inner)) expect(help).toContain(`\n  countersign ${name} ${word}`);
  });
});
