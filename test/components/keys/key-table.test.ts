import { describe, expect, test } from 'vitest';
import type { KeyContext } from '../../../components/keys/key-row.js';
import { footerRows, KEY_TABLE, matchKey } from '../../../components/keys/key-table.js';
import type { Press } from '../../../components/keys/press.js';
import { helpLines } from '../../../components/screen/help-window.js';

const CONTEXTS: readonly KeyContext[] = [
  'queue',
  'detail',
  'confirm',
  'cover',
  'comment',
  'number',
  'resource',
  'bulk',
  'bulkCount',
  'bulkComment',
  'history',
  'filter',
  'record',
  'people',
  'entry',
  'policy',
  'form',
  'choice',
  'ask',
  'outbox',
  'drop',
  'help',
];

describe('the key table', () => {
  test('gives every key one meaning in each place', () => {
    for (const context of CONTEXTS) {
      const keys = KEY_TABLE.filter(({ contexts }) => contexts.includes(context)).flatMap((row) =>
        row.keys.map((key) => JSON.stringify(key)),
      );
      expect(new Set(keys).size, context).toBe(keys.length);
    }
  });

  test('matches every key that it names', () => {
    for (const { action, contexts, keys } of KEY_TABLE) {
      for (const context of contexts) {
        for (const key of keys) expect(matchKey(context, key)?.action).toBe(action);
      }
    }
  });

  test('has every row in the help, and every hint in a footer', () => {
    const help = helpLines(100).map((line) => line.map(({ text }) => text).join(''));
    for (const row of KEY_TABLE.filter(({ isInBanner }) => isInBanner !== true)) {
      expect(help.some((line) => line.includes(row.shown) && line.includes(row.explained))).toBe(true);
      if (row.hint !== null)
        expect(
          row.contexts.some((context) => footerRows(context).some(({ action }) => action === row.action)),
        ).toBe(true);
    }
  });

  test('binds no letter where text is written', () => {
    const fields = ['comment', 'number', 'resource', 'bulkCount', 'bulkComment', 'filter', 'form'] as const;
    for (const field of fields) {
      const letters = KEY_TABLE.filter(
        ({ contexts, keys }) => contexts.includes(field) && keys.some((key) => 'text' in key),
      );
      expect(letters, field).toEqual([]);
    }
  });

  test.each(['aa', 'ay', 'a\r', 'dd', 'a\t\r', 'A', ' a', 'qq', '??'])(
    'hears nothing in %j: a decision is exactly one character (A34, A35)',
    (text) => {
      for (const context of CONTEXTS) expect(matchKey(context, { text })).toBeNull();
    },
  );

  test('counts a key that is held down for moving only', () => {
    expect(matchKey('queue', { text: 'jjj' })).toEqual({ action: 'down', times: 3 });
    expect(matchKey('queue', { text: 'jjk' })).toBeNull();
    expect(matchKey('queue', { text: '' } as Press)).toBeNull();
  });

  test('has no key that leads to a decision outside the queue and its requests (A4)', () => {
    const deciding = ['approve', 'deny', 'denyFraud', 'revoke', 'acknowledge'];
    for (const context of ['history', 'filter', 'record', 'outbox', 'drop', 'help'] as const) {
      const actions = KEY_TABLE.filter(({ contexts }) => contexts.includes(context)).map(
        ({ action }) => action,
      );
      expect(
        actions.filter((action) => deciding.includes(action)),
        context,
      ).toEqual([]);
    }
  });

  test('has no key that decides at once: a and d are not heard in the confirm step (A34)', () => {
    for (const text of ['a', 'd', 'y', 's', '\r', '\n', ' '])
      expect(matchKey('confirm', { text })).toBeNull();
  });
});
