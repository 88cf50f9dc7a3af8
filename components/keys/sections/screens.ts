import { label } from '../../text/safe-text.js';
import { SCREEN_CONTEXTS } from '../key-contexts.js';
import type { KeySection } from '../key-row.js';

export const SCREEN_KEYS: KeySection = {
  title: label`Screens`,
  rows: [
    {
      action: 'toQueue',
      contexts: SCREEN_CONTEXTS,
      keys: [{ text: '1' }],
      shown: label`1`,
      hint: null,
      explained: label`the queue: who waits`,
    },
    {
      action: 'toHistory',
      contexts: SCREEN_CONTEXTS,
      keys: [{ text: '2' }],
      shown: label`2`,
      hint: null,
      explained: label`the history: what was ever asked`,
    },
    {
      action: 'toGrants',
      contexts: SCREEN_CONTEXTS,
      keys: [{ text: '3' }],
      shown: label`3`,
      hint: null,
      explained: label`the grants: what passes without another signature`,
    },
    {
      action: 'toPeople',
      contexts: SCREEN_CONTEXTS,
      keys: [{ text: '4' }],
      shown: label`4`,
      hint: null,
      explained: label`people and submitters: who may sign, who may ask`,
    },
    {
      action: 'toPolicy',
      contexts: SCREEN_CONTEXTS,
      keys: [{ text: '5' }],
      shown: label`5`,
      hint: null,
      explained: label`the policy: rules in order, groups`,
    },
    {
      action: 'explain',
      contexts: ['queue', 'policy'],
      keys: [{ text: 'w' }],
      shown: label`w`,
      hint: label`why`,
      explained: label`why: the rule of the selected request, who could sign`,
      yields: 7,
    },
    {
      action: 'toOutbox',
      contexts: SCREEN_CONTEXTS,
      keys: [{ text: '6' }],
      shown: label`6`,
      hint: null,
      explained: label`the outbox: what leaves the broker, and dead letters`,
    },
    {
      action: 'toStatistics',
      contexts: SCREEN_CONTEXTS,
      keys: [{ text: '7' }],
      shown: label`7`,
      hint: null,
      explained: label`statistics: waiting times, load, rules and hours`,
    },
  ],
};

export const OUTBOX_KEYS: KeySection = {
  title: label`Outbox`,
  rows: [
    {
      action: 'retry',
      contexts: ['outbox'],
      keys: [{ text: 'r' }],
      shown: label`r`,
      hint: label`retry`,
      explained: label`have a dead letter sent again`,
    },
    {
      action: 'drop',
      contexts: ['outbox'],
      keys: [{ text: 'x' }],
      shown: label`x`,
      hint: label`drop`,
      explained: label`drop a dead letter for good, then confirm`,
    },
  ],
};

export const STATISTICS_KEYS: KeySection = {
  title: label`Statistics`,
  rows: [
    {
      action: 'shorter',
      contexts: ['statistics'],
      keys: [{ named: 'left' }],
      shown: label`←`,
      hint: label`fewer`,
      explained: label`count fewer days`,
    },
    {
      action: 'longer',
      contexts: ['statistics'],
      keys: [{ named: 'right' }],
      shown: label`→`,
      hint: label`more days`,
      explained: label`count more days`,
    },
  ],
};
