import { LogWorld, name } from './log-world.js';

/** Fills a log with so many entries at least: every kind of ask and answer, people who come and go, and a new broker key. */
export async function livedLog(entries: number): Promise<LogWorld> {
  const world = await LogWorld.open();
  await world.signHead();
  for (let round = 0; world.store.seq < entries; round += 1) {
    await live(world, round);
    if (round % 4 === 3) await world.signHead();
  }
  await world.submit('plain');
  return world;
}

async function live(world: LogWorld, round: number): Promise<void> {
  await Promise.all(
    Array.from({ length: 6 }, () => world.submit('free', 'deploy', null).then((one) => world.redeem(one))),
  );
  const plain = await Promise.all(Array.from({ length: 8 }, () => world.submit('plain')));
  await Promise.all(plain.slice(0, 3).map((one) => world.decide(one, 'bob')));
  await Promise.all(plain.slice(0, 2).map((one) => world.redeem(one)));
  await Promise.all(plain.slice(3, 4).map((one) => world.decide(one, 'carol', { verdict: 'deny' })));
  if (plain[2] !== undefined) await world.revoke(plain[2], 'carol');
  const two = await world.submit('two');
  if (round % 9 === 3) {
    await world.requests.comment(two.id, name('carol'), 'wait, I am calling her');
    await world.requests.escalate(two.id, name('carol'));
  }
  await world.decide(two, 'bob');
  await world.decide(two, 'carol');
  await world.redeem(two);
  await grantAndUses(world, round);
  if (round % 5 === 0) await aloneAndReview(world);
  if (round % 7 === 0) await fraud(world);
  if (round % 8 === 2) await canaries(world);
  if (round % 6 === 1) await people(world, round);
  if (round % 20 === 10) {
    await world.signHead();
    await world.rotate();
  }
  await world.pass(301);
}

async function grantAndUses(world: LogWorld, round: number): Promise<void> {
  const scope = { round };
  const grant = await world.submit('grant', 'alice', null, scope);
  await world.decide(grant, 'bob', { covers: 'scope', uses: 0, duration: 600 });
  await world.redeem(grant);
  const uses = await Promise.all(
    Array.from({ length: 6 }, () => world.submit('grant', 'alice', null, scope)),
  );
  await Promise.all(uses.map((one) => world.redeem(one)));
}

async function aloneAndReview(world: LogWorld): Promise<void> {
  const alone = await world.submit('alone', 'bob');
  await world.decide(alone, 'bob', { comment: 'nobody else is awake', notAfter: world.now + 900_000 });
  await world.pass(61);
  await world.redeem(alone);
  await world.review(alone, 'carol');
}

async function fraud(world: LogWorld): Promise<void> {
  const asked = await world.submit('plain', 'mallory');
  await world.decide(asked, 'bob', { verdict: 'deny', comment: 'fraud: not him' });
  await world.unlock('mallory', 'carol');
}

/** One that is denied, one that is approved, one that nobody answers, and one that locks who is named in it. */
async function canaries(world: LogWorld): Promise<void> {
  const [denied, approved, unanswered, fraud] = await Promise.all([
    world.canary(),
    world.canary(),
    world.canary(),
    world.canary('oscar'),
  ]);
  await world.decide(denied.request, 'bob', { verdict: 'deny' });
  await world.decide(approved.request, 'carol');
  await world.decide(fraud.request, 'bob', { verdict: 'deny', comment: 'fraud: who is that' });
  for (const { request, secret } of [denied, approved, unanswered, fraud])
    await world.requests.reveal(request.id, world.revelation(request, secret));
  await world.unlock('oscar', 'carol');
}

/** Dave comes with approval, signs, and goes without. */
async function people(world: LogWorld, round: number): Promise<void> {
  const person = {
    name: name('dave'),
    aliases: [],
    groups: [name('oncall')],
    keys: [{ key: world.lineOf('dave'), validAfter: null, validBefore: null }],
  };
  await world.changeApproved({ change: 'add', person });
  const asked = await world.submit('plain');
  await world.decide(asked, 'dave');
  await world.changeApproved({ change: 'set', name: name('dave'), groups: [name(`team-${round}`)] });
  await world.changeOffline({ change: 'remove', name: name('dave') });
}
