import { describe, expect, test } from 'vitest';
import { footerLines } from '../../../components/screen/footer.js';
import { ConsoleDriver } from '../console-driver.js';
import { sampleRequest } from '../sample-requests.js';

const keys = ({ state }: ConsoleDriver): string =>
  footerLines(state)
    .slice(-1)
    .flat()
    .map(({ text }) => text)
    .join('')
    .trim();
const queue = (columns: number) => new ConsoleDriver([sampleRequest()], { columns, rows: 24 });

describe('the keys in the footer', () => {
  test('take what room there is, and the least important give way first', () => {
    expect(keys(queue(40))).toBe('Enter read  a approve  d deny  ? help');
    expect(keys(queue(80))).toBe(
      'Space page  Enter read  a approve  d deny  / filter  : menu  ? help  q quit',
    );
    const wide = keys(queue(120));
    for (const hint of ['c comment', 'e ring all', 's snooze', 'w why', ': menu']) {
      expect(wide).toContain(hint);
    }
    expect(keys(queue(200))).toContain('j ↓ down');
  });

  test('never are wider than the terminal', () => {
    for (let columns = 40; columns <= 200; columns += 1) {
      expect(keys(queue(columns)).length).toBeLessThan(columns);
    }
  });

  test('leave out what would do nothing for the request under the cursor', () => {
    const ended = new ConsoleDriver([sampleRequest({ state: 'denied' })], { columns: 200, rows: 24 });
    expect(keys(ended)).toBe(
      'j ↓ down  Space page  Enter read  / filter  y copy id  : menu  w why  ? help  q quit',
    );
    expect(keys(ended.press('enter'))).not.toMatch(/comment|ring|snooze|fraud/);
    expect(keys(new ConsoleDriver([], { columns: 200, rows: 24 }))).toBe('/ filter  : menu  ? help  q quit');
  });

  test('say filter in the queue, and search in the history', () => {
    expect(keys(queue(80).press('/'))).toContain('Enter filter');
    const history = queue(80).press('2');
    expect(keys(history)).toContain('/ search');
    expect(keys(history.press('/'))).toContain('Enter search');
  });
});
