import { label, type SafeText } from '../text/safe-text.js';

/** What a person can do. Names of actions, not of keys. */
export type Action =
  | 'down'
  | 'up'
  | 'pageDown'
  | 'pageUp'
  | 'halfDown'
  | 'halfUp'
  | 'first'
  | 'last'
  | 'open'
  | 'otherPane'
  | 'approve'
  | 'deny'
  | 'denyFraud'
  | 'bulkDeny'
  | 'remark'
  | 'say'
  | 'escalate'
  | 'snooze'
  | 'back'
  | 'next'
  | 'previous'
  | 'activate'
  | 'comment'
  | 'cover'
  | 'revoke'
  | 'acknowledge'
  | 'filter'
  | 'find'
  | 'retry'
  | 'drop'
  | 'copyId'
  | 'copyAsk'
  | 'palette'
  | 'run'
  | 'toQueue'
  | 'toHistory'
  | 'toGrants'
  | 'enrolPerson'
  | 'enrolSubmitter'
  | 'setNames'
  | 'changeKeys'
  | 'remove'
  | 'choose'
  | 'explain'
  | 'toPolicy'
  | 'toPeople'
  | 'toOutbox'
  | 'toStatistics'
  | 'shorter'
  | 'longer'
  | 'help'
  | 'suspend'
  | 'redraw'
  | 'reconnect'
  | 'quit';

/**
 * Where keys go. `comment`, `number`, `resource` and `filter` are fields: all that is no key of them is text. `record` is a request of the
 * past, `entry` a person or submitter in full,
 * `form` and `choice` the fields of a change of one, `ask` the step before it is asked for, `drop` the step before a dead letter is dropped.
 * `talk` is the field of a comment to the other approvers, `escalation` the step before everybody is rung.
 */
export type KeyContext =
  | 'queue'
  | 'detail'
  | 'confirm'
  | 'cover'
  | 'comment'
  | 'number'
  | 'resource'
  | 'bulk'
  | 'bulkCount'
  | 'bulkComment'
  | 'history'
  | 'filter'
  | 'record'
  | 'grants'
  | 'people'
  | 'entry'
  | 'policy'
  | 'form'
  | 'choice'
  | 'ask'
  | 'outbox'
  | 'statistics'
  | 'drop'
  | 'talk'
  | 'escalation'
  | 'palette'
  | 'help';

export type NamedKey =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'shiftTab'
  | 'backspace'
  | 'delete';

/**
 * What came from the keyboard at once. `text` may be several characters: a fast hand, a held key, a paste without
 * brackets, or another program (A35).
 */
export type Press = { readonly named: NamedKey } | { readonly control: string } | { readonly text: string };

/** One row feeds the matcher, the footer and the help. */
export interface KeyRow {
  readonly action: Action;
  readonly contexts: readonly KeyContext[];
  readonly keys: readonly Press[];
  /** How the keys are written. */
  readonly shown: SafeText;
  /** One or two words for the footer; null where it stands in the help only. */
  readonly hint: SafeText | null;
  readonly explained: SafeText;
  /** A held key repeats it; all else takes exactly one character. */
  readonly repeats?: true;
  /** It answers a banner, which names it: it does nothing, and stands nowhere else, while that is not shown. */
  readonly isInBanner?: true;
}

/** Rows that belong together, under one title in the help. */
export interface KeySection {
  readonly title: SafeText;
  readonly rows: readonly KeyRow[];
}

const SCREEN_CONTEXTS: readonly KeyContext[] = [
  'queue',
  'history',
  'grants',
  'people',
  'policy',
  'outbox',
  'statistics',
];
const READING: readonly KeyContext[] = [...SCREEN_CONTEXTS, 'entry', 'detail', 'record', 'bulk', 'help'];
/** The step before many denials, and its fields. */
const BULK: readonly KeyContext[] = ['bulk', 'bulkCount', 'bulkComment'];
/** Where the palette opens: where one reads, and nothing else is asked. */
const PALETTE: readonly KeyContext[] = [...SCREEN_CONTEXTS, 'entry', 'detail', 'record'];
const DECIDING: readonly KeyContext[] = ['queue', 'detail'];
const CONFIRMING: readonly KeyContext[] = ['confirm', 'cover', 'comment', 'number', 'resource'];
/** A change of a person or submitter while it is written, and the step before it is asked for. */
const CHANGING: readonly KeyContext[] = ['form', 'choice', 'ask'];
/** Wherever there is more than a screen shows. */
const MOVING: readonly KeyContext[] = [...READING, 'ask'];
/** Steps that ask before something is done that cannot be taken back. */
const ASKING: readonly KeyContext[] = ['ask', 'drop', 'escalation'];
const EVERYWHERE: readonly KeyContext[] = [
  ...READING,
  ...CONFIRMING,
  ...BULK,
  'filter',
  'palette',
  'talk',
  ...CHANGING,
  ...ASKING,
];

