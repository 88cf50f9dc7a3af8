import { describe, expect, test, vi } from 'vitest';
import { history } from './history.js';
import { Oracle } from './oracle.js';
import { FINGERPRINTS, Play } from './play.js';

/**
 * What is decided, not how signatures are verified: an armor here only names key and namespace, so that hundreds of
 * thousands of decisions can be made. test/ssh holds the verifier to ssh-keygen.
 */
vi.mock('../../src/ssh/signature.js', async () => {
  const { Problem } = await import('../../src/protocol/problems.js');
  const read = (armor: string) => {
    const [index, namespace] = Buffer.from(armor.split('\n')[1] ?? '', 'base64')
      .toString()
      .split(' ');
    return { key: { fingerprint: FINGERPRINTS[Number(index)] }, namespace, userPresent: false };
  };
  return {
    parseSignature: read,
    isUserPresent: () => false,
    verifySignature(_text: string, armor: string, namespace: string) {
      const signature = read(armor);
      if (signature.namespace !== namespace) throw new Problem('wrong-namespace', 'of another verb');
      return signature;
    },
  };
});

/** Each key is parsed once: that takes longer than all the rest of a history. */
vi.mock('../../src/ssh/public-key.js', async (original) => {
  const module = await original<typeof import('../../src/ssh/public-key.js')>();
  const parsed = new Map<string, ReturnType<typeof module.parsePublicKeyLine>>();
  const parsePublicKeyLine = (line: string) => {
    const known = parsed.get(line) ?? module.parsePublicKeyLine(line);
    parsed.set(line, known);
    return known;
  };
  return { ...module, parsePublicKeyLine };
});

/** How many histories each of the tests plays; 25,000 each make the 100,000 of a whole run. */
const HISTORIES = Number(process.env.COUNTERSIGN_HISTORIES ?? 25_000);

/** Plays the history of a number, and says how broker and oracle part; null where they agree. */
async function disagreement(seed: number): Promise<string | null> {
  const played = history(seed);
  const play = new Play(played);
  const oracle = new Oracle(played);
  const told: string[] = [];
  for (const step of played.steps) {
    const succeeded = await play.step(step);
    const found = [succeeded, ...play.standings()];
    const expected = [oracle.step(step, play.now), ...oracle.standings()];
    told.push(`${JSON.stringify(step)} → ${found.join(', ')}`);
    if (String(found) !== String(expected)) {
      const { steps: _, ...setting } = played;
      return [
        `history ${seed}`,
        JSON.stringify(setting),
        ...told,
        `the oracle says ${expected.join(', ')}`,
      ].join('\n');
    }
  }
  return null;
}

// Refusals are made by the hundred thousand, and nobody reads where.
Error.stackTraceLimit = 0;

describe('policies, rosters and orders of events, against an oracle', () => {
  test.each([0, 1, 2, 3])(
    'every outcome is the one that the rules give (A8, A11, A14, A15, A16, A25, A26, A27, A53, A55), part %i',
    { timeout: 300_000 },
    async (part) => {
      for (let seed = part * HISTORIES; seed < (part + 1) * HISTORIES; seed += 1) {
        const found = await disagreement(seed);
        if (found !== null) expect.fail(found);
      }
    },
  );
});
