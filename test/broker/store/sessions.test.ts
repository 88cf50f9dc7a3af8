import { describe, expect, it } from 'vitest';
import { enrol, newPerson, StoreWorld, sessionOf } from './store-world.js';

const alice = newPerson('alice');
const bob = newPerson('bob');

describe('sessions', () => {
  it('are found by their hash until they expire, also after a restart', async () => {
    const world = await StoreWorld.open();
    await enrol(world.store, [alice]);
    const session = sessionOf(alice);
    await world.store.addSession(session);
    expect(world.store.findSession(session.hash)).toEqual(session);
    expect(world.store.findSession(sessionOf(alice).hash)).toBeNull();
    await world.reopen();
    expect(world.store.findSession(session.hash)).toEqual(session);
    world.now = session.expires - 1;
    expect(world.store.findSession(session.hash)).toEqual(session);
    world.now = session.expires;
    expect(world.store.findSession(session.hash)).toBeNull();
  });

  it('leave the disk once expired, when the next one comes', async () => {
    const world = await StoreWorld.open();
    await enrol(world.store, [alice, bob]);
    await world.store.addSession(sessionOf(alice));
    world.now += 1000;
    await world.store.addSession(sessionOf(bob, { expires: world.now + 1000 }));
    expect(world.outside().prepare('SELECT approver FROM sessions').pluck().all()).toEqual(['bob']);
  });

  it('end in the same commit as their key, and only those (A18)', async () => {
    const world = await StoreWorld.open();
    const { store } = world;
    await enrol(store, [alice, bob]);
    const [hers, his] = [sessionOf(alice), sessionOf(bob)];
    await store.addSession(hers);
    await store.addSession(his);
    await enrol(store, [bob]);
    expect(store.findSession(hers.hash)).toBeNull();
    expect(store.findSession(his.hash)).toEqual(his);
    await enrol(store, [alice, bob]);
    await world.reopen();
    expect(world.store.findSession(hers.hash)).toBeNull();
    expect(world.store.findSession(his.hash)).toEqual(his);
  });

  it('end when their key passes to somebody else', async () => {
    const { store } = await StoreWorld.open();
    await enrol(store, [alice]);
    const session = sessionOf(alice);
    await store.addSession(session);
    await enrol(store, [{ ...bob, person: { ...bob.person, keys: alice.person.keys } }]);
    expect(store.findSession(session.hash)).toBeNull();
  });

  it('survive a rotation that keeps their key', async () => {
    const { store } = await StoreWorld.open();
    await enrol(store, [alice]);
    const session = sessionOf(alice);
    await store.addSession(session);
    const keys = [...newPerson('alice').person.keys, ...alice.person.keys];
    await enrol(store, [{ ...alice, person: { ...alice.person, keys } }]);
    expect(store.findSession(session.hash)).toEqual(session);
  });

  it('do not begin with a key that was removed in the same turn, before or after', async () => {
    for (const removedFirst of [true, false]) {
      const { store } = await StoreWorld.open();
      await enrol(store, [alice]);
      const session = sessionOf(alice);
      const steps = [() => enrol(store, []), () => store.addSession(session)];
      const writes = (removedFirst ? steps : steps.toReversed()).map((step) => step());
      const outcomes = await Promise.allSettled<unknown>(writes);
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        removedFirst ? 'rejected' : 'fulfilled',
      ]);
      expect(store.findSession(session.hash)).toBeNull();
    }
  });
});

describe('the directory', () => {
  it('stays as it was when a change is refused', async () => {
    const { store } = await StoreWorld.open();
    const before = await enrol(store, [alice]);
    await expect(enrol(store, [bob, bob])).rejects.toThrow('name');
    expect(store.directory()).toBe(before);
  });
});