export const KEY_SECTIONS: readonly KeySection[] = [
  {
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
  },
  {
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
        hint: null,
        explained: label`deny as fraud: locks the requester until unlocked`,
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
  },
  {
    title: label`The others`,
    rows: [
      {
        action: 'remark',
        contexts: DECIDING,
        keys: [{ text: 'c' }],
        shown: label`c`,
        hint: null,
        explained: label`comment for the other approvers; nobody signs it`,
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
        hint: null,
        explained: label`have everybody rung who could sign, then confirm`,
      },
      {
        action: 'snooze',
        contexts: DECIDING,
        keys: [{ text: 's' }],
        shown: label`s`,
        hint: null,
        explained: label`leave it for 30 minutes, for you; s again wakes it`,
      },
    ],
  },
  {
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
  },
  {
    title: label`Filter`,
    rows: [
      {
        action: 'filter',
        contexts: ['queue', 'history'],
        keys: [{ text: '/' }],
        shown: label`/`,
        hint: label`search`,
        explained: label`filter the queue, or search the history`,
      },
      {
        action: 'find',
        contexts: ['filter'],
        keys: [{ named: 'enter' }],
        shown: label`Enter`,
        hint: label`search`,
        explained: label`filter or search with what is written; Ctrl-U empties it`,
      },
    ],
  },
  {
    title: label`People`,
    rows: [
      {
        action: 'enrolPerson',
        contexts: ['people', 'entry'],
        keys: [{ text: 'n' }],
        shown: label`n`,
        hint: label`enrol`,
        explained: label`enrol a person, who may sign from then on`,
      },
      {
        action: 'enrolSubmitter',
        contexts: ['people', 'entry'],
        keys: [{ text: 'N' }],
        shown: label`N`,
        hint: null,
        explained: label`enrol a submitter, which may ask from then on`,
      },
      {
        action: 'setNames',
        contexts: ['people', 'entry'],
        keys: [{ text: 'e' }],
        shown: label`e`,
        hint: label`groups`,
        explained: label`other groups or aliases for a person`,
      },
      {
        action: 'changeKeys',
        contexts: ['people', 'entry'],
        keys: [{ text: 'r' }],
        shown: label`r`,
        hint: label`keys`,
        explained: label`add, replace or take away a key`,
      },
      {
        action: 'remove',
        contexts: ['people', 'entry'],
        keys: [{ text: 'x' }],
        shown: label`x`,
        hint: label`remove`,
        explained: label`remove somebody: type the name, then confirm`,
      },
      {
        action: 'next',
        contexts: ['form', 'choice'],
        keys: [{ named: 'tab' }, { named: 'down' }],
        shown: label`Tab ↓`,
        hint: label`next field`,
        explained: label`the next field of a form`,
      },
      {
        action: 'previous',
        contexts: ['form', 'choice'],
        keys: [{ named: 'shiftTab' }, { named: 'up' }],
        shown: label`Shift-Tab ↑`,
        hint: null,
        explained: label`the field before`,
      },
      {
        action: 'choose',
        contexts: ['choice'],
        keys: [{ named: 'right' }, { named: 'left' }, { text: ' ' }],
        shown: label`← →`,
        hint: label`choose`,
        explained: label`which key`,
      },
      {
        action: 'activate',
        contexts: ['form', 'choice'],
        keys: [{ named: 'enter' }],
        shown: label`Enter`,
        hint: null,
        explained: label`the next field, then what will be asked for`,
      },
    ],
  },
  {
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
  },
  {
    title: label`Copying`,
    rows: [
      {
        action: 'copyId',
        contexts: ['queue', 'detail', 'history', 'record'],
        keys: [{ text: 'y' }],
        shown: label`y`,
        hint: null,
        explained: label`copy the id of the request`,
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
  },
  {
    title: label`Palette`,
    rows: [
      {
        action: 'palette',
        contexts: PALETTE,
        keys: [{ text: ':' }],
        shown: label`:`,
        hint: null,
        explained: label`do anything by its name, or open a request by its id`,
      },
      {
        action: 'run',
        contexts: ['palette'],
        keys: [{ named: 'enter' }],
        shown: label`Enter`,
        hint: label`run`,
        explained: label`do what is chosen, as its own key would`,
      },
      {
        action: 'next',
        contexts: ['palette'],
        keys: [{ named: 'down' }, { named: 'tab' }],
        shown: label`↓ Tab`,
        hint: label`choose`,
        explained: label`the next one that fits`,
      },
      {
        action: 'previous',
        contexts: ['palette'],
        keys: [{ named: 'up' }, { named: 'shiftTab' }],
        shown: label`↑`,
        hint: null,
        explained: label`the one before`,
      },
    ],
  },
  {
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
  },
  {
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
        hint: null,
        explained: label`why: the rule of the selected request, who could sign`,
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
  },
  {
    title: label`Anywhere`,
    rows: [
      {
        action: 'back',
        contexts: [
          'queue',
          'detail',
          'record',
          'history',
          'grants',
          'people',
          'entry',
          'policy',
          'outbox',
          'statistics',
          ...CHANGING,
          ...CONFIRMING,
          ...BULK,
          'filter',
          'palette',
          'talk',
          ...ASKING,
          'help',
        ],
        keys: [{ named: 'escape' }],
        shown: label`Esc`,
        hint: label`back`,
        explained: label`one step back, nothing is signed`,
      },
      {
        action: 'help',
        contexts: READING,
        keys: [{ text: '?' }],
        shown: label`?`,
        hint: label`help`,
        explained: label`this page`,
      },
      {
        action: 'quit',
        contexts: READING,
        keys: [{ text: 'q' }],
        shown: label`q`,
        hint: label`quit`,
        explained: label`leave; requests go on without this console`,
      },
      {
        action: 'quit',
        contexts: EVERYWHERE,
        keys: [{ control: 'c' }],
        shown: label`Ctrl-C`,
        hint: null,
        explained: label`leave from anywhere`,
      },
      {
        action: 'redraw',
        contexts: EVERYWHERE,
        keys: [{ control: 'l' }],
        shown: label`Ctrl-L`,
        hint: null,
        explained: label`paint the screen anew`,
      },
      {
        action: 'reconnect',
        contexts: EVERYWHERE,
        keys: [{ control: 'r' }],
        shown: label`Ctrl-R`,
        hint: null,
        explained: label`connect again now, also after a refusal`,
      },
      {
        action: 'suspend',
        contexts: EVERYWHERE,
        keys: [{ control: 'z' }],
        shown: label`Ctrl-Z`,
        hint: null,
        explained: label`to the shell; fg comes back`,
      },
    ],
  },
];

export const KEY_TABLE: readonly KeyRow[] = KEY_SECTIONS.flatMap(({ rows }) => rows);

/** One action, so many times: more than once only for keys that may be held. */
export interface MatchedAction {
  readonly action: Action;
  readonly times: number;
}

/**
 * The action of a press, or null. Several characters at once are an action only if they are one repeating key held
 * down: nothing else is ever acted on but exactly one character (A34, A35).
 */
export function matchKey(context: KeyContext, press: Press): MatchedAction | null {
  for (const { action, contexts, keys, repeats } of KEY_TABLE) {
    if (!contexts.includes(context)) continue;
    for (const key of keys) {
      const times = timesPressed(key, press, repeats === true);
      if (times > 0) return { action, times };
    }
  }
  return null;
}

function timesPressed(key: Press, press: Press, repeats: boolean): number {
  if ('named' in key) return 'named' in press && press.named === key.named ? 1 : 0;
  if ('control' in key) return 'control' in press && press.control === key.control ? 1 : 0;
  if (!('text' in press)) return 0;
  if (press.text === key.text) return 1;
  return repeats && press.text === key.text.repeat(press.text.length) ? press.text.length : 0;
}

/** The rows whose hints stand in the footer. */
export function footerRows(context: KeyContext): readonly (KeyRow & { readonly hint: SafeText })[] {
  return KEY_TABLE.filter(
    (row): row is KeyRow & { readonly hint: SafeText } => row.hint !== null && row.contexts.includes(context),
  );
}
