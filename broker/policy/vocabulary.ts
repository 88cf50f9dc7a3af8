import { TIME_METHODS } from './condition-time.js';
import type { Type } from './value-type.js';

/** What a condition may look at. */
export const VARIABLE_TYPES = {
  action: 'string',
  resource: 'string',
  door: 'string',
  requester: { fields: { name: 'string', person: 'string', groups: { list: 'string' } } },
  submitter: 'string',
  verified: { map: 'string' },
  details: { map: 'dyn' },
  context: { map: 'dyn' },
  duration: 'int',
  time: 'timestamp',
} as const satisfies Record<string, Type>;

export type VariableName = keyof typeof VARIABLE_TYPES;
export const VARIABLE_NAMES = Object.keys(VARIABLE_TYPES) as readonly VariableName[];

/** How each macro is written. */
export const MACROS: Readonly<Record<string, string>> = {
  has: 'has(details.KEY)',
  exists: 'LIST.exists(x, CONDITION)',
  exists_one: 'LIST.exists_one(x, CONDITION)',
  all: 'LIST.all(x, CONDITION)',
  map: 'LIST.map(x, VALUE)',
  filter: 'LIST.filter(x, CONDITION)',
};
export const TEXT_METHODS = ['startsWith', 'endsWith', 'contains', 'matches'] as const;
/** All methods that there are. */
export const METHODS = [...TEXT_METHODS, 'size', ...TIME_METHODS];
/** The functions of one value, and what each takes. All but `size` are called as what they return. */
export const CONVERSIONS: Readonly<Record<string, readonly Type[]>> = {
  size: ['string', 'bytes', { list: 'dyn' }, { map: 'dyn' }],
  int: ['int', 'double', 'string', 'timestamp'],
  double: ['int', 'double', 'string'],
  string: ['int', 'double', 'string', 'bool', 'timestamp', 'duration'],
  timestamp: ['string'],
  duration: ['string'],
};
