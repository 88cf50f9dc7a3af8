import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { canonicalJson } from '../protocol/canonical.js';
import { parseDocument, type RequestDocument } from '../protocol/document.js';
import { isMatchedNumber, type MatchedNumber } from '../protocol/matched-number.js';
import {
  type BearerToken,
  type Claim,
  type Fingerprint,
  isBearerToken,
  isClaim,
  isFingerprint,
  isRequestId,
  type RequestId,
} from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { JsonObject } from '../protocol/strict-json.js';
import type { EpochMs } from '../protocol/time.js';
import type { Clock } from './clock.js';
import { readIfThere, writePrivately } from './private-file.js';

/** A question that was asked and may still be answered: what is needed to find it again and to use the answer. */
export interface StandingAsk {
  readonly broker: Fingerprint;
  /** With the nonce under which it was sent. */
  readonly document: RequestDocument;
  readonly claim: Claim;
  /** Shown to who asked and told to nobody else; null where the document asks for none. */
  readonly number: MatchedNumber | null;
  /** When its nonce was drawn, by the clock of this machine; null where that was not kept. */
  readonly drawn: EpochMs | null;
  readonly id: RequestId;
  /** null after this asker has detached. */
  readonly watch: BearerToken | null;
}

/** Asks that nobody came back to are forgotten after so long, in ms: every request has ended by then. */
const FORGET_AFTER = 40 * 24 * 3600 * 1000;

const fileSchema = z.object({
  broker: z.custom<Fingerprint>(isFingerprint),
  document: z.record(z.string(), z.json()),
  claim: z.custom<Claim>(isClaim),
  number: z.nullable(z.custom<MatchedNumber>(isMatchedNumber)).default(null),
  drawn: z.nullable(z.int().nonnegative()).default(null),
  id: z.custom<RequestId>(isRequestId),
  watch: z.nullable(z.custom<BearerToken>(isBearerToken)),
});

/**
 * Remembers asks in the state directory, one private file for each broker and question, so that asking the same again
 * joins what stands instead of bothering the approvers twice.
 */
export class StandingAsks {
  readonly #directory: string;
  readonly #clock: Clock;

  /** @param state the state directory of the user */
  constructor(state: string, clock: Clock) {
    this.#directory = join(state, 'asks');
    this.#clock = clock;
  }

  /** The ask that stands for this question; its nonce is not part of the question. */
  async find(broker: Fingerprint, question: Omit<RequestDocument, 'nonce'>): Promise<StandingAsk | null> {
    return this.#read(fileName(broker, question));
  }

  /** @throws Problem `not-found` where this user did not ask for it, or has its answer already. */
  async findById(id: RequestId): Promise<StandingAsk> {
    for (const name of await this.#names()) {
      const ask = await this.#read(name);
      if (ask?.id === id) return ask;
    }
    throw new Problem('not-found', `no standing request ${id} was made from here`, {
      hint: 'only who asked can wait for it or cancel it; approvers see it with: countersign show ID',
    });
  }

  async save(ask: StandingAsk): Promise<void> {
    await this.#forgetOld();
    await writePrivately(this.#path(fileName(ask.broker, ask.document)), `${JSON.stringify(ask)}\n`);
  }

  async forget({ broker, document }: StandingAsk): Promise<void> {
    await rm(this.#path(fileName(broker, document)), { force: true });
  }

  /** A file that cannot be read is none: asking anew is always safe. */
  async #read(name: string): Promise<StandingAsk | null> {
    const text = await readIfThere(this.#path(name));
    try {
      const { document, ...ask } = fileSchema.parse(JSON.parse(text ?? ''));
      return { ...ask, document: parseDocument(document as JsonObject).document };
    } catch {
      return null;
    }
  }

  async #forgetOld(): Promise<void> {
    for (const name of await this.#names()) {
      // Another process may have had its answer and forgotten it meanwhile.
      const found = await stat(this.#path(name)).catch(() => null);
      const isOld = found !== null && this.#clock.now() - found.mtimeMs > FORGET_AFTER;
      if (isOld) await rm(this.#path(name), { force: true });
    }
  }

  async #names(): Promise<readonly string[]> {
    const names = await readdir(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => name.endsWith('.json'));
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

function fileName(broker: Fingerprint, question: Omit<RequestDocument, 'nonce'>): string {
  const { action, context, details, door, duration, requester, resource } = question;
  const text = canonicalJson({ broker, action, context, details, door, duration, requester, resource });
  return `${createHash('sha256').update(text).digest('hex')}.json`;
}
