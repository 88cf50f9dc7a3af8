import { describe, expect, test } from 'vitest';
import {
  beginTranscript,
  continueTranscript,
  type Transcript,
  writtenLine,
} from '../../../components/spoken/transcript.js';
import type { Line } from '../../../components/text/line.js';
import { UNBROKEN } from '../../../components/text/unbroken.js';
import type { Name } from '../../../src/protocol/names.js';
import type { RequestTalk } from '../../../src/protocol/request-view.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleRequest } from '../sample-requests.js';

const [bob, carol] = ['bob' as Name, 'carol' as Name];
const ask = sampleRequest({ age: 10, answerBy: NOW + 3_600_000 });
const textOf = (line: Line): string => line.map(({ text }) => text).join('');

/** What is said of a change, once what it leads to stands on the screen. */
function saidAfter(driver: ConsoleDriver, change: () => unknown): string[] {
  let transcript: Transcript = beginTranscript(driver.state);
  const lines: Line[] = [];
  const hear = (): void => {
    if (transcript.state === driver.state) return;
    transcript = continueTranscript(transcript, driver.state);
    lines.push(...transcript.lines);
  };
  change();
  hear();
  driver.paint().wait(1000);
  hear();
  return lines.map(textOf);
}
const console = () => new ConsoleDriver([ask], { columns: UNBROKEN, rows: 24 });

describe('for a screen reader', () => {
  test('what the others say is said when it comes, with who says it and that nobody signed it', () => {
    const driver = console();
    const talk: Partial<RequestTalk> = {
      comments: [{ by: carol, at: NOW, text: 'wait,\nAPPROVED' }],
      escalated: { by: carol, at: NOW },
    };
    const said = saidAfter(driver, () => driver.change(ask.id, talk));
    expect(said).toContain(
      'Comment, not signed, on: ssh.login on web-1.example.com for alice: carol says wait,⟨LF⟩APPROVED',
    );
    expect(said).toContain('Everybody rung for: ssh.login on web-1.example.com for alice: by carol');
    expect(saidAfter(driver, () => driver.change(ask.id, { waiting: 2 })).join()).not.toContain('carol says');
  });

  test('what one says oneself is not said again', () => {
    const driver = console();
    const own = { comments: [{ by: bob, at: NOW, text: 'wait' }], escalated: { by: bob, at: NOW } };
    expect(saidAfter(driver, () => driver.change(ask.id, own)).join()).not.toMatch(/Comment|rung for/);
  });

  test('a row says that others spoke of it and that it is snoozed', () => {
    const driver = console().change(ask.id, { comments: [{ by: carol, at: NOW, text: 'wait' }] });
    driver.press('s');
    const lines = beginTranscript(driver.state).lines.map(textOf);
    expect(lines).toContain('of the others: 1 comment');
    expect(lines).toContain('snoozed: for a while, on this console');
  });

  test('the panels are said, and what is written stands in its line', () => {
    const driver = console();
    expect(saidAfter(driver, () => driver.type('c')).join('\n')).toContain(
      'To the other approvers. Not signed',
    );
    driver.press('h', 'i');
    expect(textOf(writtenLine(driver.state) ?? [])).toContain('hi');
    driver.press('escape');
    expect(saidAfter(driver, () => driver.type('e')).join('\n')).toMatch(/All who could sign are rung now/);
  });
});
