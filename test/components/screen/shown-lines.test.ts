import { expect, test } from 'vitest';
import { confirmWindow } from '../../../components/deciding/confirm-window.js';
import { KEY_TABLE } from '../../../components/keys/key-table.js';
import { footerLines } from '../../../components/screen/footer.js';
import { headerLines } from '../../../components/screen/header.js';
import { helpWindow } from '../../../components/screen/help-window.js';
import type { Line } from '../../../components/text/line.js';
import { ConsoleDriver } from '../console-driver.js';
import { sampleRequest } from '../sample-requests.js';
import { lineText } from './whole-screen.js';

const textOf = (lines: readonly Line[]): string => lines.map(lineText).join('\n');

test('the help lists every key', () => {
  const help = textOf(helpWindow(new ConsoleDriver([], { rows: 90 }).state).lines);
  for (const { shown, explained, isInBanner } of KEY_TABLE) {
    if (isInBanner === true) continue;
    expect(help).toContain(shown);
    expect(help).toContain(explained);
  }
});

test('the footer offers approval only where it is possible', () => {
  const driver = new ConsoleDriver([sampleRequest()], { columns: 100, rows: 20 }).press('enter');
  expect(textOf(footerLines(driver.state))).not.toContain('a approve');
  driver.press('pageDown', 'pageDown', 'pageDown', 'pageDown');
  expect(textOf(footerLines(driver.state))).toContain('a approve');
});

test('the confirm step names what is signed: verdict, resource, requester, start of the digest', () => {
  const driver = new ConsoleDriver([sampleRequest()], { columns: 100 }).press('enter', 'd');
  const step = textOf(confirmWindow(driver.state, 20));
  expect(step).toContain('deny  ssh.login on web-1.example.com');
  expect(step).toContain('alice through host:web-1.example.com');
  expect(step).toContain(sampleRequest().digest.slice(0, 23));
  expect(step).toContain('▸[ Cancel ]    [ Sign denial ]');
  expect(step).toContain('Enter cancels');
});

test('the header says how many wait only where that is known', () => {
  const header = (driver: ConsoleDriver) => lineText(headerLines(driver.state)[0] ?? []);
  const stale = { state: 'stale', since: 0, retryAt: null, reason: 'the network is down' } as const;
  expect(header(new ConsoleDriver([]))).toContain('● live   nothing pending');
  expect(header(new ConsoleDriver([]).setLink(stale))).toMatch(/▲ not connected$/);
  expect(header(new ConsoleDriver([sampleRequest()]).setLink(stale))).toMatch(
    /▲ not connected {3}1 pending$/,
  );
});
