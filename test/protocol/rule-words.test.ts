import { expect, test } from 'vitest';
import { ONE_OTHER_PERSON } from '../../broker/policy/one-other-person.js';
import { revocationWords, ruleWords } from '../../src/protocol/rule-words.js';
import { NOW, opened, sampleRequest, sampleVote } from '../components/sample-requests.js';

test('a rule says in words who must sign, for how long, and what an approval may cover', () => {
  expect(ruleWords(ONE_OTHER_PERSON)).toEqual([
    'signed by 1 person other than the requester',
    'answered within 5m, used within 10m of the approval, work up to 31d',
    'each ask is approved by itself',
  ]);
  expect(
    ruleWords({
      ...ONE_OTHER_PERSON,
      approvals: [
        {
          people: 2,
          groups: [
            { group: 'oncall', count: 1 },
            { group: 'db', count: 1 },
          ],
        },
        { people: 3, groups: [{ group: 'security', count: 1 }] },
      ],
      sharedRequester: 'one-more',
      grants: { uses: 5 },
      touch: true,
      number: true,
      confirm: { resource: true, reason: 20 },
      revokers: ['security'],
      alone: { group: 'sre', delay: 900, reason: 40 },
    }),
  ).toEqual([
    'signed by 1 of oncall and 1 of db, or else by 3 people other than the requester, 1 of security among them',
    'one more where the requester is not one person of the roster',
    'answered within 5m, used within 10m of the approval, work up to 31d',
    'an approval may cover later equal asks: 5 uses at most, for the time that was asked for',
    'only touched security keys count',
    'the number that the requester is shown must be signed',
    'whoever approves types the resource first',
    'whoever approves signs a reason of at least 20 characters',
    'taken back by security, or by who approved it',
    'break-glass: somebody of sre is let in alone after 15m without a no',
  ]);
  expect(ruleWords({ ...ONE_OTHER_PERSON, approvals: 'automatic' })[0]).toBe('nobody has to sign');
  expect(ruleWords({ ...ONE_OTHER_PERSON, work: { default: 0, longest: 0 } })[1]).toBe(
    'answered within 5m, used within 10m of the approval, no time of work',
  );
});

test('what a revocation ends depends on whether the door watches what it opened (A27)', () => {
  const grant = { votes: [sampleVote({ covers: 'scope', duration: 3600, uses: 0 })], redeemedAt: NOW };
  const words = (given: Parameters<typeof sampleRequest>[0]) => revocationWords(sampleRequest(given));
  expect(words({})).toBeNull();
  expect(words({ state: 'approved' })).toContain('nothing was opened yet');
  expect(words({ ...opened })).toBe('host:web-1.example.com does not end what it opened');
  expect(words({ ...opened, watchedAt: NOW })).toBe('host:web-1.example.com ends what it opened');
  expect(words({ ...opened, report: { outcome: 'opened', code: 'watched', at: NOW } })).toBe(
    'host:web-1.example.com ends what it opened',
  );
  const alone = { vote: sampleVote(), opensAt: NOW, opened: true };
  expect(words({ ...opened, alone, report: null })).toContain('if it has not, it stays shut');
  expect(words({ ...opened, alone })).toBe('host:web-1.example.com does not end what it opened');
  expect(words({ ...grant, state: 'active' })).toBe(
    'further uses end; host:web-1.example.com does not end what it opened',
  );
  expect(words({ ...grant, state: 'active', watchedAt: NOW })).toBe(
    'further uses end, and host:web-1.example.com ends what it opened',
  );
});
