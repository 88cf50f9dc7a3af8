import { cleanup, render } from 'ink-testing-library';
import { afterEach, describe, expect, test } from 'vitest';
import { confirmWindow } from '../../../components/deciding/confirm-window.js';
import { KEY_TABLE } from '../../../components/keys/key-table.js';
import { Footer } from '../../../components/screen/footer.js';
import { helpWindow } from '../../../components/screen/help-window.js';
import { SafeLine, SafeLines } from '../../../components/screen/safe-line.js';
import { markedSpans } from '../../../components/text/line.js';
import { safeText } from '../../../components/text/safe-text.js';
import { ConsoleDriver } from '../console-driver.js';
import { sampleRequest } from '../sample-requests.js';

afterEach(cleanup);

const exact = (raw: string) => markedSpans(safeText(raw, { reading: 'exact' }));

describe('components', () => {
  test('draw a line as it is, marks included', () => {
    expect(render(<SafeLine line={exact('safe\rEVIL\u001b[8m')} />).lastFrame()).toBe('safe⟨CR⟩EVIL⟨ESC⟩[8m');
  });

  test('draw one row of the screen a line, and no more than there is room for', () => {
    const lines = ['one', 'two\nstill two', 'three'].map(exact);
    expect(render(<SafeLines lines={lines} height={2} />).lastFrame()).toBe('one\ntwo⟨LF⟩still two');
  });

  test('list every key in the help', () => {
    const { lines } = helpWindow(new ConsoleDriver([], { rows: 90 }).state);
    const frame = render(<SafeLines lines={lines} height={90} />).lastFrame() ?? '';
    for (const { shown, explained, isInBanner } of KEY_TABLE) {
      if (isInBanner === true) continue;
      expect(frame).toContain(shown);
      expect(frame).toContain(explained);
    }
  });

  test('offer approval in the footer only where it is possible', () => {
    const driver = new ConsoleDriver([sampleRequest()], { columns: 100, rows: 20 }).press('enter');
    expect(render(<Footer state={driver.state} />).lastFrame()).not.toContain('a approve');
    driver.press('pageDown', 'pageDown', 'pageDown', 'pageDown');
    expect(render(<Footer state={driver.state} />).lastFrame()).toContain('a approve');
  });

  test('name what is signed in the confirm step: verdict, resource, requester, start of the digest', () => {
    const driver = new ConsoleDriver([sampleRequest()], { columns: 100 }).press('enter', 'd');
    const frame = render(<SafeLines lines={confirmWindow(driver.state, 20)} height={20} />).lastFrame() ?? '';
    expect(frame).toContain('deny  ssh.login on web-1.example.com');
    expect(frame).toContain('alice through host:web-1.example.com');
    expect(frame).toContain(sampleRequest().digest.slice(0, 23));
    expect(frame).toContain('▸[ Cancel ]    [ Sign denial ]');
    expect(frame).toContain('Enter cancels');
  });
});
