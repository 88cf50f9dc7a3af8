import type { Directory, DirectoryChange, Enrolled, MadeChange } from '../../src/client/directory.js';
import type { History, HistoryPage, HistoryQuery } from '../../src/client/history.js';
import { SOUND_LOG } from '../../src/client/log-standing.js';
import type { LetterName, Outbox } from '../../src/client/outbox.js';
import type { PolicyReader } from '../../src/client/policy.js';
import type {
  Cancelling,
  DecisionInput,
  Link,
  Queue,
  QueueConnection,
  Suspend,
} from '../../src/client/queue.js';
import type { StatisticsQuery } from '../../src/client/statistics.js';
import type { Talk, TalkedStatus } from '../../src/client/talk.js';
import type { Background } from '../../src/protocol/background.js';
import type { CanariesReply } from '../../src/protocol/canary.js';
import type { ExplanationReply } from '../../src/protocol/explanation.js';
import type { GrantsReply } from '../../src/protocol/grant-messages.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { OutboxReply } from '../../src/protocol/outbox-messages.js';
import type { PolicyReply } from '../../src/protocol/policy-messages.js';
import { Problem } from '../../src/protocol/problems.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { NO_RESTRAINTS_VIEW } from '../../src/protocol/restraints.js';
import type { Statistics } from '../../src/protocol/statistics.js';
import { BROKER } from './sample-requests.js';

export interface Decided extends DecisionInput {
  readonly request: RequestView;
}

/** A connection to nothing: what it shows is set by hand, what is decided is remembered. */
export class InMemoryQueue implements QueueConnection {
  readonly approver = 'bob';
  readonly address = 'https://broker.example.com:7433';
  readonly fingerprint: string = BROKER;
  isTouched = false;
  readonly pins: readonly string[] = [BROKER];
  invitation: readonly string[] = [];
  readonly decisions: Decided[] = [];
  readonly revoked: { readonly request: RequestView; readonly comment: string }[] = [];
  acknowledgements = 0;
  reconnects = 0;
  /** What the others were told is open here. */
  readonly shown: (RequestId | null)[] = [];
  readonly searches: HistoryQuery[] = [];
  readonly changes: { readonly change: DirectoryChange; readonly reason: string | null }[] = [];
  readonly letterCalls: (LetterName & { readonly how: 'retry' | 'drop' })[] = [];
  /** What was said and escalated here: the text, or null where all were rung. */
  readonly talked: { readonly id: RequestId; readonly text: string | null }[] = [];
  #talk: () => Promise<void> = () => Promise.resolve();
  #search: (query: HistoryQuery) => Promise<HistoryPage> = () =>
    Promise.resolve({ requests: [], next: null, searchedTo: null });
  #letters: () => Promise<OutboxReply> = () => Promise.resolve({ sinks: [], letters: [], next: null });
  #policy: () => Promise<PolicyReply> = () => Promise.resolve({ policy: null, order: [], groups: [] });
  #explanation: (id: RequestId) => Promise<ExplanationReply> = () => new Promise(() => {});
  #made: () => Promise<MadeChange> = () => new Promise(() => {});
  #enrolled: () => Promise<Enrolled> = () => Promise.resolve({ people: [], submitters: [] });
  #background: (id: RequestId) => Promise<Background> = () => new Promise(() => {});
  #grants: GrantsReply = { uses: [], watched: [], more: 0 };
  #statistics: (query: StatisticsQuery) => Promise<Statistics> = () => new Promise(() => {});
  #canaries: () => Promise<CanariesReply> = () => new Promise(() => {});
  #queue: Queue;
  readonly #listeners = new Set<() => void>();
  #answer: (suspend: Suspend) => Promise<void> = () => Promise.resolve();

