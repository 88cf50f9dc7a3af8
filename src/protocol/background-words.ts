import { BACKGROUND_DAYS, type Background, type EarlierDecision, type Unusual } from './background.js';

/** What is unusual, in a few words that others wrote no part of but names, an address and a time zone. */
export function unusualWords(unusual: Unusual): string {
  switch (unusual.code) {
    case 'look-alike':
      return unusual.by === 'looks'
        ? `${unusual.requester} looks like ${unusual.name} of the roster, and is not`
        : `${unusual.requester} is one character away from ${unusual.name} of the roster, and is not`;
    case 'denied':
      return `denied ${unusual.asks === 1 ? 'once' : `${unusual.asks} times`} in the 24h before`;
    case 'nothing-approved':
      return 'nothing of this requester was approved before';
    case 'new-address': {
      const says = unusual.signed ? 'and signs' : 'without a signature';
      return `first time from ${addressWords(unusual.address)} (says ${unusual.submitter}, ${says})`;
    }
    case 'new-hour':
      return `never within an hour of ${unusual.at} (${unusual.zone})`;
    case 'new-submitter':
      return `first time through ${unusual.submitter}`;
    case 'new-resource':
      return 'first time for this resource';
  }
}

/** What is no address stands between quotes, so that it cannot go on as if it were words of ours. */
const addressWords = (address: string): string =>
  /^[0-9A-Za-z.:%-]+$/.test(address) ? address : JSON.stringify(address);

/**
 * With what a request was compared: never that all is well.
 *
 * @param since {@link Background.since} as the reader is shown times
 */
export function comparedWords({ isPerson, reach, asks, approved }: Background, since: string): string {
  const all = asks === 0 ? 'no ask' : `${asks} ${asks === 1 ? 'ask' : 'asks'}`;
  const looked = {
    days: `${all} of this requester in ${BACKGROUND_DAYS} days`,
    asks: `the last ${all} of this requester, back to ${since}`,
    search: `${all} of this requester back to ${since}; older ones were not looked at`,
    kept: `${all} of this requester back to ${since}; older ones are not kept`,
  }[reach];
  const whose = isPerson ? '' : '; nobody of the roster has that name, so several people may ask by it';
  const passed = asks === 0 ? '' : `; ${approved} of them approved by others`;
  return `${looked}${passed}${whose}`;
}

/** What the door reported after an earlier decision. */
export function outcomeWords({ verdict, report }: Pick<EarlierDecision, 'verdict' | 'report'>): string {
  if (report === null) return verdict === 'deny' ? '' : 'the door reported nothing';
  const code = report.code === null ? '' : ` (${report.code})`;
  const did = { opened: 'opened', refused: 'refused', observed: 'only observed' }[report.outcome];
  return `the door ${did}${code}`;
}
