/** What an expression is; `dyn` where only an ask can tell. */
export type Type =
  | 'bool'
  | 'int'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'null'
  | 'dyn'
  | { readonly list: Type }
  | { readonly map: Type }
  | { readonly fields: Readonly<Record<string, Type>> };

/** Whether a value may be what is wanted. */
export function fits(type: Type, wanted: Type): boolean {
  if (type === 'dyn' || wanted === 'dyn') return true;
  if (typeof type === 'string' || typeof wanted === 'string') return type === wanted;
  return ('list' in type && 'list' in wanted) || ('map' in type && 'map' in wanted);
}

const isNumber = (type: Type): boolean => type === 'int' || type === 'double';

/** Whether two values can be equal, or one before the other. */
export const isComparable = (a: Type, b: Type): boolean => fits(a, b) || (isNumber(a) && isNumber(b));

/** Whether `<` and `>` mean anything between values of it. */
export const isOrdered = (type: Type): boolean =>
  typeof type === 'string' && !['bool', 'null', 'bytes'].includes(type);

/** The one type of all of them; `dyn` where they differ. */
export function common(types: readonly Type[]): Type {
  const [first = 'dyn', ...others] = types;
  return typeof first === 'string' && others.every((other) => other === first) ? first : 'dyn';
}

/** As a message calls it. */
export function inWords(type: Type): string {
  if (typeof type === 'object') return 'list' in type ? 'a list' : 'a map';
  const words: Readonly<Record<string, string>> = {
    bool: 'true or false',
    int: 'a whole number',
    double: 'a number',
    string: 'a text',
    bytes: 'bytes',
    timestamp: 'a time',
    duration: 'a span of time',
    null: 'null',
    dyn: 'a value of the ask',
  };
  return words[type] ?? type;
}
