import { Problem } from '../../src/protocol/problems.js';
import type { PinnedRule } from '../../src/protocol/rule.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { BadPolicy, formatMistake } from '../policy/bad-policy.js';
import { type CompiledPolicy, compilePolicy } from '../policy/compile.js';
import type { Ask, Policy } from '../policy/policy.js';
import type { Principals } from '../roster/principals.js';
import type { Store } from '../store/store.js';
import { readPolicyText } from './policy-text.js';

export interface PolicySourceContext {
  readonly file: string;
  readonly store: Pick<Store, 'record'>;
  readonly principals: () => Principals;
  readonly clock: () => EpochMs;
  /** A policy is in force from now on. */
  readonly onLoaded: (policy: CompiledPolicy) => void;
  /** What the file holds now is not in force; null when it is again. Called when that changes. */
  readonly onRefused: (refused: Refused | null) => void;
}

/** What keeps the file as it is now from being in force. */
export interface Refused {
  readonly since: EpochMs;
  /** In one line each. */
  readonly mistakes: readonly string[];
}

interface InForce {
  readonly policy: CompiledPolicy;
  readonly since: EpochMs;
}

/**
 * The policy that is in force, out of a file. A new one takes the place of the old one as a whole or not at all; requests
 * keep the rule that they were made under (A16).
 */
export class PolicySource implements Policy {
  readonly #context: PolicySourceContext;
  #inForce: InForce;
  #refused: Refused | null = null;
  #loading: Promise<void> = Promise.resolve();

  private constructor(context: PolicySourceContext, inForce: InForce) {
    this.#context = context;
    this.#inForce = inForce;
  }

  /** @throws Problem `bad-policy`, `unsafe-file` where there is no good policy to begin with */
  static async open(context: PolicySourceContext): Promise<PolicySource> {
    const text = await readPolicyText(context.file);
    const policy = compilePolicy(text, { principals: context.principals(), file: context.file });
    const source = new PolicySource(context, { policy, since: context.clock() });
    await source.#putInForce(policy, {});
    return source;
  }

  get file(): string {
    return this.#context.file;
  }

  get current(): CompiledPolicy {
    return this.#inForce.policy;
  }

  /** When {@link current} was put in force. */
  get since(): EpochMs {
    return this.#inForce.since;
  }

  /** Null while what the file holds is in force. */
  get refused(): Refused | null {
    return this.#refused;
  }

  ruleFor(ask: Ask): PinnedRule {
    return this.current.policy.ruleFor(ask);
  }

  /** @throws BadPolicy where a text could not be put in force now */
  compile(text: string, file = this.file): CompiledPolicy {
    return compilePolicy(text, { principals: this.#context.principals(), file });
  }

  /**
   * Puts a text in force that is not yet in the file.
   *
   * @param about stands in the event beside the digest, such as the request that asked for it
   * @throws BadPolicy, and then nothing has changed; Problem `storage-failed`
   */
  async load(text: string, about: JsonObject = {}): Promise<CompiledPolicy> {
    const policy = this.compile(text);
    await this.#putInForce(policy, about);
    return policy;
  }

  /** Takes the file over as it is now. Never throws: what is wrong with it is told, and the old policy stays. */
  reload(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#reload());
    return this.#loading;
  }

  async #reload(): Promise<void> {
    try {
      const text = await readPolicyText(this.file);
      const policy = this.compile(text);
      if (policy.digest !== this.current.digest) await this.#putInForce(policy, {});
      this.#refuse(null);
    } catch (error) {
      this.#refuse({ since: this.#context.clock(), mistakes: mistakesOf(this.file, error) });
    }
  }

  /** The event comes first: what decides has been written down. */
  async #putInForce(policy: CompiledPolicy, about: JsonObject): Promise<void> {
    const { store, clock, onLoaded, file } = this.#context;
    const at = clock();
    const body = { file, digest: policy.digest, rules: policy.rules.length, ...about };
    await store.record({ kind: 'policy.loaded', at, body });
    this.#inForce = { policy, since: at };
    onLoaded(policy);
  }

  #refuse(refused: Refused | null): void {
    const before = this.#refused;
    if (before?.mistakes.join('\n') === refused?.mistakes.join('\n')) return;
    this.#refused = refused;
    this.#context.onRefused(refused);
  }
}

function mistakesOf(file: string, error: unknown): readonly string[] {
  if (error instanceof BadPolicy) return error.mistakes.map((mistake) => formatMistake(file, mistake));
  return [error instanceof Problem ? error.message : `${file}: ${String(error)}`];
}
