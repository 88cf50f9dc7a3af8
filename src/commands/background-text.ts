import { shownTime, type TimeStyle, zonedTime } from '../client/shown-time.js';
import type { Background } from '../protocol/background.js';
import { comparedWords, outcomeWords, unusualWords } from '../protocol/background-words.js';
import { Problem } from '../protocol/problems.js';
import { exact, prose } from './output.js';
import { field } from './request-text.js';

/**
 * What came before a request, to stand below the request itself: the word of the broker, and never that all is well.
 *
 * @param told why it is not known, where it is not
 */
export function formatBackground(told: Background | Problem, style: TimeStyle): string {
  if (told instanceof Problem) {
    return field('unusual', `not known: the broker did not answer: ${prose(told.message)}`);
  }
  const { unusual, earlier, since } = told;
  return [
    ...unusual.map((what) => field('unusual', exact(unusualWords(what)))),
    field('compared', `with ${exact(comparedWords(told, zonedTime(since, style.zone)))}`),
    ...earlier.map(({ approver, verdict, decided, report }) => {
      const outcome = outcomeWords({ verdict, report });
      const words = `${exact(approver)} ${verdict} ${shownTime(decided, style)}`;
      return field('earlier', outcome === '' ? words : `${words}; ${exact(outcome)}`);
    }),
  ].join('\n');
}
