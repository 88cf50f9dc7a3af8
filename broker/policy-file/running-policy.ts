import type { Logger } from 'pino';
import type { PolicyStanding } from '../../src/protocol/policy-messages.js';
import type { PinnedRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { PolicyProposals } from '../changes/policy-proposals.js';
import { oneOtherPerson } from '../policy/one-other-person.js';
import type { Ask, Policy } from '../policy/policy.js';
import type { Principals } from '../roster/principals.js';
import type { Store } from '../store/store.js';
import { CommandGroups } from './command-groups.js';
import { watchFile } from './file-watch.js';
import { PolicySource, type Refused } from './policy-source.js';

export interface RunningPolicyContext {
  /** Path of the policy file; null for none, so that one other person is enough for anything. */
  readonly file: string | null;
  readonly store: Store;
  readonly clock: () => EpochMs;
  readonly log: Logger;
  readonly count: (outcome: 'loaded' | 'refused') => void;
  /** Who is in which group has changed. */
  readonly onGroups: () => void;
  /** Something of {@link RunningPolicy.standing} that people should see has changed. */
  readonly onStanding: () => void;
}

/** The policy of a running broker: its file, the groups that the file declares, and what became of both. */
export class RunningPolicy implements Policy {
  readonly groups: CommandGroups;
  readonly #context: RunningPolicyContext;
  #source: PolicySource | null = null;
  #principals: (() => Principals) | null = null;
  #unwatch: () => void = () => {};

  constructor(context: RunningPolicyContext) {
    this.#context = context;
    const { clock, log, onGroups, onStanding } = context;
    this.groups = new CommandGroups({
      clock,
      onChanged(group, members) {
        log.info({ event: 'group-changed', group, members });
        onGroups();
        onStanding();
      },
      onFailed(group, why) {
        log.warn({ event: 'group-failed', group, why });
        onStanding();
      },
    });
  }

  /**
   * Puts a policy in force: the one that was, else the file's. Asks its groups, and watches the file from then on; what the
   * file holds now is looked at by {@link reload}.
   *
   * @throws Problem `bad-policy`, `unsafe-file`
   */
  async start(principals: () => Principals, proposals: PolicyProposals): Promise<void> {
    const { file, store, clock, log } = this.#context;
    this.#principals = principals;
    if (file === null && store.policy() === null) return;
    this.#source = await PolicySource.open({
      file,
      store,
      principals,
      proposals,
      clock,
      onLoaded: ({ digest, rules, groups }) => {
        this.groups.declare(groups);
        this.#context.count('loaded');
        log.info({ event: 'policy-loaded', file, digest, rules: rules.length });
        void this.groups.tick(clock());
      },
      onRefused: (refused) => this.#refused(refused),
    });
    if (file !== null) {
      this.#unwatch = watchFile(
        file,
        () => void this.reload(),
        (err) =>
          log.error({ event: 'policy-unwatched', file, err }, 'only SIGHUP loads this file from now on'),
      );
    }
    // Without their first answers, what was approved before a restart would fall.
    await this.groups.tick(clock());
  }

  ruleFor(ask: Ask): PinnedRule {
    return (this.#source ?? oneOtherPerson).ruleFor(ask);
  }

  /** Where a new policy goes in; null where none is in force. */
  get source(): PolicySource | null {
    return this.#source;
  }

  /** Takes over at once what others have agreed to, then looks at the file. */
  async follow(): Promise<void> {
    this.#source?.follow();
    await this.reload();
  }

  /** Looks at the file as it is now. To be called too once the roster has changed, against which it is checked. */
  async reload(): Promise<void> {
    await this.#source?.reload();
  }

  tick(now: EpochMs): void {
    void this.groups.tick(now);
  }

  stop(): void {
    this.#unwatch();
    this.groups.stop();
  }

  /** Null where no policy is in force. */
  standing(): PolicyStanding | null {
    const source = this.#source;
    if (source === null) return null;
    const { name: file, current, since, refused } = source;
    const people = this.#principals?.();
    const groups = this.groups.states().map(({ name, command, members, answeredAt, failing }) => ({
      name,
      command: [...command],
      members: [...members],
      unknown: members.filter((member) => !people?.personBehind(member)),
      answered: answeredAt,
      failing,
    }));
    return {
      file,
      digest: current.digest,
      loaded: since,
      rules: current.rules.length,
      groups,
      refused: refused === null ? null : { file, ...refused, mistakes: [...refused.mistakes] },
    };
  }

  #refused(refused: Refused | null): void {
    const { file, log, count, onStanding } = this.#context;
    if (refused === null) log.info({ event: 'policy-in-force', file });
    else if (refused.waiting) log.warn({ event: 'policy-waits', file, why: refused.mistakes });
    else {
      count('refused');
      log.error(
        { event: 'policy-refused', file, mistakes: refused.mistakes },
        'the old policy stays in force',
      );
    }
    onStanding();
  }
}
