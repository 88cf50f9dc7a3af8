import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../../broker/store/sqlite/group-commit.js';
import { Problem } from '../../../src/protocol/problems.js';

/** Drafts are lists of texts; what is committed is a list of drafts. */
class Texts {
  readonly committed: (readonly string[])[] = [];
  broken = false;
  readonly group = new GroupCommit<string[]>({
    begin: () => [],
    isFull: (draft) => draft.length >= 1000,
    commit: (draft) => {
      if (this.broken) throw new Error('disk full');
      this.committed.push(draft);
    },
  });

  add(...texts: string[]): Promise<number> {
    return this.group.submit((draft) => draft.push(...texts));
  }
}

const refuse = () => {
  throw new Problem('spent', 'no');
};

describe('group commit', () => {
  it('commits once what arrived in one turn, in its order', async () => {
    const texts = new Texts();
    const answers = await Promise.all([texts.add('a'), texts.add('b'), texts.add('c')]);
    expect(answers).toEqual([1, 2, 3]);
    expect(texts.committed).toEqual([['a', 'b', 'c']]);
  });

  it('answers nobody before the commit, refusals included', async () => {
    const texts = new Texts();
    const seen: string[] = [];
    const written = texts.add('a').then(() => seen.push(`written after ${texts.committed.length}`));
    const refused = texts.group
      .submit(refuse)
      .catch(() => seen.push(`refused after ${texts.committed.length}`));
    await Promise.all([written, refused]);
    expect(seen).toEqual(['written after 1', 'refused after 1']);
  });

  it('rejects everybody when the commit fails, also who was refused for what an earlier one wrote', async () => {
    const texts = new Texts();
    texts.broken = true;
    const outcomes = await Promise.allSettled([texts.add('a'), texts.group.submit(refuse)]);
    expect(outcomes.map((one) => one.status === 'rejected' && one.reason.code)).toEqual([
      'storage-failed',
      'storage-failed',
    ]);
    texts.broken = false;
    expect(await texts.add('b')).toBe(1);
    expect(texts.committed).toEqual([['b']]);
  });

  it('lets the event loop turn between commits of many, and of large ones', async () => {
    const texts = new Texts();
    const many = Array.from({ length: 600 }, (_, index) => texts.add(`${index}`));
    const turns: number[] = [];
    const watch = (): void => {
      turns.push(texts.committed.length);
      if (texts.committed.length < 5) setImmediate(watch);
    };
    setImmediate(watch);
    await Promise.all(many);
    expect(texts.committed.map((draft) => draft.length)).toEqual([256, 256, 88]);
    await Promise.all([texts.add(...Array<string>(1000).fill('x')), texts.add('y')]);
    expect(texts.committed.slice(3).map((draft) => draft.length)).toEqual([1000, 1]);
    expect(turns).toEqual(expect.arrayContaining([1, 2, 3, 4]));
  });

  it('keeps the queue while it is held and commits it when released', async () => {
    const texts = new Texts();
    const first = texts.add('a');
    texts.group.hold();
    const second = texts.add('b');
    await nextTurn();
    await nextTurn();
    expect(texts.committed).toEqual([]);
    texts.group.release();
    await Promise.all([first, second]);
    expect(texts.committed).toEqual([['a', 'b']]);
  });

  it('finishes the queue when it drains, also after a hold, and takes nothing more', async () => {
    const texts = new Texts();
    texts.group.hold();
    const queued = texts.add('a');
    const drained = texts.group.drain();
    await expect(texts.add('b')).rejects.toMatchObject({ code: 'draining' });
    texts.group.release();
    await drained;
    expect(texts.committed).toEqual([['a']]);
    expect(await queued).toBe(1);
    await texts.group.drain();
  });
});
