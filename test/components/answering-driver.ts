import type { ConsoleEffect } from '../../components/state/console-effects.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { type Answer, ConsoleDriver, type DriverOptions } from './console-driver.js';
import { grants, told } from './grants/sample-grants.js';
import { letters, sinks } from './outbox/sample-outbox.js';
import { pastRequests } from './past-requests.js';
import { ENROLLED } from './people/sample-people.js';
import { explanation, POLICY } from './policy/sample-policy.js';
import { earlier, pending } from './sample-queue.js';
import { missedSome } from './statistics/sample-canaries.js';
import { figures } from './statistics/sample-statistics.js';

/** Answers by the kind of what was asked; null leaves it unanswered. */
export type Answers = (asked: ConsoleEffect) => Answer | null;

/** A broker that has some of everything. */
export const fullBroker: Answers = (asked) => {
  switch (asked.type) {
    case 'search': {
      const requests = pastRequests(40);
      return { type: 'found', search: asked.search, page: { requests, next: null, searchedTo: null } };
    }
    case 'askOfGrants':
      return { type: 'toldOfGrants', number: asked.number, reply: told };
    case 'listEnrolled':
      return { type: 'enrolled', number: asked.number, enrolled: ENROLLED };
    case 'readPolicy':
      return { type: 'policy', number: asked.number, reply: POLICY };
    case 'explain':
      return { type: 'explained', number: asked.number, reply: explanation({ id: asked.id }) };
    case 'listLetters':
      return { type: 'letters', number: asked.number, reply: { sinks: [...sinks], letters, next: null } };
    case 'count':
      return { type: 'counted', number: asked.number, statistics: figures };
    case 'askOfCanaries':
      return { type: 'toldOfCanaries', number: asked.number, canaries: missedSome };
    default:
      return null;
  }
};

/** A console behind which a broker answers before the next key comes. */
export class AnsweringDriver extends ConsoleDriver {
  readonly #answers: Answers;
  #answered = 0;

  constructor(
    answers: Answers = fullBroker,
    options: DriverOptions = {},
    requests: readonly RequestView[] = [...pending, ...grants, ...earlier],
  ) {
    super(requests, options);
    this.#answers = answers;
  }

  override press(...keys: readonly string[]): this {
    for (const key of keys) super.press(key).answer();
    return this;
  }

  /** All that was asked of the broker is answered. */
  answer(): this {
    while (this.#answered < this.effects.length) {
      const asked = this.effects[this.#answered];
      this.#answered += 1;
      const answer = asked === undefined ? null : this.#answers(asked);
      if (answer !== null) this.finish(answer);
    }
    return this;
  }
}
