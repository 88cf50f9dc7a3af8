import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kebabCase, parseCommandLine, partBeforeVerb } from '../../src/commands/command-line.js';
import { nearest } from '../../src/protocol/nearest.js';
import { Problem } from '../../src/protocol/problems.js';

const verb = {
  arguments: ['ID', 'FILE?'],
  flags: {
    json: 'switch',
    comment: 'text',
    detail: 'texts',
    wait: 'optional',
    yesIReadIt: 'text',
    tlsKey: 'text',
  },
} as const;
const parse = (...argv: string[]) => parseCommandLine(verb, argv);

function refusal(...argv: string[]): { message: string; hint: string } | null {
  try {
    parse(...argv);
    return null;
  } catch (error) {
    if (error instanceof Problem && error.code === 'usage')
      return { message: error.message, hint: error.hint };
    throw error;
  }
}

describe('a command line', () => {
  test('gives each flag its kind, absent ones too', () => {
    expect(parse('X')).toEqual({
      arguments: ['X'],
      flags: {
        json: false,
        comment: undefined,
        detail: [],
        wait: undefined,
        yesIReadIt: undefined,
        tlsKey: undefined,
      },
    });
    expect(
      parse(
        'X',
        '--json',
        '--comment',
        'a b',
        '--detail',
        'a=1',
        '--detail=b=2',
        '--yes-i-read-it',
        'd',
        '--tls-key=k',
        'F',
      ),
    ).toEqual({
      arguments: ['X', 'F'],
      flags: {
        json: true,
        comment: 'a b',
        detail: ['a=1', 'b=2'],
        wait: undefined,
        yesIReadIt: 'd',
        tlsKey: 'k',
      },
    });
  });

  test('keeps the quotes that are part of a value', () => {
    for (const text of ['"localhost:22"', '"a" "b"', "'x'", '"', '""', '"""', '"a\n"']) {
      expect(parse('X', '--comment', text).flags.comment).toBe(text);
      expect(parse('X', '--detail', text, `--detail=${text}`).flags.detail).toEqual([text, text]);
      expect(parse('X', `--wait=${text}`).flags.wait).toBe(text);
    }
  });

  test('takes flags before, between and after arguments, and everything after -- as arguments', () => {
    expect(parse('--json', 'X').flags.json).toBe(true);
    expect(parse('--', '--json').arguments).toEqual(['--json']);
  });

  test('gives an optional value only with =, so that it never swallows what follows', () => {
    expect(parse('--wait', 'X')).toMatchObject({ arguments: ['X'], flags: { wait: true } });
    expect(parse('X', '--wait=15m').flags.wait).toBe('15m');
    expect(refusal('X', 'F', '--wait', '30')?.message).toBe('unexpected argument "30"');
  });

  test('leaves values as they were written', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        expect(parse('X', `--comment=${value}`).flags.comment).toBe(value);
        expect(parse('X', `--detail=${value}`, `--detail=${value}`).flags.detail).toEqual([value, value]);
      }),
    );
    expect(parse('X', '--comment', '007').flags.comment).toBe('007');
    expect(parse('X', '--comment', '-').flags.comment).toBe('-');
    expect(parse('X', '--comment', '-1').flags.comment).toBe('-1');
    expect(parse('X', '--detail', '-', '--detail', '-a').flags.detail).toEqual(['-', '-a']);
    expect(parse('X', '--comment=true').flags.comment).toBe('true');
  });

  test.each([
    [[], 'ID is missing'],
    [['X', 'F', 'more'], 'unexpected argument "more"'],
    [['X', '--commment', 'a'], 'unknown flag --commment'],
    [['X', '-q'], 'unknown flag -q'],
    [['X', '--no-json'], '--json takes no value'],
    [['X', '--json=yes'], '--json takes no value'],
    [['X', '--comment'], '--comment needs a value'],
    [['X', '--comment='], '--comment needs a value'],
    [['X', '--detail'], '--detail needs a value'],
    [['X', '--detail', '--json'], '--detail needs a value'],
    [['X', '--detail', 'a', '--detail'], '--detail needs a value'],
    [['X', '--comment', 'a', '--comment', 'b'], '--comment can be given only once'],
    [['X', '--yes-i-read-it', 'a', '--yes-i-read-it', 'b'], '--yes-i-read-it can be given only once'],
    [['X', '--comment.a', 'b'], '--comment is not one text'],
  ])('%j is refused: %s', (argv, message) => {
    expect(refusal(...argv)?.message).toBe(message);
  });

  test('cannot reach the prototype', () => {
    expect(refusal('X', '--__proto__', 'b')?.message).toMatch(/^unknown flag/);
    expect(refusal('X', '--constructor', 'b')?.message).toMatch(/^unknown flag/);
    expect(refusal('X', '--__proto__.json', 'b')).not.toBeNull();
  });

  test('names the flag that was probably meant', () => {
    expect(refusal('X', '--coment', 'a')?.hint).toBe('did you mean --comment?');
    expect(refusal('X', '--yes-i-red-it', 'a')?.hint).toBe('did you mean --yes-i-read-it?');
    expect(refusal('X', '--something-else', 'a')?.hint).toBe('see --help');
  });
});

