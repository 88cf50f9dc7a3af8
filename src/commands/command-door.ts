import { type Asked, Asker, type Question, type SubmitCredential } from '../client/ask.js';
import { redeemPatiently } from '../client/patient-redeem.js';
import { shownTime } from '../client/shown-time.js';
import { type StandingAsk, StandingAsks } from '../client/standing-asks.js';
import type { Requirements } from '../door/requirements.js';
import type { SpentState } from '../door/spent-state.js';
import { type Approval, verifyReceipts } from '../door/verification.js';
import { parseDocument } from '../protocol/document.js';
import { spacedNumber } from '../protocol/matched-number.js';
import type { SubmitReply } from '../protocol/messages.js';
import { Problem, type ProblemCode } from '../protocol/problems.js';
import type { Outcome, RequestState } from '../protocol/request-view.js';
import type { JsonObject } from '../protocol/strict-json.js';
import { tellAsked } from './asking.js';
import { interruptible } from './interrupt.js';
import { pasteableLine } from './invocation.js';
import type { OpenBroker } from './open-broker.js';
import { prose, tell } from './output.js';
import { Progress } from './progress.js';
import type { OwnSigners } from './run-settings.js';

/** What a door checks receipts with, all of it its own. */
export interface DoorSetup {
  readonly broker: OpenBroker;
  /** Reads who may approve, and whose keys count for nothing: as it is when it matters, for a wait can be long. */
  readonly readOwn: () => Promise<OwnSigners>;
  readonly requirements: Requirements;
  readonly spent: SpentState;
  /** How long to wait for an answer, in ms. */
  readonly patience: number;
  /** Flags under which another command finds the same broker. */
  readonly where: readonly string[];
  /** In which times are shown. */
  readonly zone: string;
}

/** How asking at a door ended: its use is on the disk, or there is no answer yet, or a signal asked to stop. */
export type Admission =
  | { readonly kind: 'admitted'; readonly ask: StandingAsk; readonly approval: Approval }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'interrupted'; readonly signal: NodeJS.Signals };

/** Longest that one call lets the broker hold back its answer, so that who has signed is seen meanwhile; in seconds. */
const LONGEST_CALL = 25;
const REPORT_TIMEOUT = 5_000;
/** How a request can have ended, as state and as problem. */
const ENDS: readonly RequestState[] = ['denied', 'expired', 'lapsed', 'cancelled', 'revoked'];

/** An enforcement point for one user: asks, waits, verifies the receipts itself, and spends them before anything opens. */
export class CommandDoor {
  readonly #setup: DoorSetup;
  readonly #asks: StandingAsks;
  readonly #asker: Asker;

  constructor(setup: DoorSetup) {
    const { broker } = setup;
    this.#setup = setup;
    this.#asks = new StandingAsks(broker.locations.state, broker.clock);
    this.#asker = new Asker(broker, this.#asks, broker.clock);
  }

  /**
   * Returns once enough people have approved and the use is on the disk. An approval that is used up, that was left unused for
   * too long, or whose time is over, is asked for anew, once.
   *
   * @throws Problem that says how the request ended, or why its receipts open nothing.
   */
  async admit(question: Question, credential: SubmitCredential): Promise<Admission> {
    for (let attempt = 1; ; attempt += 1) {
      const { digest } = await this.#setup.readOwn();
      const asked = await this.#asker.ask(question, credential, digest, this.#rememberNo);
      const { where, zone, broker } = this.#setup;
      tellAsked(asked, { where, style: { zone, now: broker.clock.now() } });
      const { number } = asked.ask;
      if (number !== null && asked.reply.status.state === 'pending')
        tell(`tell the approver this number: ${spacedNumber(number)}`);
      const waited = await interruptible((signal) => this.#wait(asked, signal)).catch(async (error) => {
        await this.#rememberNo(asked.ask, error);
        throw error;
      });
      if (waited.interrupted !== null) {
        this.#tellStanding(asked);
        return { kind: 'interrupted', signal: waited.interrupted };
      }
      const { ask } = asked;
      const reply = waited.result;
      if (reply.status.state === 'pending') {
        this.#tellStanding(asked);
        return { kind: 'waiting' };
      }
      try {
        return { kind: 'admitted', ask, approval: await this.#use(ask, reply) };
      } catch (error) {
        // The ask stays, and its claim gets the same receipt again.
        if (hasCode(error, 'alone-too-early')) throw error;
        await this.#rememberNo(ask, error);
        // What was refused once would be refused again.
        await this.#asks.forget(ask);
        const isSpent = hasCode(error, 'spent');
        if (!isSpent) await this.report(ask, 'refused', codeOf(error));
        if (attempt > 1 || !(isSpent || isOver(error, asked))) throw error;
        tell(`${prose((error as Problem).message)}; asking anew`);
        if (!isSpent) await this.#moment();
      }
    }
  }

