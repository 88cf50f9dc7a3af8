import { sha256Digest } from '../../src/protocol/canonical.js';
import { Problem } from '../../src/protocol/problems.js';
import type { PinnedRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { APPROVERS_WHO_MUST_AGREE } from '../changes/directory-change.js';
import { policyLoaded } from '../changes/policy-change.js';
import type { PolicyProposals } from '../changes/policy-proposals.js';
import { BadPolicy } from '../policy/bad-policy.js';
import { type CompiledPolicy, compilePolicy } from '../policy/compile.js';
import type { Ask, Policy } from '../policy/policy.js';
import type { Principals } from '../roster/principals.js';
import type { PolicyText, Store } from '../store/store.js';
import { formatMistake } from '../yaml/mistake.js';
import { readYamlFile } from '../yaml-file.js';

export interface PolicySourceContext {
  /** Null where no file is named although a policy is in force. */
  readonly file: string | null;
  readonly store: Pick<Store, 'record' | 'policy' | 'keepPolicy'>;
  readonly principals: () => Principals;
  readonly proposals: Pick<PolicyProposals, 'ask' | 'keepOnly'>;
  readonly clock: () => EpochMs;
  /** A policy is in force from now on. */
  readonly onLoaded: (policy: CompiledPolicy) => void;
  /** What the file holds now is not in force; null when it is again. Called when that changes. */
  readonly onRefused: (refused: Refused | null) => void;
}

/** What keeps the file as it is now from being in force. */
export interface Refused {
  readonly since: EpochMs;
  /** Whether it is good, and others are asked to approve it. */
  readonly waiting: boolean;
  /** In one line each. */
  readonly mistakes: readonly string[];
}

interface InForce {
  readonly policy: CompiledPolicy;
  readonly since: EpochMs;
}

/**
 * The policy that is in force. The store holds it, and a file in which somebody writes the next one: as soon as two
 * approvers are enrolled, others must agree before that takes the place of the old one (A17), as a whole or not at all.
 * Requests keep the rule that they were made under (A16).
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

  /**
   * Puts the policy in force that the store holds, else the one of the file. {@link reload} compares the two.
   *
   * @throws Problem `bad-policy`, `unsafe-file` where there is no policy to begin with
   */
  static async open(context: PolicySourceContext): Promise<PolicySource> {
    const { store, clock, principals, onLoaded } = context;
    const kept = store.policy();
    const file = nameOf(context);
    if (kept !== null) {
      const policy = compiledOr(() => compilePolicy(kept.text, { principals: principals(), file }), kept);
      await store.record(policyLoaded(file, policy, clock(), {}));
      onLoaded(policy);
      return new PolicySource(context, { policy, since: kept.since });
    }
    const text = await readYamlFile(file, 'bad-policy');
    const policy = compilePolicy(text, { principals: principals(), file });
    const source = new PolicySource(context, { policy, since: clock() });
    await source.#putInForce(policy);
    return source;
  }

  /** The path of the file, or what stands for it. */
  get name(): string {
    return nameOf(this.#context);
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
  compile(text: string): CompiledPolicy {
    return compilePolicy(text, { principals: this.#context.principals(), file: this.name });
  }

  /** Takes over what has come into force in the store. */
  follow(): void {
    const kept = this.#context.store.policy();
    if (kept === null || kept.digest === this.current.digest) return;
    this.#take(
      compiledOr(() => this.compile(kept.text), kept),
      kept.since,
    );
  }

  /** Looks at the file as it is now. Never throws: what is wrong with it is told, and the old policy stays. */
  reload(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#reload());
    return this.#loading;
  }

  async #reload(): Promise<void> {
    try {
      this.follow();
      this.#refuse(await this.#compare());
    } catch (error) {
      this.#refuse({ ...this.#now, waiting: false, mistakes: mistakesOf(this.name, error) });
    }
  }

  /** Why the file is not in force after all that could be done; null where it is. */
  async #compare(): Promise<Refused | null> {
    const { file, principals, proposals } = this.#context;
    if (file === null)
      throw new Problem(
        'bad-policy',
        'no policy file is named, but a policy is in force: give it with --policy',
      );
    const text = await readYamlFile(file, 'bad-policy');
    await proposals.keepOnly(this.current.digest, sha256Digest(text));
    const next = this.compile(text);
    if (next.digest === this.current.digest) {
      if (isUnfit(this.current)) this.#take(next, this.since);
      return null;
    }
    if (principals().approvers < APPROVERS_WHO_MUST_AGREE) {
      await this.#putInForce(next);
      return null;
    }
    const { waiting, why } = await proposals.ask(this.current, next, file);
    this.follow();
    if (next.digest === this.current.digest) return null;
    return { ...this.#now, waiting, mistakes: [`${file}: ${why}`] };
  }

  get #now(): Pick<Refused, 'since'> {
    return { since: this.#context.clock() };
  }

  /** The event comes first: what decides has been written down. */
  async #putInForce(policy: CompiledPolicy): Promise<void> {
    const { store, clock } = this.#context;
    const since = clock();
    const { text, digest } = policy;
    await store.keepPolicy({ text, digest, since }, policyLoaded(this.name, policy, since, {}));
    this.#take(policy, since);
  }

  #take(policy: CompiledPolicy, since: EpochMs): void {
    this.#inForce = { policy, since };
    this.#context.onLoaded(policy);
  }

  #refuse(refused: Refused | null): void {
    const before = this.#refused;
    if (before?.mistakes.join('\n') === refused?.mistakes.join('\n')) return;
    this.#refused = refused;
    this.#context.onRefused(refused);
  }
}

const nameOf = ({ file }: Pick<PolicySourceContext, 'file'>): string => file ?? 'the policy in force';

/** A policy that once was good and that the people of now do not bear: nothing is allowed rather than something else. */
function compiledOr(compile: () => CompiledPolicy, { text, digest }: PolicyText): CompiledPolicy {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof BadPolicy)) throw error;
    const [first = ''] = error.message.split('\n');
    const ruleFor = (): never => {
      throw new Problem('policy-unfit', `the policy in force does not fit the roster any more: ${first}`);
    };
    return { policy: { ruleFor }, rules: [], groups: [], digest, text };
  }
}

const isUnfit = ({ rules }: CompiledPolicy): boolean => rules.length === 0;

function mistakesOf(file: string, error: unknown): readonly string[] {
  if (error instanceof BadPolicy) return error.mistakes.map((mistake) => formatMistake(file, mistake));
  return [error instanceof Problem ? error.message : `${file}: ${String(error)}`];
}
