import { describe, expect, test } from 'vitest';
import { commentLines, talkNote } from '../../../components/talk/comment-lines.js';
import { talkLines } from '../../../components/talk/talk-lines.js';
import type { Line } from '../../../components/text/line.js';
import { label } from '../../../components/text/safe-text.js';
import type { Name } from '../../../src/protocol/names.js';
import { MAX_COMMENT_TEXT_BYTES } from '../../../src/protocol/talk.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleRequest } from '../sample-requests.js';

const first = sampleRequest({ n: 1, age: 100 });
const second = sampleRequest({ n: 2, age: 50, document: { resource: 'web-2.example.com' } });
const stale = { state: 'stale', since: NOW, retryAt: null, reason: 'the network is down' } as const;
const problem = { message: label`something`, hint: label`do that` };
const told = ({ effects }: ConsoleDriver) =>
  effects.filter((effect) => effect.type === 'comment' || effect.type === 'escalate');
const text = (lines: readonly Line[]): string =>
  lines.map((line) => line.map((part) => part.text).join('')).join('\n');

describe('a comment for the others', () => {
  test('is written below the opened request, from the queue and from the request, and said with Enter', () => {
    for (const keys of [['c'], ['enter', 'c']]) {
      const driver = new ConsoleDriver([first, second]).press(
        ...keys,
        'w',
        'a',
        'i',
        't',
        ' ',
        'q',
        '?',
        'enter',
      );
      expect(told(driver)).toEqual([{ type: 'comment', id: first.id, text: 'wait q?' }]);
      expect(driver.finish({ type: 'said', id: first.id }).state.talk).toBeNull();
      expect(driver.noticeText).toBe('Said to the other approvers; signed by nobody.');
      expect(driver.state.opened?.request.id).toBe(first.id);
    }
  });

  test('is about the request that was on the screen when c went down, whatever comes then (A4)', () => {
    const driver = new ConsoleDriver([second]).press('j');
    driver.put(first).type('c');
    driver.paint().wait(1000).press('x', 'enter');
    expect(told(driver)).toMatchObject([{ id: second.id }]);
    const early = new ConsoleDriver([first]).remove(first.id).put(second).type('c');
    expect(early.state.talk).toBeNull();
  });

  test('decides nothing, whatever is typed, and Esc leaves it with nothing said (A34)', () => {
    const driver = new ConsoleDriver([first]).press('c', 'a', 'd', 'f', 'tab', 'right', 'escape');
    expect([driver.decisions, told(driver)]).toEqual([[], []]);
    expect(driver.noticeText).toBe('Nothing was said.');
    expect(driver.state.opened?.request.id).toBe(first.id);
  });

  test('takes pasted text with its line breaks, and says nothing by it (A35)', () => {
    const driver = new ConsoleDriver([first]).press('c').paste('one\r\ntwo\r');
    expect(told(driver)).toEqual([]);
    expect(driver.press('enter').effects.at(-1)).toMatchObject({ text: 'one\ntwo\n' });
  });

  test('is not said while it is empty, nor before it is on the screen', () => {
    expect(told(new ConsoleDriver([first]).press('c', ' ', 'enter'))).toEqual([]);
    const driver = new ConsoleDriver([first]);
    driver.type('c', 'x', 'enter');
    expect(told(driver)).toEqual([]);
  });

  test(`has room for ${MAX_COMMENT_TEXT_BYTES} bytes, and says so when it is full`, () => {
    const driver = new ConsoleDriver([first]).press('c').paste('é'.repeat(512)).press('x');
    expect(driver.noticeText).toBe('The comment is full: 1024 bytes.');
    expect(driver.press('enter').effects.at(-1)).toMatchObject({ text: 'é'.repeat(512) });
  });

  test('is kept while the broker is away and where it refuses it', () => {
    const driver = new ConsoleDriver([first]).press('c', 'x').setLink(stale).press('enter');
    expect(told(driver)).toEqual([]);
    expect(driver.noticeText).toContain('nothing was sent');
    driver.setLink({ state: 'live' }).paint().wait(1000).press('enter');
    driver.press('y', 'enter');
    expect(told(driver)).toHaveLength(1);
    driver.finish({ type: 'notTalked', id: first.id, ...problem });
    expect(text(talkLines(driver.state))).toMatch(/✗ Not said: something\n.*do that/);
    expect(driver.press('!', 'enter').effects.at(-1)).toMatchObject({ text: 'x!' });
  });

  test('on what has ended is not begun', () => {
    const ended = sampleRequest({ state: 'denied', endedAt: NOW });
    const driver = new ConsoleDriver([ended]).press('enter', 'c');
    expect(driver.state.talk).toBeNull();
    expect(driver.noticeText).toContain('It has ended');
  });

  test('survives another size of the terminal', () => {
    const driver = new ConsoleDriver([first]).press('c', 'x').resize(60, 15).paint().wait(1000);
    expect(driver.press('y', 'enter').effects.at(-1)).toMatchObject({ text: 'xy' });
  });
});

