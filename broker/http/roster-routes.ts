import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { sha256Digest } from '../../src/protocol/canonical.js';
import { parseBody, signedBody } from '../../src/protocol/messages.js';
import { type Digest, isDigest } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { formatSignedText, parseSignedText } from '../../src/protocol/receipt.js';
import {
  type ChainReply,
  chainReply,
  formatChain,
  formatChainProblem,
  MAX_SIGNERS_BYTES,
  proposalReply,
} from '../../src/protocol/roster-signing.js';
import { parseRoster } from '../../src/protocol/statements.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { signersHeading } from '../../src/ssh/roster-export.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { checkBroker, checkClock, checkSigner } from '../requests/verification.js';
import {
  fileInForce,
  isSigned,
  openStep,
  presentExport,
  signStep,
  stepsFrom,
} from '../roster/signers-chain.js';
import { sendProblem, wantsText } from './answers.js';

type Query = Record<string, string | undefined>;

/** Signers files of doors: what there is to sign, the signing, and the chain that doors follow. */
export function rosterRoutes(app: FastifyInstance, context: BrokerContext): void {
  const { store, clock } = context;

  app.get('/v1/roster/proposal', async (http) => {
    authorise(http.principal, 'roster.propose');
    const directory = store.directory();
    const present = presentExport(directory);
    const doors = await heldFiles(context, present.digest);
    const wanted = digestIn(http.query as Query, 'from');
    const held = new Set(doors.flatMap(({ file }) => file ?? []));
    const digest = wanted ?? fileInForce(store.rosterSteps(), store.signersFiles(), held, present.digest);
    const old = { digest, text: await knownFile(context, digest) };
    const step = openStep(store.rosterSteps(), directory, old);
    return z.encode(proposalReply, {
      inForce: step === null ? null : old,
      present,
      serial: step?.serial ?? null,
      needed: step?.needed ?? 0,
      signed: (step?.signatures ?? []).map(({ approver, validUntil }) => ({ approver, validUntil })),
      doors: doors.map(({ file, ...door }) => ({
        ...door,
        signers: file ?? door.signers,
        known: file !== null,
      })),
    });
  });

  app.post('/v1/roster/statements', async (http: FastifyRequest<{ Body: JsonValue }>) => {
    authorise(http.principal, 'roster.sign');
    const signed = parseSignedText(parseBody(signedBody, http.body, 'malformed-receipt').statement);
    const statement = parseRoster(signed.statement);
    const now = clock();
    checkBroker(statement.broker, { brokers: context.keys.namesAt(now) });
    checkClock('issued', statement.issued, now);
    const { key } = verifySignature(signed.statement, signed.armor, 'roster@countersign');
    checkSigner(statement.approver, context.principals().signer(key.fingerprint, now).name);
    const oldText = await knownFile(context, statement.old);
    const text = formatSignedText(signed);
    const step = await store.signRoster((steps, directory) => {
      const open = openStep(steps, directory, { digest: statement.old, text: oldText });
      const next = signStep(open, statement, { key, text, oldText }, now);
      const { serial, old, needed, signatures } = next;
      return {
        step: next,
        file: presentExport(directory).text,
        event: {
          kind: 'roster.signed',
          at: now,
          body: {
            serial,
            old,
            new: next.next,
            approver: statement.approver,
            needed,
            signed: signatures.length,
            statement: text,
          },
        },
      };
    });
    return {
      serial: step.serial,
      signed: step.signatures.length,
      needed: step.needed,
      complete: isSigned(step),
    };
  });

  app.get('/v1/roster/signed', async (http, reply) => {
    authorise(http.principal, 'roster.follow');
    const asText = wantsText(http);
    try {
      const chain = await chainFor(context, http.query as Query);
      if (asText) return reply.type('text/plain; charset=us-ascii').send(formatChain(chain));
      return z.encode(chainReply, chain);
    } catch (error) {
      if (!asText || !(error instanceof Problem)) return sendProblem(http, reply, error);
      return reply.code(error.status).type('text/plain; charset=us-ascii').send(formatChainProblem(error));
    }
  });
}

async function chainFor(context: BrokerContext, query: Query): Promise<ChainReply> {
  const { store, clock } = context;
  const from = digestIn(query, 'from');
  if (from === null)
    throw new Problem('malformed-request', 'from is missing: the digest of the signers file in force');
  const { after = '0' } = query;
  if (!/^\d{1,9}$/.test(after)) throw new Problem('malformed-request', 'after is a serial');
  await knownFile(context, from);
  const present = presentExport(store.directory()).digest;
  const steps: ChainReply['steps'] = [];
  let size = 0;
  for (const { serial, old, next, signatures } of stepsFrom(
    store.rosterSteps(),
    from,
    Number(after),
    clock(),
  )) {
    const file = await knownFile(context, next);
    size += file.length;
    // What does not fit is for the next call, from where this one has led.
    if (steps.length > 0 && size > MAX_SIGNERS_BYTES) break;
    steps.push({ serial, old, new: next, statements: signatures.map(({ text }) => text), file });
  }
  const state = steps.length > 0 ? 'steps' : from === present ? 'newest' : 'waiting';
  return { state, present, steps };
}

/** @throws Problem `signers-unknown` */
async function knownFile({ store }: BrokerContext, digest: Digest): Promise<string> {
  const text = await store.signersFile(digest);
  if (text !== null) return text;
  throw new Problem('signers-unknown', `the broker does not know the signers file ${digest}`);
}

/** Files in which a door's own may be found by the first line that names the door. */
const RECENT_FILES = 16;

/**
 * The doors, each with the file that it has as the roster exports it for all; null for one that the broker does not know.
 * A door may have it with a first line that names the door.
 */
async function heldFiles({ store, doors }: BrokerContext, present: Digest) {
  const known = store.signersFiles();
  const recent = await Promise.all(
    known
      .slice(-RECENT_FILES)
      .map(async (digest) => ({ digest, text: (await store.signersFile(digest)) ?? '' })),
  );
  return doors().map(({ door, since, outdated }) => {
    const signers = store.doors().get(door)?.signers ?? present;
    const isNamed = ({ text }: { readonly text: string }): boolean =>
      sha256Digest(signersHeading(door) + text) === signers;
    const old = known.includes(signers) ? signers : (recent.findLast(isNamed)?.digest ?? null);
    return { door, since, signers, outdated, file: outdated ? old : present };
  });
}

function digestIn(query: Query, name: string): Digest | null {
  const value = query[name];
  if (value === undefined) return null;
  if (isDigest(value)) return value;
  throw new Problem('malformed-request', `${name} is not sha256: and 64 lower-case hex digits`);
}
