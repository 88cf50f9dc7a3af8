import { describe, expect, test } from 'vitest';
import { formatAddress, isCleartext, parseAddress } from '../../src/client/address.js';
import { codeOf } from '../ssh/problem.js';

describe('an address', () => {
  test.each([
    ['http://127.0.0.1:7433', 'http://127.0.0.1:7433'],
    ['HTTP://LocalHost:7433/', 'http://localhost:7433'],
    ['https://approvals.example.com', 'https://approvals.example.com'],
    ['https://approvals.example.com:443/', 'https://approvals.example.com'],
    ['https://example.com/approvals/', 'https://example.com/approvals'],
    ['/run/countersign/broker.sock', 'unix:/run/countersign/broker.sock'],
    ['unix:/run//countersign/../broker.sock', 'unix:/run/broker.sock'],
  ])('%s is pinned as %s', (text, pinned) => {
    expect(formatAddress(parseAddress(text))).toBe(pinned);
  });

  test.each([
    '',
    'broker',
    'localhost:7433',
    'ftp://broker',
    'javascript:alert(1)',
    'http://user:secret@broker',
    'http://broker/?x=1',
    'http://broker/#x',
    'unix:',
    '/run/a\nb',
  ])('%j is refused', (text) => {
    expect(codeOf(() => parseAddress(text))).toBe('usage');
  });

  test.each([
    ['http://broker.example.com', true],
    ['http://10.0.0.1:7433', true],
    ['http://127.0.0.1.example.com', true],
    ['http://127.0.0.1:7433', false],
    ['http://[::1]:7433', false],
    ['https://broker.example.com', false],
    ['/run/broker.sock', false],
  ])('%s crosses a network in clear: %s', (text, cleartext) => {
    expect(isCleartext(parseAddress(text))).toBe(cleartext);
  });
});
