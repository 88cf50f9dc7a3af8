import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import type { Digest, Fingerprint } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import { formatChain, formatChainProblem } from '../../../src/protocol/roster-signing.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { eachOf } from './cases.js';
import { type Configuration, type Door, expectOpen, expectShut } from './door.js';
import type { EvilBroker } from './evil-broker.js';
import {
  ALICE,
  BOB as BOB_PERSON,
  CAROL as CAROL_PERSON,
  DAVE,
  EVERYBODY,
  keys,
  signersFile,
} from './people.js';
import { BOB, CAROL, chainOf, newest, type Signature, type Step } from './signers-chain.js';
import { onMachine, type Stage } from './stage.js';

const OLD = signersFile([ALICE, BOB_PERSON, CAROL_PERSON]);
const NEW = signersFile(EVERYBODY);
/** What a thief would like the door to have. */
const MINE = signersFile([{ name: 'mallory', groups: ['oncall', 'db'], keys: [keys.stranger] }]);
const STEP: Step = { from: OLD, to: NEW };
const OTHER = `sha256:${'5'.repeat(64)}` as Digest;
const by = (...signatures: readonly Signature[]) => ({ ...STEP, signatures });

/**
 * Stands for each program that writes: the call of this number kills the fetcher instead. Its directory has the real ones
 * beside it, and the calls.
 */
const killing = (directory: string, call: number): string => `#!/bin/bash -p
echo >>'${directory}/calls'
mapfile -t calls <'${directory}/calls'
if ((\${#calls[@]} == ${call})); then kill -KILL $PPID; exit 1; fi
exec '${directory}/real'/"\${0##*/}" "$@"
`;
const WRITING = 'cp cat sync mv';
/** Runs the fetcher $1 with the configuration $2 on a machine whose programs are like that; $0 is the directory. */
const WITH_KILLING = `
mkdir "$0/real"
for name in ${WRITING}; do cp "/usr/bin/$name" "$0/real/"; done
for name in ${WRITING}; do mount --bind "$0/killing" "/usr/bin/$name"; done
"$1" --config "$2"
`;

interface Attack {
  readonly code: string | RegExp;
  readonly exit?: number;
  readonly reply: (broker: EvilBroker, marker: string) => string;
  readonly config?: Configuration;
  readonly prepare?: (door: Door) => void;
}

const state = (serial: number, digest: string) => (door: Door) =>
  writeFileSync(door.file('state/roster'), `${String(serial).padStart(9, '0')} ${digest}\n`);
const two = { people: '2' };
const FIRST_IS_GOOD: Configuration = {};
const tooFew = { exit: 3, config: two } as const;

