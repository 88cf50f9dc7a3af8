import { describe, expect, test } from 'vitest';
import { KEY_TABLE } from '../../../components/keys/key-table.js';
import { movement } from '../../../components/keys/movement.js';
import { ConsoleDriver } from '../console-driver.js';
import { pastRequests } from '../past-requests.js';
import { NOW, sampleRequest } from '../sample-requests.js';

const many = Array.from({ length: 60 }, (_, at) =>
  sampleRequest({ n: at + 1, age: 250 - at, document: { resource: `web-${at}.example.com` } }),
);
const place = ({ state }: ConsoleDriver): number =>
  state.rows.indexOf.get(state.selected ?? expect.fail()) ?? -1;

describe('half a screen', () => {
  test('is half of what a screen moves, and one row at least', () => {
    const half = (page: number) => movement({ action: 'halfDown', times: 1 }, page);
    expect([half(1), half(2), half(15)]).toEqual([1, 1, 7]);
    expect(movement({ action: 'halfUp', times: 1 }, 15)).toBe(-7);
  });

  test('moves in the queue, the history, an opened request and the help, there and back', () => {
    const queue = new ConsoleDriver(many, { rows: 24 }).press('pageDown');
    const page = place(queue);
    queue.press('pageUp', '^d');
    expect(place(queue)).toBe(Math.floor(page / 2));
    expect(place(queue.press('^u'))).toBe(0);

    const history = new ConsoleDriver(many, { rows: 24 }).press('2');
    history.finish({
      type: 'found',
      search: 1,
      page: { requests: pastRequests(50), next: null, searchedTo: NOW },
    });
    const found = () => history.state.history.search ?? expect.fail();
    history.press('^d');
    expect(found().requests.findIndex(({ id }) => id === found().selected)).toBeGreaterThan(1);
    expect(history.press('^u').state.history.search?.selected).toBe(pastRequests(50)[0]?.id);

    const opened = new ConsoleDriver(many, { rows: 24 }).press('enter', '^d');
    expect(opened.state.opened?.top).toBeGreaterThan(1);
    expect(opened.press('^u').state.opened?.top).toBe(0);

    const help = new ConsoleDriver(many, { rows: 24 }).press('?', '^d');
    expect(help.state.helpTop).toBeGreaterThan(1);
    expect(help.press('^u').state.helpTop).toBe(0);
  });

  test('is no letter: Ctrl-D denies nothing, and Ctrl-U empties a field as before (A34)', () => {
    const driver = new ConsoleDriver(many).press('^d', '^d');
    expect([driver.state.opened, driver.state.confirm]).toEqual([null, null]);
    expect(driver.press('/', 'bob', '^d', '^u').state.history.line.text).toBe('');
  });
});

test('what moves in one place moves in all where one reads', () => {
  const contextsOf = (action: string) => KEY_TABLE.find((row) => row.action === action)?.contexts;
  for (const action of ['up', 'pageDown', 'pageUp', 'halfDown', 'halfUp', 'first', 'last'])
    expect(contextsOf(action), action).toEqual(contextsOf('down'));
});
