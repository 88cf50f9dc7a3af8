import { afterEach, beforeEach, expect, test } from 'vitest';
import { BrokerProcess, countersign, until } from './programs.js';
import { describeWith } from './tools.js';

describeWith(['ssh-keygen'], 'a broker that is killed as a change of its roster is approved', () => {
  let broker: BrokerProcess;
  let keys: Record<'bob' | 'carol', string>;
  beforeEach(async () => {
    broker = new BrokerProcess();
    keys = { bob: await broker.enrol('bob'), carol: await broker.enrol('carol') };
    await broker.start();
  });
  afterEach(() => broker.remove());

  test('applies it, once, and tells whoever waits (A17)', { timeout: 120_000 }, async () => {
    const dave = broker.makeKey('dave');
    const adding = countersign(['roster', 'add', 'dave', '--key', `${dave}.pub`], broker.env);
    const [, id = ''] = await until(() => /waiting for approval: (\S+),/.exec(adding.said.stderr));
    const { digest } = JSON.parse(await broker.must('show', id, '--json', '--key', keys.bob));
    const approve = (key: string) => broker.must('approve', id, '--yes-i-read-it', digest, '--key', key);
    await approve(keys.bob);
    expect(await broker.must('roster', 'list')).not.toContain('dave');
    await approve(keys.carol);
    await broker.signal('SIGKILL');
    await broker.start();
    expect(await adding.outcome).toMatchObject({ code: 0, stdout: 'added dave\n' });
    expect(await broker.must('roster', 'list')).toMatch(/^dave /m);
    await broker.signal('SIGKILL');
    await broker.start();
    const { report } = JSON.parse(await broker.must('show', id, '--json', '--key', keys.bob));
    expect(report).toMatchObject({ outcome: 'opened', code: null });
  });

  test('changes nothing that was denied, and says so by its exit code', async () => {
    const adding = countersign(
      ['roster', 'set', 'bob', '--group', 'security', '--reason', 'mine'],
      broker.env,
    );
    const [, id = ''] = await until(() => /waiting for approval: (\S+),/.exec(adding.said.stderr));
    const { digest } = JSON.parse(await broker.must('show', id, '--json', '--key', keys.carol));
    await broker.must('deny', id, '--yes-i-read-it', digest, '--key', keys.carol);
    expect(await adding.outcome).toMatchObject({ code: 2, stdout: '' });
    expect(await broker.must('roster', 'list')).not.toContain('security');
  });

  test('is changed at once where it is stopped, which is said and stands in the log', async () => {
    await broker.signal('SIGTERM');
    const { code, stderr } = await countersign(['roster', 'remove', 'carol'], broker.env).outcome;
    expect([code, stderr]).toEqual([0, expect.stringContaining('without approval')]);
  });
});
