import { Problem } from '../../../src/protocol/problems.js';

/** Most members of one commit, so that a commit does not keep the event loop for long. */
const MAX_MEMBERS = 256;

export interface CommitSteps<Draft> {
  /** A new empty draft on top of what is committed. */
  begin(): Draft;
  /** Whether the draft should be committed before it takes more. */
  isFull(draft: Draft): boolean;
  /** Makes the draft durable, then visible; if it throws, neither has happened. */
  commit(draft: Draft): void;
}

interface Member<Draft> {
  /** Decides, and returns how to answer. */
  readonly decide: (draft: Draft) => () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Lets all writes that arrive in one turn of the event loop share one commit. Members decide one after the other on the
 * same draft, each seeing what those before it did; nobody is answered, a refusal included, before the commit: even a
 * "no" may rest on what an earlier member wrote.
 */
export class GroupCommit<Draft> {
  readonly #steps: CommitSteps<Draft>;
  #queue: Member<Draft>[] = [];
  #scheduled = false;
  #held = false;
  #closed = false;
  #drained: (() => void) | null = null;

  constructor(steps: CommitSteps<Draft>) {
    this.#steps = steps;
  }

  /**
   * Queues one member. `decide` changes the draft or throws having changed nothing.
   *
   * @throws (rejects with) what `decide` threw; Problem `storage-failed` if the commit failed; `draining` once closed
   */
  submit<Result>(decide: (draft: Draft) => Result): Promise<Result> {
    if (this.#closed) return Promise.reject(new Problem('draining', 'the store is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({
        decide: (draft) => {
          const result = decide(draft);
          return () => resolve(result);
        },
        reject,
      });
      this.#schedule();
    });
  }

  /** Commits nothing until released; what arrives meanwhile waits in the queue. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#schedule();
  }

  /** Takes no more members and waits for the queued ones. */
  drain(): Promise<void> {
    this.#closed = true;
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#held || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#held) return;
      this.#commitSome();
      this.#schedule();
      if (this.#queue.length === 0) this.#drained?.();
    });
  }

  #commitSome(): void {
    const draft = this.#steps.begin();
    const members: Member<Draft>[] = [];
    const answers: (() => void)[] = [];
    for (const member of this.#queue) {
      if (members.length === MAX_MEMBERS || this.#steps.isFull(draft)) break;
      members.push(member);
      answers.push(decided(member, draft));
    }
    this.#queue = this.#queue.slice(members.length);
    try {
      this.#steps.commit(draft);
    } catch (cause) {
      const problem = new Problem('storage-failed', 'the commit failed', { cause });
      for (const member of members) member.reject(problem);
      return;
    }
    for (const answer of answers) answer();
  }
}

function decided<Draft>(member: Member<Draft>, draft: Draft): () => void {
  try {
    return member.decide(draft);
  } catch (reason) {
    return () => member.reject(reason);
  }
}
