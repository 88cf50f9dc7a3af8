import { describe, expect, test } from 'vitest';
import { policyLines } from '../../../components/policy/policy-lines.js';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import { label } from '../../../components/text/safe-text.js';
import type { ExplanationReply } from '../../../src/protocol/explanation.js';
import type { PolicyReply } from '../../../src/protocol/policy-messages.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';
import { explanation, POLICY } from './sample-policy.js';

const asked = ({ effects }: ConsoleDriver) =>
  effects.filter(({ type }) => type === 'readPolicy' || type === 'explain');
const shown = ({ state }: ConsoleDriver): string =>
  policyLines(state, bodyRows(state))
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
const size = { columns: 120, rows: 60 };
const reading = (reply: PolicyReply = POLICY) =>
  new ConsoleDriver([sampleRequest()], size).press('5').finish({ type: 'policy', number: 1, reply });
const explaining = (reply: ExplanationReply = explanation()) => {
  const driver = new ConsoleDriver([sampleRequest()], size).press('w');
  return driver.finish({ type: 'explained', number: driver.state.policy.number, reply });
};

describe('the policy', () => {
  test('is asked for when one goes there, and when something about it has changed: never by a clock', () => {
    const driver = reading().wait(60_000);
    driver.put(sampleRequest({ n: 2 }));
    expect(asked(driver)).toHaveLength(1);
    driver.put(sampleRequest({ n: 3, document: { action: 'policy.change' } }));
    driver.change(sampleId(3), { state: 'redeemed' });
    expect(asked(driver)).toHaveLength(3);
    driver.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' });
    expect(asked(driver)).toHaveLength(3);
    driver.setLink({ state: 'live' });
    expect(asked(driver)).toHaveLength(4);
    driver.press('escape').change(sampleId(3), { state: 'denied' });
    expect(asked(driver)).toHaveLength(4);
  });

  test('is told rule by rule in the order in which they are asked, with all that a rule wants', () => {
    const text = shown(reading());
    expect(text.indexOf('databases')).toBeLessThan(text.indexOf('everything'));
    expect(text).toContain('signed by 2 people other than the requester, 1 of db among them');
    expect(text).toContain('asked with a reason of at least 10 characters');
    expect(text).toContain('asked with a ticket like INC-[0-9]+');
    expect(text).toContain('leads and oncall are rung after 2m');
    expect(text).toContain('there is no group dbs');
    expect(text).toMatch(/leads +nobody/);
  });

  test('that no longer fits the roster allows nothing, and says so with the way out', () => {
    expect(shown(reading({ ...POLICY, order: [] }))).toContain('countersign policy install');
  });

  test('of a rule that this version does not know shows its text, and no words that could be wrong (A62)', () => {
    const rule = '{"name":"of a later version"}';
    const text = shown(reading({ ...POLICY, order: [{ line: 1, rule }] }));
    expect(text).toContain(rule);
    expect(text).not.toContain('signed by');
  });

  test('drops the answer to a former question', () => {
    const driver = reading().press('escape', '5');
    driver.finish({ type: 'policy', number: 1, reply: { policy: null, order: [], groups: [] } });
    driver.finish({ type: 'noPolicy', number: 1, message: label`old`, hint: label`old` });
    expect(driver.state.policy.reply).toBe(POLICY);
    expect(driver.state.policy.failure).toBeNull();
  });
});

describe('the explanation of a request', () => {
  test('is of the one under the cursor of the queue: why rules above its own are not for it, who could sign', () => {
    const driver = explaining();
    expect(asked(driver)).toEqual([{ type: 'explain', number: expect.any(Number), id: sampleId(1) }]);
    const text = shown(driver);
    expect(text).toMatch(/not true +action\.startsWith/);
    expect(text).toContain('action is "ssh.login"');
    expect(text).not.toContain('requester.groups is');
    expect(text).toMatch(/signed +bob +approved/);
    expect(text).toMatch(/could sign +carol +db/);
    expect(text).toMatch(/could not +alice +is the requester/);
    expect(text).toMatch(/missing +1 more person: carol/);
  });

  test('is asked for again when somebody signs, and only then', () => {
    const driver = explaining();
    driver.change(sampleId(1), { waiting: 3 });
    expect(asked(driver)).toHaveLength(1);
    driver.change(sampleId(1), { votes: [sampleVote()] });
    expect(asked(driver)).toHaveLength(2);
  });

  test('says where the policy has changed since, and where nobody could approve it', () => {
    expect(shown(explaining(explanation({ isInForce: false })))).toContain('what was pinned stays');
    expect(shown(explaining(explanation({ satisfiable: false })))).toContain('too few');
    expect(shown(explaining(explanation({ tried: [], file: null })))).not.toContain('Rules, in order');
  });

  test('of none does nothing, and Esc leads back to the queue', () => {
    expect(new ConsoleDriver([], size).press('w').state.screen).toBe('queue');
    const driver = explaining().press('escape');
    expect(driver.state.screen).toBe('queue');
    expect(driver.press('5').state.policy.explained).toBeNull();
  });

  test('drops an answer about another request', () => {
    const driver = explaining().press('escape').press('w');
    driver.finish({ type: 'explained', number: 1, reply: explanation() });
    expect(driver.state.policy.explained?.reply).toBeNull();
  });

  test('decides nothing, whatever is pressed', () => {
    const driver = explaining().press('a', 'd', 'f', 'R', 'enter', 'a');
    expect(driver.decisions).toEqual([]);
    expect(driver.state.opened).toBeNull();
  });
});