test('a flag is written in kebab case', () => {
  expect(['json', 'tlsKey', 'yesIReadIt'].map(kebabCase)).toEqual(['json', 'tls-key', 'yes-i-read-it']);
});

test.each([
  ['lsit', 'list'],
  ['aprove', 'approve'],
  ['rooster', 'roster'],
  ['dney', 'deny'],
  ['ls', null],
  ['', null],
  ['approve-all', null],
])('for %j the nearest verb is %s', (word, found) => {
  expect(nearest(word, ['list', 'approve', 'deny', 'roster', 'up'])).toBe(found);
});

describe('flags before the verb', () => {
  test.each([
    [['list', '--url', 'x'], [], ['list', '--url', 'x']],
    [
      ['--url', 'https://x', 'list', '--json'],
      ['--url', 'https://x'],
      ['list', '--json'],
    ],
    [['--url=https://x', '--utc', 'list'], ['--url=https://x', '--utc'], ['list']],
    [
      ['--profile', 'p', '--dir', '--x', 'roster', 'list'],
      ['--profile', 'p', '--dir', '--x'],
      ['roster', 'list'],
    ],
    [['--bogus', 'list'], [], ['--bogus', 'list']],
    [['--help'], [], ['--help']],
    [['--url'], ['--url'], []],
    [['--constructor', 'list'], [], ['--constructor', 'list']],
  ])('%j is %j before %j', (argv, leading, rest) => {
    expect(partBeforeVerb(argv)).toEqual({ leading, rest });
  });
});

describe('the words of a command', () => {
  const run = { arguments: ['--', 'COMMAND'], flags: verb.flags } as const;

  test('are taken as they stand, whatever they look like (A1)', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        expect(parseCommandLine(run, ['--json', '--', ...words])).toMatchObject({
          arguments: words,
          flags: { json: true },
        });
      }),
    );
    const words = ['', '-', '--', '--json', '--json=no', '-x', '1e3', '0x10', 'a b', '\n', '--wait'];
    expect(parseCommandLine(run, ['--', ...words]).arguments).toEqual(words);
  });

  test.each([[[]], [['sh', '-c', 'x']], [['--']], [['--json', '--']]])(
    'are missing in %j: they stand after two dashes',
    (words) => {
      expect(() => parseCommandLine(run, words)).toThrow('the command is missing');
    },
  );

  test('before the dashes are no words of it', () => {
    expect(() => parseCommandLine(run, ['reboot', '--', 'ls'])).toThrow('unexpected argument "reboot"');
    expect(() => parseCommandLine(run, ['--jsno', '--', 'ls'])).toThrow('unknown flag --jsno');
  });
});
