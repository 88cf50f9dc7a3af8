import type { Signer, SignerKey } from './signers-file.js';

/**
 * What becomes different where one signers file takes the place of another, a line each: who is added (`+`), removed (`-`) or
 * changed (`~`), with keys by type and fingerprint. Empty for files that say the same.
 */
export function signersDifference(before: readonly Signer[], after: readonly Signer[]): readonly string[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))].sort();
  return names.flatMap((name) => {
    const old = before.find((signer) => signer.name === name);
    const now = after.find((signer) => signer.name === name);
    if (now === undefined) return [`- ${name} may not sign any more`];
    if (old === undefined)
      return [`+ ${name} may sign from now on`, ...factsOf(now).map((fact) => `+ ${name} gets ${fact}`)];
    const [had, has] = [factsOf(old), factsOf(now)];
    return [
      ...had.filter((fact) => !has.includes(fact)).map((fact) => `~ ${name} loses ${fact}`),
      ...has.filter((fact) => !had.includes(fact)).map((fact) => `~ ${name} gets ${fact}`),
    ];
  });
}

function factsOf({ aliases, groups, keys }: Signer): readonly string[] {
  return [
    ...aliases.map((alias) => `the name ${alias}`),
    ...groups.map((group) => `the group ${group}`),
    ...keys.map((key) => `the key ${describeKey(key)}`),
  ];
}

function describeKey({ key, validAfter, validBefore }: SignerKey): string {
  const day = (time: Date): string => time.toISOString().replace('.000Z', 'Z');
  return [
    `${key.type} ${key.fingerprint}`,
    ...(validAfter === null ? [] : [`valid after ${day(validAfter)}`]),
    ...(validBefore === null ? [] : [`valid before ${day(validBefore)}`]),
  ].join(', ');
}
