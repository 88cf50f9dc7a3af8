import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countersign } from './programs.js';
import { RunDoor } from './run-door.js';

const door = new RunDoor();
let trace = '';

beforeAll(async () => {
  const policy = join(door.broker.directory, 'policy.yaml');
  writeFileSync(
    policy,
    `version: 1
rules:
  - name: commands
    when: action == "command.run"
    approvals: { people: 1 }
    work: { longest: 1h }
    grants: yes
`,
    { mode: 0o600 },
  );
  await door.prepare('--policy', policy);
  door.configure({ grants: 'yes', duration: '600', 'longest-duration': '600' });
  trace = join(door.broker.directory, 'trace');
});
afterAll(() => door.broker.remove());

const ran = (): number => (existsSync(trace) ? readFileSync(trace, 'utf8').split('\n').length - 1 : 0);
const idOf = (stderr: string): string => /(?:asked|joined) (\S{26})/.exec(stderr)?.[1] ?? '';

test('a grant lets the next equal command pass with nobody asked, until it is taken back (A27, A53)', async () => {
  const { broker, bob } = door;
  const command = ['sh', '-c', 'echo ran >>"$0"', trace];
  const first = door.start(command);
  const grant = await first.id();
  const { digest } = await door.show(grant);
  const signed = ['approve', grant, '--grant', '--for', '5m', '--yes-i-read-it', digest, '--key', bob];
  expect(await countersign(signed, broker.env).outcome).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('this and every equal ask for 5m from the first use, any number of uses'),
  });
  expect(await first.end).toMatchObject({ code: 0 });

  const second = await door.run(command);
  expect([second.code, ran()]).toEqual([0, 2]);
  const id = idOf(second.stderr);
  expect(id).not.toBe(grant);
  expect(await door.show(id)).toMatchObject({ state: 'redeemed', grant, report: { outcome: 'opened' } });
  expect(await broker.must('show', id, '--key', bob)).toContain(`used under grant ${grant}`);
  const { grants } = JSON.parse(await broker.must('grants', '--mine', '--json', '--key', bob));
  expect(grants).toMatchObject([{ id: grant, state: 'active', uses: 2 }]);

  const other = door.start(['sh', '-c', 'echo other >>"$0"', trace]);
  const unequal = await other.id();
  expect((await door.show(unequal)).state).toBe('pending');
  await door.decide('deny', unequal);
  expect(await other.end).toMatchObject({ code: 122 });

  const end = await broker.must('revoke', grant, '--comment', 'done', '--key', bob);
  expect(end).toContain('further uses end; run:laptop does not end what it opened');
  const third = door.start(command);
  await door.decide('deny', await third.id());
  expect(await third.end).toMatchObject({ code: 122 });
  expect(ran()).toBe(2);
});