  /** What a broker called denied or revoked once stays shut, whatever it says later (A27, A61). */
  readonly #rememberNo = async ({ document }: StandingAsk, end: unknown): Promise<void> => {
    if (!(end instanceof Problem) || (end.code !== 'denied' && end.code !== 'revoked')) return;
    const { digest } = parseDocument({ ...document } as unknown as JsonObject);
    await this.#setup.spent.refuse(digest, end.code);
  };

  /** Tells the broker what was done. Nothing depends on whether it hears it. */
  async report(ask: StandingAsk, outcome: Outcome, code: string): Promise<void> {
    try {
      await this.#asker.report(ask, outcome, code, AbortSignal.timeout(REPORT_TIMEOUT));
    } catch {
      tell(`the broker could not be told: ${outcome} (${code})`);
    }
  }

  async #wait({ ask, reply }: Asked, signal: AbortSignal): Promise<SubmitReply> {
    const { broker, patience } = this.#setup;
    if (reply.status.state === 'redeemed' || reply.status.state === 'active') return reply;
    const progress = new Progress(process.stderr, broker.clock);
    if (reply.status.state === 'pending') progress.show(reply);
    try {
      return await redeemPatiently(ask, {
        asker: this.#asker,
        asks: this.#asks,
        clock: broker.clock,
        patience,
        longestCall: LONGEST_CALL,
        onPending: (pending) => progress.show(pending),
        onLost: () => {
          progress.end();
          tell('lost the broker; trying again');
        },
        signal,
      });
    } finally {
      progress.end();
    }
  }

  /** Verifies what the broker calls approved, and records the use. */
  async #use(ask: StandingAsk, { status, receipts }: SubmitReply): Promise<Approval> {
    const { broker, requirements, spent } = this.#setup;
    const { state, endedBy } = status;
    // The exit follows the state that is named, whatever receipts stand beside it.
    const end = ENDS.find((known) => known === state) as ProblemCode | undefined;
    if (end !== undefined) throw new Problem(end, endedBy || `the request is ${state}`);
    if (state !== 'redeemed' && state !== 'active')
      throw new Problem('broker-reply', `the broker answers a redeem with ${state}`);
    const bound = parseDocument({ ...ask.document } as unknown as JsonObject);
    const own = await this.#setup.readOwn();
    const expected = {
      brokers: [broker.fingerprint, ...broker.former],
      bound,
      signers: own.signers,
      revoked: own.revoked,
      requirements,
      number: ask.number,
      drawn: ask.drawn,
    };
    const approval = verifyReceipts(receipts, expected, broker.clock.now());
    if (!(await spent.spend(approval))) {
      // Under a grant this ask is one of its own; else the run that has used it reports what became of it.
      if (approval.request !== bound.digest) await this.report(ask, 'refused', 'spent');
      throw new Problem('spent', 'the approval is used up');
    }
    await this.#asks.forget(ask);
    return approval;
  }

  /** The broker's count of the time of a grant can end a moment after this one, which is of whole seconds. */
  #moment(): Promise<void> {
    return new Promise((resolve) => {
      this.#setup.broker.clock.after(1000, resolve);
    });
  }

  #tellStanding({ ask, reply }: Asked): void {
    const { where, zone, broker } = this.#setup;
    const until = shownTime(reply.answerBy, { zone, now: broker.clock.now() });
    tell(`${ask.id} still stands, until ${until}: the same command again finds it, or its approval`);
    tell(`take it back with: ${pasteableLine(['cancel', ask.id, ...where])}`);
  }
}

/** Whether this says that the time is over of an approval which stood when it was asked for, as a grant does. */
const isOver = (error: unknown, { isNew, reply }: Asked): boolean =>
  hasCode(error, 'grant-ended') ||
  (hasCode(error, 'too-late') && (!isNew || reply.status.state !== 'pending'));

const hasCode = (error: unknown, code: ProblemCode): boolean =>
  error instanceof Problem && error.code === code;
const codeOf = (error: unknown): string => (error instanceof Problem ? error.code : 'internal');
