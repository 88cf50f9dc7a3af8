import { label } from '../../text/safe-text.js';
import { ASKING, BULK, CONFIRMING, DECIDING } from '../key-contexts.js';
import type { KeySection } from '../key-row.js';

export const DECIDING_KEYS: KeySection = {
  title: label`Deciding`,
  rows: [
    {
      action: 'approve',
      contexts: DECIDING,
      keys: [{ text: 'a' }],
      shown: label`a`,
      hint: label`approve`,
      explained: label`approve: read the request first, then confirm`,
    },
    {
      action: 'deny',
      contexts: DECIDING,
      keys: [{ text: 'd' }],
      shown: label`d`,
      hint: label`deny`,
      explained: label`deny: opens the request, then confirm`,
    },
    {
      action: 'denyFraud',
      contexts: DECIDING,
      keys: [{ text: 'f' }],
      shown: label`f`,
      hint: label`fraud`,
      explained: label`deny as fraud: locks the requester until unlocked`,
      yields: 10,
    },
    {
      action: 'bulkDeny',
      contexts: [...DECIDING, 'bulk'],
      keys: [{ text: 'D' }],
      shown: label`D`,
      hint: null,
      explained: label`deny many: equal asks, of a requester, from a submitter`,
    },
    {
      action: 'revoke',
      contexts: ['detail', 'grants'],
      keys: [{ text: 'R' }],
      shown: label`R`,
      hint: label`revoke`,
      explained: label`take an approval or a grant back, then confirm`,
    },
    {
      action: 'acknowledge',
      contexts: ['queue'],
      keys: [{ text: 'R' }],
      shown: label`R`,
      hint: null,
      explained: label`take note that the broker was restored from a back-up`,
      isInBanner: true,
    },
  ],
};

export const OTHERS_KEYS: KeySection = {
  title: label`The others`,
  rows: [
    {
      action: 'remark',
      contexts: DECIDING,
      keys: [{ text: 'c' }],
      shown: label`c`,
      hint: label`comment`,
      explained: label`comment for the other approvers; nobody signs it`,
      yields: 5,
    },
    {
      action: 'say',
      contexts: ['talk'],
      keys: [{ named: 'enter' }],
      shown: label`Enter`,
      hint: label`say it`,
      explained: label`say what is written`,
    },
    {
      action: 'escalate',
      contexts: DECIDING,
      keys: [{ text: 'e' }],
      shown: label`e`,
      hint: label`ring all`,
      explained: label`have everybody rung who could sign, then confirm`,
      yields: 8,
    },
    {
      action: 'snooze',
      contexts: DECIDING,
      keys: [{ text: 's' }],
      shown: label`s`,
      hint: label`snooze`,
      explained: label`leave it for 30 minutes, for you; s again wakes it`,
      yields: 6,
    },
  ],
};

export const CONFIRMING_KEYS: KeySection = {
  title: label`Confirming`,
  rows: [
    {
      action: 'next',
      contexts: [...CONFIRMING, ...BULK, ...ASKING],
      keys: [{ named: 'tab' }],
      shown: label`Tab`,
      hint: label`move`,
      explained: label`Cancel, Sign, each field that there is, and round again`,
    },
    {
      action: 'previous',
      contexts: [...CONFIRMING, ...BULK, ...ASKING],
      keys: [{ named: 'shiftTab' }],
      shown: label`Shift-Tab`,
      hint: null,
      explained: label`the same, backwards`,
    },
    {
      action: 'next',
      contexts: ['confirm', 'bulk', ...ASKING],
      keys: [{ named: 'right' }, { named: 'left' }],
      shown: label`← →`,
      hint: null,
      explained: label`between Cancel and Sign`,
    },
    {
      action: 'cover',
      contexts: ['cover'],
      keys: [{ text: ' ' }],
      shown: label`Space`,
      hint: label`this ask or all equal ones`,
      explained: label`cover: this ask or all equal ones; ← → time, ↑ ↓ uses`,
    },
    {
      action: 'comment',
      contexts: ['confirm'],
      keys: [{ text: 'c' }],
      shown: label`c`,
      hint: label`comment`,
      explained: label`write a comment; it is signed with the decision`,
    },
    {
      action: 'activate',
      contexts: [...CONFIRMING, ...BULK, ...ASKING],
      keys: [{ named: 'enter' }],
      shown: label`Enter`,
      hint: null,
      explained: label`press the focused button, or end what is typed`,
    },
  ],
};