const ATTACKS: Readonly<Record<string, Attack>> = {
  'a roster that its new people have signed themselves (A17, A61)': {
    code: /0 of 2 people/,
    exit: 3,
    reply: (broker) =>
      chainOf(broker, { from: OLD, to: MINE, signatures: [{ approver: 'mallory', key: keys.stranger }] }),
  },
  'somebody who is in the new file alone, as second (A17)': {
    code: /1 of 2 people/,
    ...tooFew,
    reply: (broker) => chainOf(broker, by(BOB, { approver: 'dave', key: keys.dave })),
  },
  'one of two people (A14)': {
    code: /1 of 2 people/,
    ...tooFew,
    reply: (broker) => chainOf(broker, by(BOB)),
  },
  'one person twice, with another key (A14, A63)': {
    code: /1 of 2 people/,
    ...tooFew,
    reply: (broker) => chainOf(broker, by(BOB, { ...BOB, key: keys.bobToo })),
  },
  'one person twice, by an alias (A8, A63)': {
    code: /1 of 2 people .*robert is not a person/,
    ...tooFew,
    reply: (broker) => chainOf(broker, by(BOB, { ...BOB, approver: 'robert' })),
  },
  'one person, who could approve for himself by a second name (A8, A17)': {
    code: /1 of 2 people/,
    exit: 3,
    reply: (broker) => chainOf(broker, by(BOB)),
  },
  'nobody of a group that the door requires (A61)': {
    code: /0 of 1 people of oncall/,
    exit: 3,
    config: { 'required-groups': 'oncall:1' },
    reply: (broker) => chainOf(broker, by(CAROL, { approver: 'alice', key: keys.alice })),
  },
  'no touch where the door requires one (A58)': {
    code: /0 of 2 people/,
    exit: 3,
    config: { touch: 'yes' },
    reply: (broker) => chainOf(broker, STEP),
  },
  'a revoked key (A57)': {
    code: /1 of 2 people .*carol signed with a key that is revoked here/,
    exit: 3,
    config: two,
    prepare: (door) => {
      writeFileSync(door.file('revoked'), `${keys.carol.line}\n`);
      door.configure({ 'revoked-keys': door.file('revoked') });
    },
    reply: (broker) => chainOf(broker, STEP),
  },
  'a statement that has run out (A61)': {
    code: /1 of 2 people .*carol has run out/,
    ...tooFew,
    reply: (broker) => chainOf(broker, by(BOB, { ...CAROL, validUntil: Date.now() - 2000 })),
  },
  'a statement from the future (A26)': {
    code: /1 of 2 people .*carol is from the future/,
    ...tooFew,
    reply: (broker) => chainOf(broker, by(BOB, { ...CAROL, issued: Date.now() + 600_000 })),
  },
  'a changed statement (A61)': {
    code: /1 of 2 people .*signature of bob does not hold/,
    ...tooFew,
    reply: (broker) =>
      chainOf(broker, by(CAROL, { ...BOB, rewrite: (text) => text.replace('comment: ""', 'comment: "x"') })),
  },
  'a signature of a decision (A23)': {
    code: /1 of 2 people/,
    ...tooFew,
    reply: (broker) => chainOf(broker, by(CAROL, { ...BOB, forgery: { namespace: 'decision@countersign' } })),
  },
  'an old serial (A61)': {
    code: /serial 3 is not above 4/,
    prepare: state(4, sha256Digest(OLD)),
    reply: (broker) => chainOf(broker, { ...STEP, serial: 3 }),
  },
  'a fork with an equal serial (A61)': {
    code: /serial 4 is not above 4/,
    prepare: state(4, sha256Digest(OLD)),
    reply: (broker) => chainOf(broker, { ...STEP, serial: 4 }),
  },
  'the serial 0 (A61)': { code: /serial 0/, reply: (broker) => chainOf(broker, { ...STEP, serial: 0 }) },
  'a skipped step (A61)': {
    code: /another signers file than the one in force/,
    reply: (broker) => chainOf(broker, { from: NEW, to: MINE, serial: 2 }),
  },
  'two steps of which the second is skipped to (A61)': {
    config: FIRST_IS_GOOD,
    code: /another signers file than the one in force/,
    reply: (broker) => chainOf(broker, STEP, { from: MINE, to: OLD, serial: 2 }),
  },
  'statements about two files (A61)': {
    code: /not about one signers file/,
    reply: (broker) => chainOf(broker, by(BOB, { ...CAROL, next: OTHER })),
  },
  'statements with two serials (A61)': {
    code: /not about one signers file/,
    reply: (broker) => chainOf(broker, by(BOB, { ...CAROL, serial: 2 })),
  },
  'another broker (A22)': {
    code: /for another broker/,
    reply: (broker) => chainOf(broker, by({ ...BOB, broker: `SHA256:${'B'.repeat(42)}A` as Fingerprint })),
  },
  'another file than the signed one (A61)': {
    code: /not the one that was signed for/,
    reply: (broker) => {
      const reply = chainOf(broker, STEP);
      return `${reply.slice(0, reply.indexOf('signers: '))}signers: ${MINE.split('\n').length - 1}\n${MINE}`;
    },
  },
  'a signed file with a bad line (A57)': {
    code: /new signers file line 1/,
    reply: (broker) => chainOf(broker, { from: OLD, to: NEW.replace('alice', 'al*ce') }),
  },
  'a signed file with a key twice (A57)': {
    code: /the key stands in line/,
    reply: (broker) =>
      chainOf(broker, {
        from: OLD,
        to: `${NEW}mallory${NEW.slice(NEW.indexOf(' '), NEW.indexOf('\n') + 1)}`,
      }),
  },
  'a signed file with which nobody could open the door': {
    code: /nobody could open host:web-1.example.com: 1 of 2 people/,
    config: two,
    reply: (broker) => chainOf(broker, { from: OLD, to: signersFile([BOB_PERSON]) }),
  },
  'steps that are none': {
    code: /shows none/,
    reply: () => formatChain({ state: 'steps', present: OTHER, steps: [] }),
  },
  'a file without statements': {
    code: /not in their form/,
    reply: (broker) => chainOf(broker, by()),
  },
  'an armor twice (A59)': {
    code: /not in their form/,
    reply: (broker) =>
      chainOf(broker, by({ ...BOB, rewrite: (text) => text + text.slice(text.indexOf('-----BEGIN')) })),
  },
  'a line more (A59)': {
    code: /not in its form/,
    reply: (broker) =>
      chainOf(broker, by({ ...BOB, rewrite: (text) => text.replace('old:', 'note: x\nold:') })),
  },
  'CR (A52)': { code: /no usable answer/, reply: (broker) => chainOf(broker, STEP).replaceAll('\n', '\r\n') },
  'more lines than the reply has (A52)': {
    code: /not in their form/,
    reply: (broker) => chainOf(broker, STEP).replace(/^signers: \d+$/m, 'signers: 999999999'),
  },
  'numbers that run something (A52)': {
    code: /not in their form/,
    reply: (broker, marker) =>
      chainOf(broker, STEP).replace(/^signers: \d+$/m, () => `signers: x[$(touch ${marker})]`),
  },
  'a serial that runs something (A52)': {
    code: /not in its form/,
    reply: (broker, marker) =>
      chainOf(broker, STEP).replace(/^serial: 1$/m, () => `serial: x[$(touch ${marker})]`),
  },
  'a time that only date knows (A52)': {
    code: /not in its form/,
    reply: (broker) => chainOf(broker, STEP).replace(/^valid-until: .*$/m, 'valid-until: tomorrow'),
  },
  'a page': { code: /no usable answer/, reply: () => '<html></html>\n' },
  nothing: { code: /no usable answer/, reply: () => '' },
  'a reply without an end (A52)': { code: /no usable answer/, reply: () => 'x'.repeat(3_000_000) },
  'a file that the broker does not know': {
    code: /install a newer one by hand/,
    reply: () => formatChainProblem(new Problem('signers-unknown', 'the broker does not know it')),
  },
  'too few so far, by the word of the broker': {
    code: /too few people have signed/,
    exit: 3,
    reply: () => formatChain({ state: 'waiting', present: OTHER, steps: [] }),
  },
};

