import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/version.js';
import { CLI, start } from './program.js';

const cli = (...args: string[]) => start(process.execPath, [CLI, ...args]).ended;

test('help is an answer only where it was asked for', async () => {
  const [asked, nothing, ofVerb] = await Promise.all([
    cli('--help'),
    cli(),
    cli('roster', 'add', 'x', '--help'),
  ]);
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(nothing).toMatchObject({ code: 1, stdout: asked.stdout });
  expect(ofVerb).toMatchObject({ code: 0, stderr: '' });
  expect(ofVerb.stdout).toMatch(/^Enrol a person.*\n\nUsage\n {2}countersign roster add NAME/);
});

describe('a mistake', () => {
  test.each([
    [['aprove'], 'unknown verb "aprove"', 'did you mean approve?'],
    [['\u001b[2J\u202e'], 'unknown verb "\\u001b[2J⟨U+202E⟩"', 'see countersign --help'],
    [['roster', '__proto__'], 'unknown verb of roster "__proto__"', 'see countersign --help'],
    [['list', '--sate', 'all'], 'unknown flag --sate', 'did you mean --state?'],
    [['roster', 'add'], 'NAME is missing', 'see countersign roster add --help'],
  ])('like %j says what is wrong and what to do, in two lines on stderr', async (args, message, hint) => {
    expect(await cli(...args)).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: `countersign: error: ${message}\nhint: ${hint}\n`,
    });
  });
});

test('the version is that of the package', async () => {
  expect(await cli('--version')).toMatchObject({
    code: 0,
    stdout: `${VERSION}
`,
  });
});

test('an older Node is told so in two lines, before anything else is loaded', async () => {
  const older =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.4' } })";
  const { code, stdout, stderr } = await start(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(older)}`,
    CLI,
    'list',
  ]).ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^countersign: error: Node 22\.12 or newer is needed, this is 20\.19\.4\nhint: .*\n$/,
  );
});

test('a reader who has gone ends the program quietly, and never as a success', async () => {
  const line = `'${process.execPath}' '${CLI}' roster add --help | true; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await start('bash', ['--norc', '-c', line]).ended;
  expect({ stdout, stderr }).toEqual({ stdout: '1\n', stderr: '' });
});
