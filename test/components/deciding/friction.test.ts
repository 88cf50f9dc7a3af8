import { describe, expect, test } from 'vitest';
import type { Rule } from '../../../src/protocol/rule.js';
import { ConsoleDriver } from '../console-driver.js';
import { sampleRequest, sampleRule } from '../sample-requests.js';

const wanting = (confirm: NonNullable<Rule['confirm']>) => sampleRequest({ rule: sampleRule({ confirm }) });

const approving = (confirm: NonNullable<Rule['confirm']>): ConsoleDriver =>
  new ConsoleDriver([wanting(confirm)]).press('enter', 'a');

const BOTH = { resource: true, reason: 10 };
const RESOURCE = 'web-1.example.com';

describe('a rule that has the resource typed', () => {
  const driverOf = () => approving({ resource: true, reason: null });

  test('begins there, and signs what was typed with the approval', () => {
    const driver = driverOf();
    expect(driver.state.confirm).toMatchObject({ focused: 'resource', resource: { text: '' } });
    driver.press(...RESOURCE, 'enter');
    expect(driver.state.confirm?.focused).toBe('cancel');
    expect(driver.press('tab', 'enter').decisions).toMatchObject([{ decision: { resource: RESOURCE } }]);
  });

  test.each(['', 'web-1', 'web-1.example.con', 'WEB-1.example.com', `${RESOURCE} `])(
    'signs nothing with "%s" (A37)',
    (typed) => {
      const driver = driverOf().press(...typed, 'enter', 'tab', 'enter');
      expect(driver.state.confirm).toMatchObject({ focused: 'sign', isSigning: false });
      expect(driver.decisions).toEqual([]);
    },
  );

  test('takes no pasted text, and says so (A35)', () => {
    const driver = driverOf().paste(RESOURCE);
    expect(driver.state.confirm?.resource?.text).toBe('');
    expect(driver.noticeText).toContain('the resource is typed');
    expect(driver.press('enter', 'tab', 'enter').decisions).toEqual([]);
  });

  test('takes the keys of decisions as text, mends what is mistyped, and lets go at Esc', () => {
    const driver = driverOf().press('a', 'd', 'q', 'backspace');
    expect(driver.state.confirm?.resource?.text).toBe('ad');
    expect(driver.press('escape').state.confirm?.focused).toBe('cancel');
    expect(driver.press('escape').state.confirm).toBeNull();
  });

  test('takes no line break, which a fast hand brings with the last letter', () => {
    const driver = driverOf().press('web-1', '.example.com\r');
    expect(driver.state.confirm?.resource?.text).toBe(RESOURCE);
  });

  test('asks nothing of a no', () => {
    const driver = new ConsoleDriver([wanting(BOTH)]).press('enter', 'd');
    expect(driver.state.confirm).toMatchObject({ focused: 'cancel', resource: null });
    expect(driver.press('tab', 'enter').decisions).toHaveLength(1);
  });
});

test('a rule that wants a reason has it written before anything can be signed', () => {
  const driver = approving({ resource: false, reason: 10 });
  expect(driver.state.confirm?.focused).toBe('comment');
  driver.press(...'  too few ', 'enter', 'tab', 'enter');
  expect(driver.decisions).toEqual([]);
  driver.press('c', ...' now', 'enter', 'tab', 'enter');
  expect(driver.decisions).toMatchObject([{ decision: { comment: '  too few  now' } }]);
});

test('Enter goes from one field to the next that is wanted, and last to Cancel', () => {
  const driver = approving(BOTH).press(...RESOURCE, 'enter');
  expect(driver.state.confirm?.focused).toBe('comment');
  driver.press('enter');
  expect(driver.state.confirm?.focused).toBe('cancel');
  driver.press('c', ...'as agreed on', 'enter');
  expect(driver.state.confirm?.focused).toBe('cancel');
});
