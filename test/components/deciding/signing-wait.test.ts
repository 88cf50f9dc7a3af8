import { describe, expect, test } from 'vitest';
import { confirmLines } from '../../../components/deciding/confirm-lines.js';
import { ConsoleDriver } from '../console-driver.js';
import { sampleRequest } from '../sample-requests.js';

const shown = ({ state }: ConsoleDriver): string =>
  confirmLines(state)
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
const signing = (isTouched: boolean) =>
  new ConsoleDriver([sampleRequest()], { isTouched }).press('enter', 'a', 'tab').type('enter');

describe('while a signature is made', () => {
  test('it is said what it waits for, and for how long once that is more than a moment', () => {
    const driver = signing(true);
    expect(shown(driver)).toContain('Touch your security key: it waits for you.');
    expect(shown(driver)).not.toContain('Waiting for');
    expect(shown(driver.wait(12_000))).toContain('Waiting for 12s.');
  });

  test('an agent may ask where the key needs no touch', () => {
    expect(shown(signing(false))).toContain('Your agent may ask you');
  });

  test('Esc cancels, which goes back to the buttons with what was typed, and says that nothing was sent', () => {
    const driver = new ConsoleDriver([sampleRequest()]).press(
      'enter',
      'd',
      'c',
      'no',
      'enter',
      'tab',
      'enter',
    );
    expect(shown(driver)).toContain('Esc cancels.');
    driver.press('escape');
    expect(driver.effects.at(-1)).toEqual({ type: 'cancelSigning' });
    expect(driver.state.confirm).toMatchObject({
      isSigning: false,
      focused: 'cancel',
      comment: { text: 'no' },
    });
    expect(shown(driver)).toContain('✗ Not signed: you cancelled it.');
    expect(shown(driver)).toContain('Nothing was sent');
    expect(driver.press('tab', 'enter').decisions).toHaveLength(2);
  });

  test('once it was sent Esc cancels nothing, and the panel says so (A50)', () => {
    const driver = signing(true).finishAtOnce({ type: 'sending' });
    expect(shown(driver)).toContain('Touch your security key');
    const { length } = driver.effects;
    const words = 'Signed and sent: it cannot be cancelled any more.';
    expect(driver.type('escape').noticeText).toBe(words);
    expect(shown(driver.wait(2000)).replaceAll(/\s+/g, ' ')).toContain(
      `${words} The broker has not answered yet. Waiting for 2s.`,
    );
    expect(driver.effects).toHaveLength(length);
    expect(driver.state.confirm).toMatchObject({ isSigning: true, isSent: true });
  });
});

describe('a comment that was written and not signed', () => {
  const written = () =>
    new ConsoleDriver([
      sampleRequest({ n: 1 }),
      sampleRequest({ n: 2, document: { resource: 'web-2' } }),
    ]).press('enter', 'd', 'c', 'n', 'o', 'enter');
  const comment = ({ state }: ConsoleDriver) => state.confirm?.comment.text;

  test('is there again when the same panel opens again, also at another width, and nothing else is', () => {
    const driver = written().press('tab');
    driver.resize(90, 40).paint().wait(1000).press('escape', 'd');
    expect(driver.state.confirm).toMatchObject({ focused: 'cancel', comment: { text: 'no' } });
    expect(driver.press('tab', 'enter').decisions).toMatchObject([{ decision: { comment: 'no' } }]);
  });

  test('is not that of another verdict or request, nor of a later decision', () => {
    expect(comment(written().press('escape', 'f'))).toBe('');
    expect(comment(written().press('escape', 'escape', 'j', 'd'))).toBe('');
    const decided = written().press('tab', 'enter').finish({ type: 'decided' });
    expect(comment(decided.press('g', 'd'))).toBe('');
  });
});

describe('the time of work, where the rule allows no grant', () => {
  const approving = (duration: number) =>
    new ConsoleDriver([sampleRequest({ document: { duration } })]).press('enter', 'a');

  test('can be shortened, and is signed so', () => {
    const driver = approving(3600).press('tab', 'tab');
    expect(driver.state.confirm?.focused).toBe('cover');
    expect(shown(driver)).toContain('← → time');
    driver.press(' ', 'up', 'left', 'left');
    expect(shown(driver)).toContain('this one ask, for 15m of work');
    driver.press('enter', 'tab', 'enter');
    expect(driver.decisions).toMatchObject([
      { decision: { terms: { covers: 'request', duration: 900, uses: 1 } } },
    ]);
  });

  test('cannot be made longer than was asked for, and nothing is chosen where no time was asked for', () => {
    const driver = approving(3600).press('tab', 'tab', 'right', 'right');
    expect(driver.state.confirm?.cover?.terms.duration).toBe(3600);
    expect(approving(0).press('tab', 'tab').state.confirm?.focused).toBe('comment');
  });
});
