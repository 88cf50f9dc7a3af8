import type { BoundDocument } from '../../src/protocol/document.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { isJsonObject, parseStrictJson } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { matches } from '../access/submitters.js';
import type { RandomBytes } from '../access/tokens.js';
import type { Validator } from './configuration.js';
import { type Answer, Endpoint, NoAnswer } from './endpoint.js';
import { plainLine } from './plain-line.js';
import { Turns } from './turns.js';

/** Longest message of a refusal, in characters. */
const MAX_MESSAGE = 500;

/** What somebody wants to ask for. */
export interface NewAsk {
  readonly bound: BoundDocument;
  readonly submitter: Name;
  /** Text of the facts that were verified about the caller (verified-facts.ts). */
  readonly verified: string | null;
}

export type Validated = 'allowed' | 'refused' | 'unavailable';

export interface ValidationContext {
  readonly clock: () => EpochMs;
  readonly random: RandomBytes;
  /** Told of each answer; `why` is one plain line, null for what was allowed. */
  readonly onAnswer: (validator: string, outcome: Validated, why: string | null, ask: NewAsk) => void;
}

/** One who validates, with turns of its own: one that hangs takes no place of those who answer. */
interface Asked {
  readonly endpoint: Endpoint;
  readonly turns: Turns;
  readonly actions: readonly string[];
  readonly timeout: number;
}

/** Asks everybody who has a say in new requests; all must allow one. Whatever is no clear yes is a no. */
export class Validators {
  readonly #validators: readonly Asked[];
  readonly #context: ValidationContext;
  readonly #closed = new AbortController();

  constructor(validators: readonly Validator[], context: ValidationContext) {
    this.#validators = validators.map((validator) => ({
      endpoint: new Endpoint(validator, context.clock),
      turns: new Turns(),
      actions: validator.actions,
      timeout: validator.timeout,
    }));
    this.#context = context;
  }

  isAskedFor(action: Name): boolean {
    return this.#validators.some(({ actions }) => matches(actions, action));
  }

  /**
   * @returns who allowed it, by name
   * @throws Problem `validation-refused` with the message of who refuses, `validation-unavailable` where somebody has not
   * answered as he should within his time, also because his submitter has asked for so much
   */
  async check(ask: NewAsk): Promise<readonly string[]> {
    const asked = this.#validators.filter(({ actions }) => matches(actions, ask.bound.document.action));
    const id = `validation-${this.#context.random(16).toString('hex')}`;
    const body = questionOf(ask, this.#context.clock());
    await Promise.all(asked.map((one) => this.#ask(one, { id, body }, ask)));
    return asked.map(({ endpoint }) => endpoint.name);
  }

  /** Questions that are under way fail. */
  close(): void {
    this.#closed.abort(new NoAnswer('the broker stops'));
    for (const { endpoint } of this.#validators) endpoint.close();
  }

  async #ask(
    { endpoint, turns, timeout }: Asked,
    letter: { readonly id: string; readonly body: string },
    ask: NewAsk,
  ): Promise<void> {
    const { onAnswer } = this.#context;
    const { name } = endpoint;
    const late = AbortSignal.timeout(timeout);
    const over = AbortSignal.any([this.#closed.signal, late]);
    try {
      const answer = await turns.take(ask.submitter, over, () => endpoint.post(letter, over));
      const refusal = refusalIn(answer);
      onAnswer(name, refusal === null ? 'allowed' : 'refused', refusal, ask);
      if (refusal === null) return;
      throw new Problem('validation-refused', `${name} refuses this: ${refusal}`);
    } catch (cause) {
      if (cause instanceof Problem) throw cause;
      const why = late.aborted ? `no answer within ${timeout / 1000} s` : (cause as Error).message;
      if (!(cause instanceof NoAnswer || over.aborted)) throw cause;
      onAnswer(name, 'unavailable', why, ask);
      throw new Problem('validation-unavailable', `${name} must allow this, and cannot be asked: ${why}`, {
        cause,
      });
    }
  }
}

/** `{type, timestamp, data: {document, digest, submitter, verified}}`, the document as the bytes that are signed. */
function questionOf({ bound, submitter, verified }: NewAsk, now: EpochMs): string {
  const data = `"document":${bound.canonical},"digest":"${bound.digest}","submitter":${JSON.stringify(submitter)},"verified":${verified ?? 'null'}`;
  return `{"type":"request.validate","timestamp":"${formatTime(now)}","data":{${data}}}`;
}

/**
 * The message of a refusal; null for a yes.
 *
 * @throws NoAnswer for everything that is neither, word by word
 */
function refusalIn({ status, body }: Answer): string | null {
  if (status !== 200) throw new NoAnswer(`it answers with HTTP ${status}`);
  if (body === null) throw new NoAnswer('its answer is cut off or too long');
  const said = parsed(body);
  const keys = isJsonObject(said) ? Object.keys(said).sort().join() : '';
  if (isJsonObject(said) && said.allowed === true && keys === 'allowed') return null;
  if (isJsonObject(said) && said.allowed === false && keys === 'allowed,message') {
    const { message } = said;
    if (typeof message === 'string' && message.trim() !== '' && [...message].length <= MAX_MESSAGE) {
      // In ASCII: shells and terminals have marks of their own for what is not.
      return plainLine(message, 2 * MAX_MESSAGE).replace(/[⟨⟩]/g, (mark) => (mark === '⟨' ? '<' : '>'));
    }
  }
  throw new NoAnswer('its answer is neither {"allowed":true} nor {"allowed":false,"message":"WHY"}');
}

function parsed(body: Buffer) {
  try {
    return parseStrictJson(body);
  } catch (cause) {
    throw new NoAnswer('its answer is not JSON', { cause });
  }
}
