import { isName, type Name } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { type CommandCall, runCommand, type Sent } from '../notify/command.js';
import type { CommandGroup } from '../policy/compile.js';
import type { DeclaredGroups } from '../roster/principals.js';

/** Most that a command may print, in bytes, and most names. */
const MAX_PRINTED = 64 * 1024;
const MAX_MEMBERS = 1000;
/** A group whose command failed is asked again no later than after this, in ms. */
const RETRY = 30_000;

/** How long an answer is good, counted in the times after which the next one is due. */
export const GOOD_FOR = 2;

export interface CommandGroupsContext {
  readonly clock: () => EpochMs;
  /** Somebody joined or left a group, or nobody is known to be in it any more. */
  readonly onChanged: (group: string, members: readonly Name[]) => void;
  readonly onFailed: (group: string, why: string) => void;
  /** Runs one command; tests bring their own. */
  readonly run?: typeof runCommand;
}

interface State extends CommandGroup {
  readonly members: ReadonlySet<Name>;
  readonly answeredAt: EpochMs | null;
  readonly askAt: EpochMs;
  readonly failing: string | null;
}

const NOBODY: ReadonlySet<Name> = new Set();

/**
 * Groups of a policy file. Their commands run in the background, each once at a time; whoever asks who is in a group gets
 * the last good answer, for {@link GOOD_FOR} times its interval, and after that nobody.
 */
export class CommandGroups implements DeclaredGroups {
  readonly #context: CommandGroupsContext;
  readonly #groups = new Map<string, State>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(context: CommandGroupsContext) {
    this.#context = context;
  }

  members(group: string): ReadonlySet<Name> | null {
    const state = this.#groups.get(group);
    if (state === undefined) return null;
    return this.#isGood(state) ? state.members : NOBODY;
  }

  source(group: string): string | null {
    return this.#groups.get(group)?.command[0] ?? null;
  }

  /** Takes the groups of a policy in place of those before; a group of the same command keeps what it said. */
  declare(groups: readonly CommandGroup[]): void {
    const now = this.#context.clock();
    const before = new Map(this.#groups);
    this.#groups.clear();
    for (const group of groups) {
      const known = before.get(group.name);
      const isSame = known !== undefined && known.command.join('\0') === group.command.join('\0');
      const fresh = { members: NOBODY, answeredAt: null, askAt: now, failing: null };
      this.#groups.set(group.name, { ...(isSame ? known : fresh), ...group });
    }
  }

  /** Asks the groups that are due. Resolves when all that were asked have answered or failed. */
  async tick(now: EpochMs): Promise<void> {
    for (const state of this.#groups.values()) {
      if (now < state.askAt || this.#running.has(state.name)) continue;
      const running = this.#ask(state).finally(() => this.#running.delete(state.name));
      this.#running.set(state.name, running);
    }
    for (const state of [...this.#groups.values()]) this.#expire(state);
    await Promise.all(this.#running.values());
  }

  /** As they stand, for whoever looks after them. */
  states(): readonly (Omit<State, 'askAt' | 'members'> & { readonly members: readonly Name[] })[] {
    return [...this.#groups.values()].map(({ askAt: _, ...state }) => ({
      ...state,
      members: this.#isGood(state) ? [...state.members] : [],
    }));
  }

  /** Ends what runs. */
  stop(): void {
    this.#stopped.abort();
  }

  #isGood({ answeredAt, every }: Pick<State, 'answeredAt' | 'every'>): boolean {
    return answeredAt !== null && this.#context.clock() < answeredAt + GOOD_FOR * every * 1000;
  }

  async #ask({ name, command }: CommandGroup): Promise<void> {
    const { run = runCommand, clock } = this.#context;
    const [program = '', ...args] = command;
    const printed: Buffer[] = [];
    let size = 0;
    const call: CommandCall = {
      input: '',
      variables: { COUNTERSIGN_GROUP: name },
      args,
      onPrinted(chunk) {
        size += chunk.length;
        if (size <= MAX_PRINTED) printed.push(chunk);
      },
    };
    const sent = await run(program, call, this.#stopped.signal);
    const current = this.#groups.get(name);
    // The policy has changed meanwhile, or the broker stops.
    if (current?.command.join('\0') !== command.join('\0') || this.#stopped.signal.aborted) return;
    const answer = sent.ok ? namesIn(printed, size) : failure(sent);
    const now = clock();
    const { every } = current;
    if (typeof answer === 'string') {
      this.#groups.set(name, { ...current, failing: answer, askAt: now + Math.min(every * 1000, RETRY) });
      this.#context.onFailed(name, answer);
      return;
    }
    const before = this.#isGood(current) ? current.members : NOBODY;
    const next = { ...current, members: answer, answeredAt: now, askAt: now + every * 1000, failing: null };
    this.#groups.set(name, next);
    if (!isSame(before, answer)) this.#context.onChanged(name, [...answer]);
  }

  /** Members whose answer has become too old are told of once. */
  #expire(state: State): void {
    if (state.answeredAt === null || this.#isGood(state)) return;
    this.#groups.set(state.name, { ...state, members: NOBODY, answeredAt: null });
    if (state.members.size > 0) this.#context.onChanged(state.name, []);
  }
}

/** The names, one a line; blank lines and those that begin with # are passed over. A text says what is wrong. */
function namesIn(printed: readonly Buffer[], size: number): ReadonlySet<Name> | string {
  if (size > MAX_PRINTED) return `it prints more than ${MAX_PRINTED} bytes`;
  const lines = Buffer.concat(printed)
    .toString('latin1')
    .split('\n')
    .map((line) => line.trim());
  const members = new Set<Name>();
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    // With half an answer nobody knows who the other half is.
    if (!isName(line)) return `line ${index + 1} of what it prints is no name`;
    members.add(line);
  }
  return members.size > MAX_MEMBERS ? `it prints more than ${MAX_MEMBERS} names` : members;
}

function failure({ how, output }: Sent): string {
  const [line = ''] = output.split('\n');
  return line === '' ? how : `${how}: ${line.slice(0, 200)}`;
}

const isSame = (a: ReadonlySet<Name>, b: ReadonlySet<Name>): boolean =>
  a.size === b.size && [...a].every((member) => b.has(member));
