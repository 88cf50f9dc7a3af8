import fc from 'fast-check';
import {
  type Filter,
  type FilterSubject,
  STANDINGS,
  type Term,
  VERDICTS,
} from '../../src/protocol/filter.js';
import { foldCase, type Glob } from '../../src/protocol/glob.js';
import type { RequestId } from '../../src/protocol/names.js';
import { OUTCOMES, REQUEST_STATES } from '../../src/protocol/request-view.js';
import { time } from './arbitraries.js';

/** Few different characters, so that filters and what they are held against meet often. */
const text = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), maxLength });

const NAME = 'ab-:';
const ANY = 'aAbéÉ "\\,*:-%_[?\u2028';

function glob(alphabet: string): fc.Arbitrary<Glob> {
  const some = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 3 }).map(foldCase);
  const open = text(alphabet, 3).map(foldCase);
  return fc.oneof(
    some.map((literal): Glob => [literal]),
    fc
      .tuple(open, fc.array(some, { maxLength: 2 }), open)
      .map(([first, inner, last]): Glob => [first, ...inner, last]),
  );
}

const any = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: 1, maxLength: 3 });

const term: fc.Arbitrary<Term> = fc.oneof(
  fc.record({
    key: fc.constantFrom('person', 'requester', 'approver', 'submitter', 'action', 'door'),
    not: fc.boolean(),
    any: any(glob(NAME)),
  }),
  fc.record({ key: fc.constant('id'), not: fc.boolean(), any: any(glob('01az')) }),
  fc.record({ key: fc.constantFrom('resource', 'word'), not: fc.boolean(), any: any(glob(ANY)) }),
  fc.record({ key: fc.constant('state'), not: fc.boolean(), any: any(fc.constantFrom(...STANDINGS)) }),
  fc.record({ key: fc.constant('verdict'), not: fc.boolean(), any: any(fc.constantFrom(...VERDICTS)) }),
  fc.record({ key: fc.constantFrom('since', 'until'), at: time }),
);

/** Every filter that can be written, in the form in which it is read. */
export const filter: fc.Arbitrary<Filter> = fc
  .array(term, { maxLength: 4 })
  .filter((terms) => terms.filter((one) => one.key === 'verdict' && !one.not).length < 2)
  .map((terms) => ({ terms }));

const name = fc.string({ unit: fc.constantFrom(...NAME), minLength: 1, maxLength: 4 });

export const requestId = fc
  .string({ unit: fc.constantFrom(...'01AZ'), minLength: 25, maxLength: 25 })
  .map((rest) => `0${rest}` as RequestId);

export const subject: fc.Arbitrary<FilterSubject> = fc.record({
  id: requestId,
  state: fc.constantFrom(...REQUEST_STATES),
  outcome: fc.option(fc.constantFrom(...OUTCOMES)),
  requester: name,
  submitter: name,
  action: name,
  resource: text(ANY, 6),
  door: name,
  reason: fc.option(text(ANY, 6)),
  votes: fc.uniqueArray(fc.record({ approver: name, verdict: fc.constantFrom(...VERDICTS) }), {
    maxLength: 3,
    selector: ({ approver }) => approver,
  }),
});