async function fetch(stage: Stage, door: Door, ...options: string[]) {
  const program = `${stage.machine.directory}/libexec/countersign-roster`;
  return stage.machine.execute(program, '--config', door.file('config'), ...options);
}

const signers = (door: Door): string => readFileSync(door.file('signers'), 'utf8');
const serialOf = (door: Door): string => readFileSync(door.file('state/roster'), 'utf8');

async function prepared(stage: Stage, config: Configuration = {}) {
  const made = await stage.door({ config, people: [ALICE, BOB_PERSON, CAROL_PERSON] });
  expect(signers(made.door)).toBe(OLD);
  return made;
}

onMachine('keys that are revoked on the host', (stage) => {
  const FILES: Readonly<Record<string, readonly [text: string, code: string]>> = {
    'the key that signed (A57)': [`${keys.bob.line} stolen in May\n`, 'revoked-key'],
    'the fingerprint of the key that signed (A57)': [
      `# stolen in May\n${parsePublicKeyLine(keys.bob.line).fingerprint}\n`,
      'revoked-key',
    ],
    'a bad line (A57)': [`${keys.stranger.line}\nbob\n`, 'bad-revoked-keys'],
    'no final newline (A57)': [keys.stranger.line, 'bad-revoked-keys'],
  };

  test('open nothing, whatever signers file and broker say', { timeout: 60_000 }, async () => {
    await eachOf(
      Object.entries(FILES),
      ([name]) => name,
      async ([, [text, code]]) => {
        const { door } = await stage.approvedDoor();
        writeFileSync(door.file('revoked'), text);
        door.configure({ 'revoked-keys': door.file('revoked') });
        expectShut(await door.login(), code);
      },
    );
  });

  test('are a matter of root alone, and shut no door to other keys', { timeout: 60_000 }, async () => {
    const { door } = await stage.approvedDoor();
    door.configure({ 'revoked-keys': door.file('revoked') });
    expectShut(await door.login(), 'unsafe-file');
    writeFileSync(door.file('revoked'), '');
    stage.machine.run('chmod', '0666', door.file('revoked'));
    expectShut(await door.login(), 'unsafe-file');
    stage.machine.run('chmod', '0644', door.file('revoked'));
    expectOpen(await door.login());
    writeFileSync(door.file('revoked'), `${keys.carol.line}\n`);
    expectOpen(await door.login());
  });
});

