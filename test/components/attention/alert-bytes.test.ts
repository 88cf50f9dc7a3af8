import { expect, test } from 'vitest';
import { alertBytes } from '../../../components/attention/alert-bytes.js';
import { titleText } from '../../../components/screen/header.js';
import { label } from '../../../components/text/safe-text.js';
import { NOTIFICATIONS } from '../../../src/client/alerts.js';
import { ConsoleDriver } from '../console-driver.js';
import { sampleRequest } from '../sample-requests.js';

const words = label`countersign: 3 pending`;
const bytes = (notify: (typeof NOTIFICATIONS)[number], isInTmux: boolean): string =>
  alertBytes(words, { notify, isInTmux, quiet: null });

test.each([
  ['off', false, ''],
  ['off', true, ''],
  ['bell', false, '\u0007'],
  ['bell', true, '\u0007'],
  ['osc9', false, '\u0007\u001b]9;countersign: 3 pending\u0007'],
  ['osc9', true, '\u0007\u001bPtmux;\u001b\u001b]9;countersign: 3 pending\u0007\u001b\\'],
  ['osc777', false, '\u0007\u001b]777;notify;countersign;countersign: 3 pending\u0007'],
  [
    'osc777',
    true,
    '\u0007\u001bPtmux;\u001b\u001b]777;notify;countersign;countersign: 3 pending\u0007\u001b\\',
  ],
] as const)('%s, in tmux %s, is exactly this', (notify, isInTmux, expected) => {
  expect(bytes(notify, isInTmux)).toBe(expected);
});

test('what others wrote is never in it (A38)', () => {
  const evil = 'evil]52;c;ZXZpbA== #(evil) #{evil} %H;evil';
  const driver = new ConsoleDriver([
    sampleRequest({ document: { resource: evil, requester: 'evil', context: { reason: evil } } }),
  ]);
  for (const notify of NOTIFICATIONS) {
    for (const isInTmux of [false, true]) {
      const sent = alertBytes(titleText(driver.state), { notify, isInTmux, quiet: null });
      expect(sent).not.toMatch(/evil|52|#/);
      if (notify !== 'off' && notify !== 'bell') expect(sent).toContain('countersign: 1 pending');
    }
  }
});
