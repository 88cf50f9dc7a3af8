import { label } from '../../text/safe-text.js';
import { MOVING } from '../key-contexts.js';
import type { KeySection } from '../key-row.js';

export const READING_KEYS: KeySection = {
  title: label`Reading`,
  rows: [
    {
      action: 'down',
      contexts: MOVING,
      keys: [{ text: 'j' }, { named: 'down' }],
      shown: label`j ↓`,
      hint: label`down`,
      explained: label`next row, next line`,
      repeats: true,
      yields: 9,
    },
    {
      action: 'up',
      contexts: MOVING,
      keys: [{ text: 'k' }, { named: 'up' }],
      shown: label`k ↑`,
      hint: null,
      explained: label`row above, line above`,
      repeats: true,
    },
    {
      action: 'pageDown',
      contexts: MOVING,
      keys: [{ text: ' ' }, { named: 'pageDown' }],
      shown: label`Space`,
      hint: label`page`,
      explained: label`one screen down, as PgDn; PgUp goes up`,
      yields: 3,
    },
    {
      action: 'pageUp',
      contexts: MOVING,
      keys: [{ named: 'pageUp' }],
      shown: label`PgUp`,
      hint: null,
      explained: label`one screen up`,
    },
    {
      action: 'halfDown',
      contexts: MOVING,
      keys: [{ control: 'd' }],
      shown: label`Ctrl-D`,
      hint: null,
      explained: label`half a screen down; Ctrl-U goes up`,
    },
    {
      action: 'halfUp',
      contexts: MOVING,
      keys: [{ control: 'u' }],
      shown: label`Ctrl-U`,
      hint: null,
      explained: label`half a screen up`,
    },
    {
      action: 'first',
      contexts: MOVING,
      keys: [{ text: 'g' }, { named: 'home' }],
      shown: label`g Home`,
      hint: null,
      explained: label`to the top`,
    },
    {
      action: 'last',
      contexts: MOVING,
      keys: [{ text: 'G' }, { named: 'end' }],
      shown: label`G End`,
      hint: null,
      explained: label`to the end; what was jumped over stays unread`,
    },
    {
      action: 'open',
      contexts: ['queue', 'history', 'grants', 'people'],
      keys: [{ named: 'enter' }],
      shown: label`Enter`,
      hint: label`read`,
      explained: label`read all of the request, person or submitter`,
    },
    {
      action: 'otherPane',
      contexts: ['queue', 'detail'],
      keys: [{ named: 'tab' }],
      shown: label`Tab`,
      hint: null,
      explained: label`from the queue into the request, and back`,
    },
  ],
};

export const FILTER_KEYS: KeySection = {
  title: label`Filter`,
  rows: [
    {
      action: 'filter',
      contexts: ['queue', 'history'],
      keys: [{ text: '/' }],
      shown: label`/`,
      hint: label`search`,
      queueHint: label`filter`,
      explained: label`filter the queue, or search the history`,
      yields: 1,
    },
    {
      action: 'find',
      contexts: ['filter'],
      keys: [{ named: 'enter' }],
      shown: label`Enter`,
      hint: label`search`,
      queueHint: label`filter`,
      explained: label`filter or search with what is written; Ctrl-U empties it`,
    },
  ],
};

export const COPYING_KEYS: KeySection = {
  title: label`Copying`,
  rows: [
    {
      action: 'copyId',
      contexts: ['queue', 'detail', 'history', 'record'],
      keys: [{ text: 'y' }],
      shown: label`y`,
      hint: label`copy id`,
      explained: label`copy the id of the request`,
      yields: 11,
    },
    {
      action: 'copyAsk',
      contexts: ['queue', 'detail', 'history', 'record'],
      keys: [{ text: 'Y' }],
      shown: label`Y`,
      hint: null,
      explained: label`copy all of it, as text that no shell acts on`,
    },
  ],
};