describe('having everybody rung', () => {
  test('asks first, with the focus on Cancel', () => {
    const driver = new ConsoleDriver([first]).press('e');
    expect(driver.state.talk).toMatchObject({ kind: 'escalation', focused: 'cancel' });
    expect(driver.press('enter').noticeText).toBe('Nobody was rung.');
    expect(told(driver)).toEqual([]);
  });

  test('takes leaving Cancel and Enter, each once it has stood on the screen (A34)', () => {
    const driver = new ConsoleDriver([first, second]).press('j', 'enter', 'e');
    driver.type('tab', 'enter');
    expect(told(driver)).toEqual([]);
    driver.paint().wait(1000).press('enter');
    expect(told(driver)).toEqual([{ type: 'escalate', id: second.id }]);
    driver.finish({ type: 'escalated', id: second.id });
    expect(driver.state.talk).toBeNull();
    expect(driver.noticeText).toBe('Everybody who could sign is being rung.');
  });

  test('no single key and no text does it, from any screen (A34, A35)', () => {
    for (const keys of [
      ['e'],
      ['enter', 'e'],
      ['e', 'e'],
      ['e', 'enter'],
      ['e', '\t\r'],
      ['e', 'r'],
      ['ee'],
    ]) {
      expect(told(new ConsoleDriver([first]).press(...keys)), String(keys)).toEqual([]);
    }
  });

  test('an arrow goes to the button on its side and stays there', () => {
    const driver = new ConsoleDriver([first]).press('e', 'right', 'right');
    expect(driver.state.talk).toMatchObject({ focused: 'ring' });
    expect(driver.press('left').state.talk).toMatchObject({ focused: 'cancel' });
  });

  test('is not for what one asked for oneself, nor for what does not wait (A31)', () => {
    const own = sampleRequest({ document: { requester: 'bob' } });
    expect(new ConsoleDriver([own]).press('e').noticeText).toContain('You asked for this yourself');
    const approved = sampleRequest({ state: 'approved', claimBy: NOW + 90_000 });
    expect(new ConsoleDriver([approved]).press('enter', 'e').noticeText).toContain('does not wait');
  });

  test('that the broker refuses says why, with the focus on Cancel again', () => {
    const driver = new ConsoleDriver([first]).press('e', 'tab', 'enter');
    driver.finish({ type: 'notTalked', id: first.id, ...problem });
    expect(driver.state.talk).toMatchObject({ focused: 'cancel', isSending: false });
    expect(text(talkLines(driver.state))).toMatch(/✗ Nobody was rung: something\n.*do that/);
  });
});

describe('what was said', () => {
  const comments = [
    { by: 'carol' as Name, at: NOW - 60_000, text: 'I am calling \u202eher\nAPPROVED by dave' },
    { by: 'dave' as Name, at: NOW - 30_000, text: 'fine' },
  ];
  const place = { columns: 80, style: { zone: 'UTC', now: NOW } };

  test('stands in the request with who said it and when, its tricks made visible, and that nobody signed it', () => {
    const request = sampleRequest({ comments, escalated: { by: 'erin' as Name, at: NOW } });
    const shown = text(commentLines(request, place));
    expect(shown).toContain('Comments  of approvers to each other: not signed');
    expect(shown).toMatch(/carol +I am calling ⟨U\+202E⟩her⟨LF⟩\n +│ APPROVED by dave/);
    expect(shown).toMatch(/erin +had everybody rung at /);
    expect(shown).not.toMatch(/^ *APPROVED/m);
    expect(commentLines(sampleRequest(), place)).toEqual([]);
  });

  test('is marked in short', () => {
    const marked = (given: Parameters<typeof sampleRequest>[0]) => text([talkNote(sampleRequest(given))]);
    expect(marked({})).toBe('');
    expect(marked({ comments: comments.slice(1) })).toBe('1 comment');
    const escalated = { by: 'erin' as Name, at: NOW };
    expect(marked({ comments, escalated })).toBe('all rung · 2 comments');
  });

  test('moves nothing that must be read, and needs not be read to decide (A1)', () => {
    const driver = new ConsoleDriver([first], { rows: 24 }).press('enter');
    const { read, top } = driver.state.opened ?? {};
    driver.change(first.id, { comments }).paint();
    expect(driver.state.opened).toMatchObject({ read, top });
    const all = new ConsoleDriver([first]).press('enter');
    const many = Array.from({ length: 32 }, () => ({ by: 'carol' as Name, at: NOW, text: 'x'.repeat(1000) }));
    all.change(first.id, { comments: many }).paint().wait(1000).press('a');
    expect(all.state.confirm).toMatchObject({ verdict: 'approve' });
  });
});
