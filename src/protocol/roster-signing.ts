import * as z from 'zod';
import { type Digest, isDigest, isName, type Name } from './names.js';
import { type Problem, toProblemDocument } from './problems.js';
import { time } from './request-view.js';

const name = z.custom<Name>(isName, 'not a name');
const digest = z.custom<Digest>(isDigest, 'not a digest');
/** Largest signers file that is passed on, in bytes; a door takes no reply of more than twice as much. */
export const MAX_SIGNERS_BYTES = 512 * 1024;

const signersFile = z.object({ digest, text: z.string().max(MAX_SIGNERS_BYTES) });

/** `GET /v1/roster/proposal`: what there is to sign about the signers files of doors. */
export const proposalReply = z.object({
  /** The file that the step begins with; null where nothing has to follow it. */
  inForce: z.nullable(signersFile),
  /** What the roster exports now. */
  present: signersFile,
  /** To be signed; null where there is nothing to sign. */
  serial: z.nullable(z.int().min(1)),
  /** How many people of the file in force must sign before the broker hands it out; doors count for themselves. */
  needed: z.int().min(0),
  signed: z.array(z.object({ approver: name, validUntil: time })),
  /** The doors that said which file they have; `known` where the broker has that file, so that a step can begin there. */
  doors: z.array(
    z.object({ door: name, signers: digest, since: time, outdated: z.boolean(), known: z.boolean() }),
  ),
});
export type ProposalReply = z.output<typeof proposalReply>;

/** `newest`: the door has what the roster exports; `steps`: these lead on; `waiting`: too few have signed so far. */
export const CHAIN_STATES = ['newest', 'steps', 'waiting'] as const;

/** `GET /v1/roster/signed`: the files that may follow one another at a door, each with the statements for it. */
export const chainReply = z.object({
  state: z.enum(CHAIN_STATES),
  /** What the roster exports now. */
  present: digest,
  steps: z.array(
    z.object({
      serial: z.int().min(1),
      old: digest,
      new: digest,
      /** Statement and armor of each person. */
      statements: z.array(z.string()),
      file: z.string(),
    }),
  ),
});
export type ChainReply = z.output<typeof chainReply>;

/**
 * The chain for a shell: a head of five lines (`code` and `hint` for errors), a blank line, then for each step its statements
 * with their armor, a line `signers: N`, and the N lines of the file. All of it is printable ASCII and LF.
 */
export function formatChain({ state, present, steps }: ChainReply): string {
  return (
    head(state, present, '-', '-') +
    steps
      .map(({ statements, file }) => {
        const count = file.split('\n').length - 1;
        return `${statements.join('')}signers: ${count}\n${file}`;
      })
      .join('')
  );
}

/** The same head for a problem, with nothing after it. */
export function formatChainProblem(problem: Problem): string {
  const { code, detail, hint } = toProblemDocument(problem);
  const ascii = `${detail}; ${hint}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 500);
  return head('error', '-', code, ascii);
}

const head = (state: string, present: string, code: string, hint: string): string =>
  `countersign-signers/1 ${state}\npresent: ${present}\ncode: ${code}\nhint: ${hint}\n\n`;