onMachine('signers files that follow one another', (stage) => {
  test('are taken when the people of the file in force have signed', { timeout: 60_000 }, async () => {
    const { door, broker } = await prepared(stage, two);
    stage.machine.run('chmod', '0640', door.file('signers'));
    broker.conduct = {
      signed: (from) => (from === sha256Digest(OLD) ? chainOf(broker, STEP) : newest(sha256Digest(NEW))),
    };
    const shown = await fetch(stage, door, '--check');
    expect(shown).toMatchObject({ exit: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^would replace .*signers, serial 1: [ -~]*\+ person dave[ -~]*\n$/);
    expect(signers(door)).toBe(OLD);
    const done = await fetch(stage, door);
    expect(done).toMatchObject({ exit: 0, stderr: '' });
    expect(done.stdout).toMatch(/^replaced .*signers, serial 1: [ -~]*\+ key of dave: 256 SHA256:[ -~]*\n$/);
    expect(signers(door)).toBe(NEW);
    expect(statSync(door.file('signers')).mode & 0o777).toBe(0o640);
    expect(serialOf(door)).toBe(`000000001 ${sha256Digest(NEW)}\n`);
    expect(await fetch(stage, door)).toMatchObject({ exit: 0, stdout: 'nothing newer is signed\n' });
    expect(broker.nonsense).toEqual([]);
  });

  test('are taken one after the other, by the people of each in turn (A61)', {
    timeout: 60_000,
  }, async () => {
    const { door, broker } = await prepared(stage, two);
    const third = signersFile([BOB_PERSON, DAVE]);
    broker.conduct = {
      signed: (from) =>
        from === sha256Digest(third)
          ? newest(sha256Digest(third))
          : chainOf(
              broker,
              { ...STEP, serial: 3 },
              { from: NEW, to: third, serial: 7, signatures: [BOB, { approver: 'dave', key: keys.dave }] },
            ),
    };
    expect(await fetch(stage, door)).toMatchObject({ exit: 0, stderr: '' });
    expect(signers(door)).toBe(third);
    expect(serialOf(door)).toBe(`000000007 ${sha256Digest(third)}\n`);
  });

  test('follow a file that names its door in the first line', { timeout: 60_000 }, async () => {
    const { door, broker } = await prepared(stage);
    writeFileSync(door.file('signers'), `# signers of host:web-1.example.com\n${OLD}`);
    broker.conduct = {
      signed: (from) => (from === sha256Digest(OLD) ? chainOf(broker, STEP) : newest(sha256Digest(NEW))),
    };
    expect(await fetch(stage, door)).toMatchObject({ exit: 0, stderr: '' });
    expect(signers(door)).toBe(NEW);
  });

  test('must be signed by enough people for each of the doors that use the file (A61)', {
    timeout: 60_000,
  }, async () => {
    const { door, broker } = await prepared(stage);
    broker.conduct = { signed: () => chainOf(broker, STEP) };
    const gate = readFileSync(door.file('config'), 'utf8')
      .replace('door=host:', 'door=gate:')
      .replace(/^(key|state)=.*\n/gm, '');
    writeFileSync(door.file('gate.conf'), `${gate}people=3\n`);
    const both = await fetch(stage, door, '--config', door.file('gate.conf'));
    expect([both.exit, both.stderr]).toEqual([
      3,
      expect.stringMatching(/gate:web-1.example.com: 2 of 3 people/),
    ]);
    expect(signers(door)).toBe(OLD);
  });

  test('are the old one or the new one wherever the run is killed, and the next run ends it', {
    timeout: 240_000,
  }, async () => {
    const outcomes = new Set<string>();
    for (let call = 1; ; call += 1) {
      const { door, broker } = await prepared(stage, two);
      broker.conduct = {
        signed: (from, after) =>
          from === sha256Digest(OLD) && after === 0 ? chainOf(broker, STEP) : newest(sha256Digest(NEW)),
      };
      writeFileSync(door.file('killing'), killing(door.directory, call), { mode: 0o755 });
      const { exit } = await stage.machine.execute(
        ...['unshare', '--mount', '--propagation', 'private', 'bash', '-c', WITH_KILLING, door.directory],
        ...[`${stage.machine.directory}/libexec/countersign-roster`, door.file('config')],
      );
      expect([OLD, NEW]).toContain(signers(door));
      if (exit === 0) break;
      outcomes.add(signers(door));
      expect(await fetch(stage, door)).toMatchObject({ exit: 0, stderr: '' });
      expect([signers(door), serialOf(door)]).toEqual([NEW, `000000001 ${sha256Digest(NEW)}\n`]);
    }
    expect(outcomes).toEqual(new Set([OLD, NEW]));
  });

  test('stay as they are under every attack, with one line that says why', { timeout: 240_000 }, async () => {
    await eachOf(
      Object.entries(ATTACKS),
      ([name]) => name,
      async ([, { code, exit = 1, reply, config = {}, prepare }]) => {
        const { door, broker } = await prepared(stage, config);
        prepare?.(door);
        const before = statSync(door.file('state/roster'), { throwIfNoEntry: false }) && serialOf(door);
        const shown = reply(broker, stage.marker);
        broker.conduct = { signed: () => shown };
        const said = await fetch(stage, door);
        expect([said.exit, said.stdout, said.stderr]).toEqual([exit, '', expect.stringMatching(code)]);
        expect(said.stderr).toMatch(/^countersign-roster: [ -~]+\n$/);
        // Of several steps those before the bad one are good.
        expect(signers(door)).toBe(config === FIRST_IS_GOOD ? NEW : OLD);
        if (before !== undefined) expect(serialOf(door)).toBe(before);
      },
      3,
    );
  });
});