  constructor(requests: readonly RequestView[] = [], link: Link = { state: 'live' }) {
    this.#queue = {
      link,
      requests: byId(requests),
      seq: 1,
      clockOffset: 0,
      outdatedDoors: [],
      openReviews: [],
      restraints: NO_RESTRAINTS_VIEW,
      policy: null,
      log: SOUND_LOG,
      outbox: [],
      reading: new Map(),
      restoration: null,
    };
  }

  readonly history: History = {
    search: (query) => {
      this.searches.push(query);
      return this.#search(query);
    },
  };

  readonly directory: Directory = {
    list: () => this.#enrolled(),
    change: (change, reason) => {
      this.changes.push({ change, reason });
      return this.#made();
    },
  };

  readonly policy: PolicyReader = {
    read: () => this.#policy(),
    explain: (id) => this.#explanation(id),
  };

  readonly outbox: Outbox = {
    deadLetters: () => this.#letters(),
    retry: async (letter) => {
      this.letterCalls.push({ ...letter, how: 'retry' });
    },
    drop: async (letter) => {
      this.letterCalls.push({ ...letter, how: 'drop' });
    },
  };

  readonly talk: Talk = {
    comment: (id, text) => this.#say(id, text),
    escalate: (id) => this.#say(id, null),
  };

  /** What becomes of what is said from now on. */
  talkWith(answer: () => Promise<void>): void {
    this.#talk = answer;
  }

  async #say(id: RequestId, text: string | null): Promise<TalkedStatus> {
    this.talked.push({ id, text });
    await this.#talk();
    const request = this.#queue.requests.get(id);
    if (request === undefined) throw new Problem('not-found', 'there is no such request');
    return request;
  }

  background(id: RequestId): Promise<Background> {
    return this.#background(id);
  }

  async grants(): Promise<GrantsReply> {
    return this.#grants;
  }

  statistics(query: StatisticsQuery): Promise<Statistics> {
    return this.#statistics(query);
  }

  canaries(): Promise<CanariesReply> {
    return this.#canaries();
  }

  /** How the approver decided on canaries; never told otherwise. */
  catchWith(canaries: () => Promise<CanariesReply>): void {
    this.#canaries = canaries;
  }

  /** What the broker counts; never told otherwise. */
  countWith(statistics: (query: StatisticsQuery) => Promise<Statistics>): void {
    this.#statistics = statistics;
  }

  /** When grants were last used, and what doors watch. */
  tellOfGrants(grants: Partial<GrantsReply>): void {
    this.#grants = { ...this.#grants, ...grants };
  }

  queue(): Queue {
    return this.#queue;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async revoke(
    request: RequestView,
    comment: string,
    suspend: Suspend,
    cancelling?: Cancelling,
  ): Promise<void> {
    this.revoked.push({ request, comment });
    await this.#sign(suspend, cancelling);
  }

  async decide(
    request: RequestView,
    decision: DecisionInput,
    suspend: Suspend,
    cancelling?: Cancelling,
  ): Promise<void> {
    this.decisions.push({ request, ...decision });
    await this.#sign(suspend, cancelling);
  }

  async #sign(suspend: Suspend, cancelling?: Cancelling): Promise<void> {
    await this.#answer(suspend);
    if (cancelling?.signal.aborted) throw new Problem('signing-failed', 'signing was cancelled');
    cancelling?.onSending();
  }

  reconnect(): void {
    this.reconnects += 1;
  }

  async acknowledgeRestoration(): Promise<void> {
    this.acknowledgements += 1;
    this.setRestoration(null);
  }

  setRestraints(restraints: Queue['restraints']): void {
    this.#change({ restraints });
  }

  setRestoration(restoration: Queue['restoration']): void {
    this.#change({ restoration });
  }

  /** What the next searches find. */
  findWith(search: (query: HistoryQuery) => Promise<HistoryPage>): void {
    this.#search = search;
  }

  /** What came before the requests that are opened from now on; never told otherwise. */
  tellWith(background: (id: RequestId) => Promise<Background>): void {
    this.#background = background;
  }

  /** How the receivers fare, and what was given up for them. */
  setOutbox({ sinks, letters }: Omit<OutboxReply, 'next'>): void {
    this.#letters = () => Promise.resolve({ sinks, letters, next: null });
    this.#change({ outbox: sinks });
  }

  /** Who is enrolled from now on. */
  enrolWith(enrolled: () => Promise<Enrolled>): void {
    this.#enrolled = enrolled;
  }

  /** The policy, and how requests came under it, from now on. */
  ruleWith(policy: () => Promise<PolicyReply>, explain: (id: RequestId) => Promise<ExplanationReply>): void {
    this.#policy = policy;
    this.#explanation = explain;
  }

  /** What changes of people and submitters come to. */
  makeWith(made: () => Promise<MadeChange>): void {
    this.#made = made;
  }

  /** What the next decisions come to. */
  answerWith(answer: (suspend: Suspend) => Promise<void>): void {
    this.#answer = answer;
  }

  /** Adds requests, or replaces those with the same ids. */
  put(...requests: readonly RequestView[]): void {
    this.#change({ requests: new Map([...this.#queue.requests, ...byId(requests)]) });
  }

  /** Changes what is known about one request. */
  change(id: RequestId, change: Partial<RequestView>): void {
    const request = this.#queue.requests.get(id);
    if (request === undefined) throw new RangeError(`no request ${id}`);
    this.put({ ...request, ...change });
  }

  remove(id: RequestId): void {
    const requests = new Map(this.#queue.requests);
    requests.delete(id);
    this.#change({ requests });
  }

  setOpenReviews(openReviews: Queue['openReviews']): void {
    this.#change({ openReviews });
  }

  setPolicy(policy: Queue['policy']): void {
    this.#change({ policy });
  }

  setOutdatedDoors(outdatedDoors: Queue['outdatedDoors']): void {
    this.#change({ outdatedDoors });
  }

  /** Who reads what, oneself among them. */
  setReading(reading: Queue['reading']): void {
    this.#change({ reading });
  }

  showReading(id: RequestId | null): void {
    this.shown.push(id);
  }

  setLink(link: Link): void {
    this.#change({ link });
  }

  #change(change: Partial<Queue>): void {
    this.#queue = { ...this.#queue, ...change, seq: this.#queue.seq + 1 };
    for (const listener of this.#listeners) listener();
  }
}

const byId = (requests: readonly RequestView[]): Map<RequestId, RequestView> =>
  new Map(requests.map((request) => [request.id, request]));
