import { readFile } from 'node:fs/promises';
import type { CompiledPolicy } from '../../../broker/policy/compile.js';
import type { Directory } from '../../../broker/store/store.js';
import { type Environment, locate } from '../../client/locations.js';
import { isName, type Name, parseName } from '../../protocol/names.js';
import { type CommandGroupState, type PolicyReply, policyReply } from '../../protocol/policy-messages.js';
import { Problem } from '../../protocol/problems.js';
import type { Person } from '../../protocol/roster-messages.js';
import { rosterReply } from '../../protocol/roster-messages.js';
import { formatPublicKey } from '../../ssh/public-key.js';
import { parseSignersFile } from '../../ssh/signers-file.js';
import { hasDatabase, withDirectory } from '../enrolled-directory.js';
import { openForReading, withBroker } from '../open-broker.js';
import { BROKER_FLAGS, type FlagValues } from '../verb.js';

/** Flags of verbs that look at a policy and a roster. */
export const WORLD_FLAGS = { ...BROKER_FLAGS, key: 'text', roster: 'text', group: 'texts' } as const;
export const WORLD_FLAGS_HELP = `
  --roster FILE   the people: a signers file, or what countersign roster list --json
                  prints; else those of the data directory
  --group G=A,B   who is in a group that a command tells (else as the broker knows, or
                  nobody: the command is not run)
  --key FILE      sign in with this key (COUNTERSIGN_KEY)`;

type WorldFlags = FlagValues<typeof WORLD_FLAGS>;

/** A policy as it is written, and what it is held against. */
export interface PolicyWorld {
  /** As messages name it. */
  readonly file: string;
  /** Null where there is no policy file, so that one other person is enough for anything. */
  readonly text: string | null;
  /** Lines of a file that the broker refuses, while the text above is in force. */
  readonly refused: readonly string[];
  readonly directory: Directory;
  readonly told: ToldGroups;
}

/** Members of groups that a command tells, and why one is not known. */
export type ToldGroups = ReadonlyMap<
  string,
  { readonly members: readonly Name[]; readonly failing: string | null }
>;

/**
 * Finds the policy: the file that is named, else COUNTERSIGN_POLICY, else the one of the running broker; and its people.
 *
 * @param own people to look at in place of those
 * @throws Problem of the file, the broker or the data directory
 */
export async function openWorld(
  file: string | undefined,
  flags: WorldFlags,
  env: Environment,
  own: Directory | null = null,
): Promise<PolicyWorld> {
  const given = parseGroups(flags.group);
  const path = file ?? (env.COUNTERSIGN_POLICY || undefined);
  const directory = own ?? (await readDirectory(flags, env));
  if (path !== undefined) {
    const { readYamlFile } = await import('../../../broker/yaml-file.js');
    return { file: path, text: await readYamlFile(path, 'bad-policy'), refused: [], directory, told: given };
  }
  const { policy } = await fetchPolicy(flags, env);
  if (policy === null) {
    return { file: 'no policy file', text: null, refused: [], directory, told: given };
  }
  return {
    file: policy.file,
    text: policy.text,
    refused: policy.refused?.mistakes ?? [],
    directory,
    told: new Map([...policy.groups.map(toldBy), ...given]),
  };
}

/** The principals of a world, and its policy, as the broker would load it. */
export async function loadWorld({ file, text, directory, told }: PolicyWorld) {
  const [{ compilePolicy }, { Principals }, { ONE_OTHER_PERSON }, { policyOf }] = await Promise.all([
    import('../../../broker/policy/compile.js'),
    import('../../../broker/roster/principals.js'),
    import('../../../broker/policy/one-other-person.js'),
    import('../../../broker/policy/rules.js'),
  ]);
  if (text === null) {
    const rules = [{ rule: ONE_OTHER_PERSON, condition: null, line: 0 }];
    const { digest } = ONE_OTHER_PERSON;
    const policy: CompiledPolicy = { policy: policyOf(rules, []), rules, groups: [], digest, text: '' };
    return { policy, principals: new Principals(directory) };
  }
  const policy = compilePolicy(text, { principals: new Principals(directory), file });
  return { policy, principals: new Principals(directory, declaredGroups(policy, told)) };
}

/** The groups of a policy, with the members that somebody has told. */
export function declaredGroups({ groups }: Pick<CompiledPolicy, 'groups'>, told: ToldGroups) {
  const members = new Map(groups.map(({ name }) => [name, new Set(told.get(name)?.members ?? [])] as const));
  const programs = new Map(groups.map(({ name, command }) => [name, command[0] ?? name] as const));
  return {
    members: (group: string): ReadonlySet<Name> | null => members.get(group) ?? null,
    source: (group: string): string | null => programs.get(group) ?? null,
  };
}

function toldBy({
  name,
  members,
  failing,
}: CommandGroupState): [string, { members: readonly Name[]; failing: string | null }] {
  return [name, { members, failing }];
}

async function fetchPolicy(flags: WorldFlags, env: Environment): Promise<PolicyReply> {
  const found: PolicyReply[] = [];
  await withBroker(openForReading(flags, env), async ({ client, token }) => {
    found.push(await client.call(policyReply, { method: 'GET', path: '/v1/policy', token }));
    return 0;
  });
  return found[0] ?? { policy: null, order: [], groups: [] };
}

async function readDirectory(flags: WorldFlags, env: Environment): Promise<Directory> {
  if (flags.roster !== undefined) return { people: await readRoster(flags.roster), submitters: [] };
  const { data } = locate(flags, env);
  if (!hasDatabase(data)) {
    throw new Problem('usage', `there is no data directory ${JSON.stringify(data)} with people in it`, {
      hint: 'name one with --dir, or a roster with --roster FILE: countersign roster export > FILE',
    });
  }
  return withDirectory(data, async (found) => ({
    people: await found.people(),
    submitters: await found.submitters(),
  }));
}

/** @throws Problem `malformed-signers-file`, `usage` */
async function readRoster(path: string): Promise<readonly Person[]> {
  const text = await readFile(path, 'utf8');
  if (text.trimStart().startsWith('{')) return readJsonRoster(text, path);
  const time = (date: Date | null): number | null => date?.getTime() ?? null;
  return parseSignersFile(text).map(({ name, aliases, groups, keys }) => ({
    name,
    aliases: aliases.map((alias) => parseName(alias, `the alias ${alias}`)),
    groups: groups.map((group) => parseName(group, `the group ${group}`)),
    keys: keys.map(({ key, validAfter, validBefore }) => ({
      key: formatPublicKey(key),
      validAfter: time(validAfter),
      validBefore: time(validBefore),
    })),
  }));
}

function readJsonRoster(text: string, path: string): readonly Person[] {
  try {
    return rosterReply.parse(JSON.parse(text)).people;
  } catch (cause) {
    throw new Problem('usage', `${JSON.stringify(path)} is not a roster`, {
      hint: 'write it with: countersign roster list --json',
      cause,
    });
  }
}

function parseGroups(texts: readonly string[]): ToldGroups {
  return new Map(
    texts.map((text) => {
      const [, group = '', members = ''] = /^([^=]+)=(.*)$/.exec(text) ?? [];
      const names = members.split(',').filter((name) => name !== '');
      if (!isName(group) || !names.every(isName)) {
        throw new Problem('usage', `--group ${JSON.stringify(text)} is not GROUP=NAME,NAME`);
      }
      return [group, { members: names, failing: null }];
    }),
  );
}
