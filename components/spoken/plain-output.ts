/** CSI and OSC sequences and other escapes (ECMA-48). */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -~])/g;
const ERASE = '\u001b[2K';

/**
 * The terminal as one that knows no escape sequence (`dumb`, terminfo(5)): they would be seen as letters. What would be written over a
 * line is written below it.
 */
export function withoutEscapes(stdout: NodeJS.WriteStream): NodeJS.WriteStream {
  let isInLine = false;
  const write = (chunk: string, done?: () => void): boolean => {
    const plain = chunk.replaceAll(ESCAPES, '');
    const begin = isInLine && chunk.includes(ERASE) ? '\r\n' : '';
    isInLine = plain === '' ? isInLine && begin === '' : !plain.endsWith('\n');
    return stdout.write(begin + plain, done);
  };
  return new Proxy(stdout, {
    get(target, name) {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
