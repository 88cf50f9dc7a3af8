import type { KeyContext } from './key-row.js';

/** The screens that have a tab. */
export const SCREEN_CONTEXTS: readonly KeyContext[] = [
  'queue',
  'history',
  'grants',
  'people',
  'policy',
  'outbox',
  'statistics',
];
/** Where one reads. */
export const READING: readonly KeyContext[] = [
  ...SCREEN_CONTEXTS,
  'entry',
  'detail',
  'record',
  'bulk',
  'help',
];
/** The step before many denials, and its fields. */
export const BULK: readonly KeyContext[] = ['bulk', 'bulkCount', 'bulkComment'];
/** Where the palette opens: where one reads, and nothing else is asked. */
export const PALETTE: readonly KeyContext[] = [...SCREEN_CONTEXTS, 'entry', 'detail', 'record'];
/** Where a request is chosen that one can answer. */
export const DECIDING: readonly KeyContext[] = ['queue', 'detail'];
/** The step before a signature, and its fields. */
export const CONFIRMING: readonly KeyContext[] = ['confirm', 'cover', 'comment', 'number', 'resource'];
/** A change of a person or submitter while it is written, and the step before it is asked for. */
export const CHANGING: readonly KeyContext[] = ['form', 'choice', 'ask'];
/** Wherever there is more than a screen shows. */
export const MOVING: readonly KeyContext[] = [...READING, 'ask'];
/** Steps that ask before something is done that cannot be taken back. */
export const ASKING: readonly KeyContext[] = ['ask', 'drop', 'escalation'];
export const EVERYWHERE: readonly KeyContext[] = [
  ...READING,
  ...CONFIRMING,
  ...BULK,
  'filter',
  'palette',
  'talk',
  ...CHANGING,
  ...ASKING,
];
