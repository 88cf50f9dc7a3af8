import { describe, expect, test } from 'vitest';
import { obstacleTo } from '../../../components/deciding/obstacles.js';
import { bannerLines } from '../../../components/screen/banner-lines.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import { label } from '../../../components/text/safe-text.js';
import type { Digest, Name } from '../../../src/protocol/names.js';
import { MAX_COMMENT_BYTES } from '../../../src/protocol/statement.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, opened, RULE, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const stale = { state: 'stale', since: NOW, retryAt: null, reason: 'the network is down' } as const;
const onHost = (n: number, given = {}) =>
  sampleRequest({ n, age: 200 - n, document: { resource: `web-${n}.example.com` }, ...given });
const three = () => [onHost(1), onHost(2), onHost(3)];
/** Opened, read and asked to approve. */
const confirming = (...requests: readonly ReturnType<typeof sampleRequest>[]) =>
  new ConsoleDriver(requests.length === 0 ? [onHost(1)] : requests).press('enter', 'a');

describe('deciding', () => {
  test('takes opening, the confirm step, leaving Cancel, and Enter', () => {
    const driver = confirming();
    expect(driver.state.confirm).toMatchObject({ verdict: 'approve', focused: 'cancel' });
    driver.press('tab', 'enter');
    expect(driver.decisions).toEqual([
      {
        type: 'decide',
        request: driver.request(sampleId(1)),
        decision: {
          verdict: 'approve',
          comment: '',
          code: null,
          terms: { covers: 'request', duration: 0, uses: 1 },
        },
      },
    ]);
  });

  test('Enter on the focus that the confirm step opens with cancels (A34)', () => {
    const driver = confirming().press('enter');
    expect(driver.state.confirm).toBeNull();
    expect(driver.decisions).toEqual([]);
  });

  test('no single key signs, from any screen and any focus but Sign (A34)', () => {
    const keys = ['a', 'd', 'f', 'y', 's', 'enter', ' ', 'tab', 'right', '\r', '\n', '^m', '^j', 'G'];
    const confirms = ['a', 'd', 'f'].map((key) => ['enter', key]);
    const screens = [[], ['enter'], ...confirms, ['enter', 'a', 'c'], ['?']];
    for (const screen of screens) {
      for (const key of keys) {
        const driver = new ConsoleDriver([onHost(1)]).press(...screen, key);
        expect(driver.decisions, `${screen} ${key}`).toEqual([]);
      }
    }
  });

  test('keys typed ahead sign nothing, however fast they come (A34, A35)', () => {
    const driver = new ConsoleDriver([onHost(1)]);
    driver.type('enter', 'a', 'tab', 'enter').paint().wait(10);
    driver.type('a', 'tab', 'enter').paint().wait(10).type('tab').paint().wait(10).type('enter');
    expect(driver.decisions).toEqual([]);
  });

  test('Enter signs only once the focus on Sign has been on the screen for 300 ms (A34)', () => {
    const driver = confirming()
      .type('tab')
      .paint()
      .wait(SETTLE_MS - 1)
      .type('enter');
    expect(driver.decisions).toEqual([]);
    driver.wait(1).type('enter');
    expect(driver.decisions).toHaveLength(1);
  });

  test('what is typed behind fg signs nothing: the guard begins anew (A34)', () => {
    const driver = confirming().press('tab', '^z').resume().type('enter').paint().type('enter');
    expect(driver.decisions).toEqual([]);
    driver.wait(SETTLE_MS).type('enter');
    expect(driver.decisions).toHaveLength(1);
  });

  test('a text of several characters decides nothing, wherever it comes (A35)', () => {
    const driver = new ConsoleDriver([onHost(1)]).press('enter', 'a\t\r', 'aa', 'a\r');
    expect(driver.state.confirm).toBeNull();
    driver.press('a', '\t\r', '\t\n\r');
    expect(driver.state.confirm).toMatchObject({ focused: 'cancel' });
    expect(driver.decisions).toEqual([]);
  });

  test('pasted text goes nowhere but into the comment, and never submits (A35)', () => {
    const driver = confirming().paste('\ty\ny\r');
    expect(driver.state.confirm).toMatchObject({ focused: 'cancel', comment: { text: '' } });
    expect(driver.noticeText).toContain('ignored');
    driver.press('c').paste('seen\r\nagreed\r');
    expect(driver.state.confirm).toMatchObject({ focused: 'comment', comment: { text: 'seen\nagreed\n' } });
    expect(driver.decisions).toEqual([]);
  });

  test('a comment is signed with it; in the comment no letter is a key and Enter only ends it', () => {
    const driver = confirming().press('c', 'q', 'a', '?', ' ', 'backspace', 'home', 'x', 'enter');
    expect(driver.state.confirm).toMatchObject({ focused: 'cancel' });
    driver.press('tab', 'enter');
    expect(driver.decisions).toMatchObject([{ decision: { verdict: 'approve', comment: 'xqa?' } }]);
  });

  test('f asks as d does, from the queue and from the request, and signs a denial that locks (A31, A34)', () => {
    for (const keys of [['f'], ['enter', 'f']]) {
      const driver = new ConsoleDriver([onHost(1)]).press(...keys);
      expect(driver.state.confirm).toMatchObject({ verdict: 'fraud', focused: 'cancel' });
      driver.press('c', 'n', 'o', 'enter', 'tab', 'enter');
      expect(driver.decisions).toMatchObject([
        { decision: { verdict: 'deny', isFraud: true, comment: 'no', code: null } },
      ]);
      expect(driver.finish({ type: 'decided' }).noticeText).toContain('the requester is locked');
    }
  });

  test('f does nothing where d does nothing: before it is settled, and for what was answered', () => {
    expect(new ConsoleDriver([onHost(1)]).type('enter', 'f').state.confirm).toBeNull();
    const answered = new ConsoleDriver([sampleRequest({ n: 1, state: 'denied', endedAt: NOW })]);
    expect(answered.press('f').state.confirm).toBeNull();
    expect(answered.noticeText).toContain('it was denied');
  });

  test('however many are locked and muted, it takes three lines, and none beside an open request (A31, A32)', () => {
    const long = 'a'.repeat(128) as Name;
    const lock = { requester: long, since: NOW, by: long, request: sampleId(9), comment: 'fraud:' };
    const mute = { requester: long, resource: 'r '.repeat(2000), until: NOW + 60_000 };
    const driver = new ConsoleDriver([onHost(1)], { columns: 80, rows: 24 });
    driver.setRestraints({ locks: Array(40).fill(lock), mutes: Array(40).fill(mute) });
    const banner = bannerLines(driver.state).map((line) => line.map(({ text }) => text).join(''));
    expect(banner).toHaveLength(3);
    expect(banner[1]).toMatch(/…\s*$/);
    expect(banner[2]).toMatch(/and 39 more, .* left: a+.*…\s*$/);
    expect(bannerLines(driver.press('enter').state)).toEqual([]);
  });

  test('a comment leaves room for the word that is signed before it', () => {
    const driver = new ConsoleDriver([onHost(1)]).press('f', 'c').paste('x'.repeat(MAX_COMMENT_BYTES - 2));
    expect(driver.noticeText).toContain('full');
    driver.paste('x'.repeat(MAX_COMMENT_BYTES - '"fraud: "'.length)).press('x');
    expect(driver.state.confirm?.comment.text).toHaveLength(MAX_COMMENT_BYTES - '"fraud: "'.length);
  });

  describe('a request that asks for a number', () => {
    const numbered = (given = {}) =>
      confirming(sampleRequest({ document: { context: { number: true } }, ...given }));

    test('opens on the number, and signs it with the approval', () => {
      const driver = numbered();
      expect(driver.state.confirm).toMatchObject({ focused: 'number', digits: '' });
      driver.press('0', '4', '1', ' ', '2', '79', 'enter');
      expect(driver.state.confirm).toMatchObject({ focused: 'cancel', digits: '041279' });
      driver.press('tab', 'enter');
      expect(driver.decisions).toMatchObject([{ decision: { verdict: 'approve', code: '041279' } }]);
    });

    test('is not signed before there are six digits', () => {
      const driver = numbered().press('0', '4', '1', '2', '7', 'enter', 'tab');
      expect(driver.state.confirm).toMatchObject({ focused: 'sign', digits: '04127' });
      expect(obstacleTo(driver.state, 'approve')?.words).toContain('six digits');
      expect(driver.press('enter').decisions).toEqual([]);
      // The number comes after Sign in the circle, and the comment after it.
      expect(driver.press('tab', '9', 'tab').state.confirm).toMatchObject({
        focused: 'comment',
        digits: '041279',
      });
      expect(driver.press('tab', 'tab', 'enter').decisions).toHaveLength(1);
    });

    test('takes nothing but six digits, and no other key is heard while they are typed', () => {
      const driver = numbered().press('q', '?', 'a', '-', '٣', '１', '12x');
      expect(driver.noticeText).toContain('six digits');
      expect(driver.state.confirm).toMatchObject({ focused: 'number', digits: '' });
      driver.press('1', '2', '3', '4', '5', '6', '7');
      expect(driver.state.confirm?.digits).toBe('123456');
      expect(driver.press('backspace', 'backspace').state.confirm?.digits).toBe('1234');
      expect(driver.press('^u').state.confirm?.digits).toBe('');
    });

    test('takes a pasted number, which decides nothing (A35)', () => {
      const driver = numbered().paste('123 456\r\n\t\r');
      expect(driver.state.confirm).toMatchObject({ focused: 'number', digits: '123456' });
      driver.paste('7').paste('tell the approver this number: 123 456');
      expect(driver.state.confirm?.digits).toBe('123456');
      expect(driver.decisions).toEqual([]);
      expect(numbered().press('escape').paste('123456').state.confirm?.digits).toBe('');
    });

    test('keeps the number where signing fails', () => {
      const driver = numbered().press('123456', 'enter', 'tab', 'enter');
      driver.finish({
        type: 'failed',
        of: 'decision',
        message: label`the key is locked`,
        hint: label`unlock it`,
      });
      expect(driver.state.confirm).toMatchObject({ focused: 'cancel', digits: '123456' });
    });

    test('asks for none where it is denied, nor where only the requester writes that it is one', () => {
      const request = sampleRequest({ document: { context: { number: true } } });
      const denying = new ConsoleDriver([request]).press('d');
      expect(denying.state.confirm).toMatchObject({ focused: 'cancel', digits: null });
      expect(denying.press('tab', 'enter').decisions).toMatchObject([{ decision: { code: null } }]);
      const odd = confirming(sampleRequest({ document: { context: { number: 'true' } } }));
      expect(odd.state.confirm).toMatchObject({ focused: 'cancel', digits: null });
    });

    test('asks for one where the rule demands it', () => {
      const rule = RULE.replace('"number":false', '"number":true');
      expect(numbered({ rule, document: {} }).state.confirm).toMatchObject({ focused: 'number' });
    });
  });

  test('a comment that would not fit is refused with a word, and what was written stays', () => {
    const driver = confirming().press('c').paste('x'.repeat(990)).paste('too much of it');
    expect(driver.state.confirm?.comment.text).toBe('x'.repeat(990));
    expect(driver.noticeText).toContain('full');
  });

  test('an error comes back to the dialog, with the comment kept and the focus on Cancel', () => {
    const driver = confirming().press('c', 'ok', 'enter', 'tab', 'enter');
    driver.finish({
      type: 'failed',
      of: 'decision',
      message: label`the key is locked`,
      hint: label`unlock it`,
    });
    expect(driver.state.confirm).toMatchObject({
      focused: 'cancel',
      isSigning: false,
      comment: { text: 'ok' },
      failure: { message: 'the key is locked' },
    });
  });

  test('while a signature is made no key is heard but Esc and those that leave', () => {
    const driver = confirming().press('tab', 'enter', 'enter', 'tab', 'enter', 'c');
    expect(driver.decisions).toHaveLength(1);
    expect(driver.state.confirm).toMatchObject({ isSigning: true, focused: 'sign' });
    driver.press('^c');
    expect(driver.effects.at(-1)).toEqual({ type: 'quit' });
  });

  test('an arrow that is pressed twice stays on its button: it never leads back to where Enter cancels', () => {
    const driver = confirming().press('right', 'right');
    expect(driver.state.confirm).toMatchObject({ focused: 'sign' });
    expect(driver.press('left', 'left').state.confirm).toMatchObject({ focused: 'cancel' });
    expect(driver.press('right', 'right', 'enter').decisions).toHaveLength(1);
  });

  test('a panel that closes says that nothing was signed', () => {
    for (const key of ['enter', 'escape']) {
      const driver = confirming().press(key);
      expect([driver.state.confirm, driver.noticeText]).toEqual([null, 'Cancelled: nothing was signed.']);
    }
  });

  test('what fails beside it does not end the wait for a signature, nor free the keys', () => {
    const driver = confirming().press('tab', 'enter');
    const failure = { message: label`no route`, hint: label`try again` };
    driver.finish({ type: 'failed', of: 'acknowledgement', ...failure });
    expect(driver.state.confirm).toMatchObject({ isSigning: true, failure: null });
    expect(driver.press('enter').decisions).toHaveLength(1);
  });

  test('a key that comes too early to do anything leaves what was said on the screen', () => {
    const driver = confirming(...three()).press('tab', 'enter');
    driver.finishAtOnce({ type: 'decided' }).type('enter').paint().type('enter');
    expect(driver.state.opened).toBeNull();
    expect(driver.noticeText).toBe('Your approval is signed and recorded.');
    expect(driver.wait(SETTLE_MS).type('j').noticeText).toBe('');
  });

  test('goes back to the queue and on to the next one that waits', () => {
    const driver = confirming(...three())
      .press('tab', 'enter')
      .finish({ type: 'decided' });
    expect(driver.state).toMatchObject({ opened: null, confirm: null, selected: sampleId(2) });
    expect(driver.noticeText).toBe('Your approval is signed and recorded.');
  });

  test('a denial needs no reading to the end, but the same steps', () => {
    const driver = new ConsoleDriver([onHost(1)], { rows: 20 }).press('d', 'tab', 'enter');
    expect(driver.decisions).toMatchObject([{ decision: { verdict: 'deny' } }]);
  });
});

describe('the queue under the cursor (A4)', () => {
  test('moves, and the selection stays with its request', () => {
    const driver = new ConsoleDriver(three()).press('j');
    driver.remove(sampleId(1)).put(onHost(0, { age: 290 }));
    expect(driver.state.selected).toBe(sampleId(2));
    driver.change(sampleId(2), { state: 'denied', endedAt: NOW });
    expect(driver.state.selected).toBe(sampleId(2));
  });

  test('loses the row just before the key: nothing opens, nothing is decided (A4)', () => {
    for (const key of ['enter', 'a', 'd']) {
      const unpainted = new ConsoleDriver(three()).remove(sampleId(1)).type(key);
      expect(unpainted.state.opened, key).toBeNull();
      const justPainted = new ConsoleDriver(three())
        .remove(sampleId(1))
        .paint()
        .wait(SETTLE_MS - 1)
        .type(key);
      expect(justPainted.state.opened, key).toBeNull();
      const settled = justPainted.wait(1).type(key);
      expect(settled.state.opened?.request.id, key).toBe(sampleId(2));
    }
  });

  test('gets an older equal ask: the one that was painted is the one that is opened and signed (A4)', () => {
    const driver = new ConsoleDriver([sampleRequest({ n: 2, age: 60 })]);
    driver.put(sampleRequest({ n: 1, age: 100 })).press('enter', 'a', 'tab', 'enter');
    expect(driver.decisions).toMatchObject([{ request: { id: sampleId(2) } }]);
  });

  test('stays with what is read while nobody waits, though somebody asks then', () => {
    const driver = new ConsoleDriver([onHost(1, opened)]).press('enter').put(onHost(2));
    expect(driver.state).toMatchObject({ selected: sampleId(1), opened: { request: { id: sampleId(1) } } });
    expect(driver.press('esc').state.selected).toBe(sampleId(1));
  });

  test('gets the first ask while nobody waited: the cursor goes there, and a key under way does not (A4)', () => {
    const driver = new ConsoleDriver([onHost(1, { state: 'denied', endedAt: NOW })])
      .put(onHost(2))
      .type('enter');
    expect(driver.state.selected).toBe(sampleId(2));
    expect(driver.state.opened).toBeNull();
  });

  test('changes while a request is read: what is signed is what was opened (A4)', () => {
    const driver = confirming(...three())
      .remove(sampleId(2))
      .put(onHost(9, { age: 299 }))
      .paint()
      .wait(1000);
    driver.press('tab', 'enter');
    expect(driver.decisions).toMatchObject([{ request: { id: sampleId(1) } }]);
  });

  test('may be opened at once on a row that the person chose, but not approved (A4)', () => {
    const opens = new ConsoleDriver(three()).type('j').paint().type('enter');
    expect(opens.state.opened?.request.id).toBe(sampleId(2));
    const decides = new ConsoleDriver(three()).type('j').paint().type('a');
    expect(decides.state.opened).toBeNull();
  });
});

describe('what cannot be decided', () => {
  const cannot = (driver: ConsoleDriver, why: string, verdict: 'approve' | 'deny' = 'approve') => {
    expect(obstacleTo(driver.state, verdict)?.words).toContain(why);
    driver.press(verdict === 'approve' ? 'a' : 'd');
    expect(driver.state.confirm).toBeNull();
    expect(driver.noticeText).toContain(why);
  };

  test('is anything while the picture is stale (A28)', () => {
    for (const verdict of ['approve', 'deny'] as const) {
      cannot(
        new ConsoleDriver([onHost(1)]).press('enter').setLink(stale).paint().wait(1000),
        'not connected',
        verdict,
      );
    }
  });

  test('is a request whose connection is lost in the confirm step, until it is back (A28)', () => {
    const driver = confirming().press('tab').setLink(stale).paint().wait(1000).press('enter');
    expect(driver.decisions).toEqual([]);
    driver.setLink({ state: 'live' }).press('enter');
    expect(driver.decisions).toHaveLength(1);
  });

  test('is a request that was decided elsewhere meanwhile, also after a reconnect (A28)', () => {
    const driver = confirming().press('tab').setLink(stale).paint();
    driver
      .change(sampleId(1), { state: 'denied', endedBy: 'denied by carol' })
      .setLink({ state: 'live' })
      .paint()
      .wait(1000);
    driver.press('enter');
    expect(driver.decisions).toEqual([]);
    expect(obstacleTo(driver.state, 'approve')?.words).toBe('it was denied (denied by carol)');
    expect(driver.press('escape').state.confirm).toBeNull();
  });

  test('is a request that the broker no longer lists', () => {
    cannot(
      new ConsoleDriver([onHost(1)]).press('enter').remove(sampleId(1)).paint().wait(1000),
      'no longer lists',
    );
  });

  test('is a document, scope or rule that is not the one of its digest (A62)', () => {
    const wrong = `sha256:${'ab'.repeat(32)}` as Digest;
    for (const lie of [
      { digest: wrong },
      { scope: wrong },
      { policy: wrong },
      { rule: '{"approvals":0}', policy: onHost(1).policy },
    ]) {
      for (const verdict of ['approve', 'deny'] as const) {
        cannot(new ConsoleDriver([onHost(1, lie)]).press('enter'), 'cannot be trusted', verdict);
      }
    }
  });

  test('is a document that is exchanged after it was opened, though its digests agree (A62)', () => {
    const driver = confirming().press('tab');
    const other = { ...onHost(1, { document: { resource: 'vault.example.com' } }), id: sampleId(1) };
    driver.put(other).paint().wait(1000).press('enter');
    expect(driver.decisions).toEqual([]);
    expect(obstacleTo(driver.state, 'approve')?.words).toContain('another document');
  });

  test('is approved with a forged voucher, but it may be denied', () => {
    const forged = new ConsoleDriver([onHost(1, { vouched: 'countersign-submit 1\n' })]).press('enter');
    cannot(forged, 'signature of the submitter');
    expect(forged.press('d').state.confirm?.verdict).toBe('deny');
  });

  test('is an ask of one’s own, or one that was signed already (A8)', () => {
    cannot(
      new ConsoleDriver([onHost(1, { document: { requester: 'bob' } })]).press('enter'),
      'somebody else',
    );
    cannot(
      new ConsoleDriver([onHost(1, { votes: [sampleVote({ approver: 'bob' as Name })] })]).press('enter'),
      'counts once',
    );
  });
});

describe('reading before approving (A1)', () => {
  const long = (rows: number) => {
    const argv = Array.from({ length: 80 }, (_, n) => `--option-${n}`);
    return new ConsoleDriver([onHost(1, { document: { details: { argv } } })], { rows }).press('enter');
  };

  test('is asked for until the last line was on the screen, and says how much is left (A1)', () => {
    const driver = long(30).press('a');
    expect(driver.state.confirm).toBeNull();
    expect(driver.noticeText).toMatch(/^\d+ more lines to read: Space$/);
    while (obstacleTo(driver.state, 'approve') !== null) driver.press('pageDown');
    expect(driver.press('a').state.confirm?.verdict).toBe('approve');
  });

  test('is not done by jumping to the end (A1)', () => {
    const driver = long(30).press('G', 'a');
    expect(driver.state.confirm).toBeNull();
    expect(driver.noticeText).toContain('more lines');
  });

  test('is not done by screens that went by unpainted (A1)', () => {
    const driver = long(30)
      .type(...Array(20).fill('pageDown'))
      .paint()
      .wait(1000)
      .press('a');
    expect(driver.state.confirm).toBeNull();
  });

  test('starts anew when the lines change with the width, and goes on when a vote comes in', () => {
    const driver = new ConsoleDriver([onHost(1)]).press('enter');
    const read = driver.state.opened?.read ?? 0;
    expect(read).toBeGreaterThan(10);
    driver.change(sampleId(1), { votes: [sampleVote()] }).paint();
    expect(driver.state.opened?.read).toBe(read);
    driver.resize(90, 20);
    expect(driver.state.opened?.read).toBe(0);
  });

  test('from a queue that stands alone, a only opens it', () => {
    const driver = new ConsoleDriver([onHost(1)], { columns: 100 }).press('a');
    expect(driver.state.confirm).toBeNull();
    expect(driver.noticeText).toContain('Read it first');
  });
});

describe('moving', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => onHost(n + 1, { age: 299 - n / 50 }));

  test('reaches both ends of ten thousand rows, and what is selected is in the window', () => {
    const driver = new ConsoleDriver(many, { rows: 40 }).press('G');
    expect(driver.state.selected).toBe(sampleId(10_000));
    expect(driver.state.top).toBe(10_000 - 17);
    driver.press('k', 'jjj', 'pageUp');
    expect(driver.state.selected).toBe(sampleId(10_000 - 17));
    driver.press('g');
    expect(driver.state).toMatchObject({ selected: sampleId(1), top: 0 });
  });

  test('back from a request is where one was', () => {
    const driver = new ConsoleDriver(three()).press('j', 'enter', 'j', 'j', 'escape');
    expect(driver.state).toMatchObject({ opened: null, selected: sampleId(2) });
  });

  test('in a terminal that is too small no key but leaving is heard', () => {
    const driver = new ConsoleDriver(three()).resize(39, 20).paint().wait(1000).press('enter', 'd', 'j');
    expect(driver.state).toMatchObject({ opened: null, selected: sampleId(1) });
    expect(driver.press('q').effects).toEqual([{ type: 'quit' }]);
  });

  test('help covers everything and only goes away', () => {
    const driver = new ConsoleDriver(three()).press('?', 'd', 'enter', 'j');
    expect(driver.state).toMatchObject({ isHelpOpen: true, opened: null, selected: sampleId(1) });
    expect(driver.press('escape').state.isHelpOpen).toBe(false);
  });
});

describe('the bell', () => {
  const rings = (driver: ConsoleDriver): number =>
    driver.effects.filter(({ type }) => type === 'ring').length;
  const quiet = () => new ConsoleDriver([onHost(1)]);

  test('rings for a new ask that somebody waits for', () => expect(rings(quiet().put(onHost(2)))).toBe(1));

  test('rings neither for what is there already, nor for equal asks, nor for an ask of one’s own (A31)', () => {
    expect(rings(quiet().change(sampleId(1), { waiting: 2 }))).toBe(0);
    expect(rings(quiet().put({ ...sampleRequest({ n: 7 }), scope: onHost(1).scope }))).toBe(0);
    expect(rings(quiet().put(onHost(2, { document: { requester: 'bob' } })))).toBe(0);
    expect(rings(quiet().put(onHost(2, { waiting: 0 })))).toBe(0);
  });

  test('rings only those whom the broker rings now, and the others once it rings them too (A31)', () => {
    const carol = ['carol' as Name];
    const driver = quiet().put(onHost(2, { ring: carol }));
    expect(rings(driver)).toBe(0);
    driver.wait(60_000).change(sampleId(2), { ring: [...carol, 'bob' as Name] });
    expect(rings(driver)).toBe(1);
    driver.wait(60_000).change(sampleId(2), { ring: null });
    expect(rings(driver)).toBe(1);
  });

  test('rings once for many that come together (A31)', () => {
    const driver = quiet();
    for (let n = 10; n < 40; n += 1) driver.put(onHost(n)).wait(20);
    expect(rings(driver)).toBe(1);
  });

  test('is silent on a stale picture and rings when what came meanwhile is seen', () => {
    const driver = quiet().setLink(stale).put(onHost(2));
    expect(rings(driver)).toBe(0);
    expect(rings(driver.setLink({ state: 'live' }))).toBe(1);
    expect(rings(driver.setLink({ state: 'live' }))).toBe(1);
  });
});

describe('a broker that was restored from a back-up', () => {
  const restoration = { backupAt: NOW - 7_200_000, restoredAt: NOW - 60_000, ended: 3 };
  const acknowledged = ({ effects }: ConsoleDriver): boolean =>
    effects.some(({ type }) => type === 'acknowledge');
  const shown = () => new ConsoleDriver([onHost(1)]).setRestoration(restoration);

  test('is told over every screen, and noted with one key that has been offered for a while', () => {
    const driver = shown();
    const banner = () =>
      bannerLines(driver.state)
        .flatMap((line) => line.map(({ text }) => text))
        .join('');
    expect(banner()).toMatch(/Restored at .* from a back-up of .*: 3 requests were ended/);
    driver.press('R');
    expect(acknowledged(driver)).toBe(true);
    driver.finish({ type: 'acknowledged' });
    expect(driver.noticeText).toContain('under your name');
    driver.setRestoration(null);
    expect(banner()).toBe('');
  });

  test('is noted by no key where there is nothing to note, nothing live, or another screen', () => {
    expect(acknowledged(new ConsoleDriver([onHost(1)]).press('R'))).toBe(false);
    expect(acknowledged(shown().setLink(stale).press('R'))).toBe(false);
    expect(acknowledged(shown().press('enter', 'R'))).toBe(false);
    expect(acknowledged(shown().press('RR', 'r'))).toBe(false);
    expect(acknowledged(shown().paste('R'))).toBe(false);
  });
});

describe('what a yes covers', () => {
  const asking = (rule = RULE.replace('"grants":null', '"grants":{"uses":0}'), duration = 3600) =>
    sampleRequest({ rule, document: { duration } });
  const choosing = (...given: Parameters<typeof asking>) =>
    new ConsoleDriver([asking(...given)]).press('enter', 'G', 'g', ' ', ' ', 'a', 'tab', 'tab');
  const covered = (driver: ConsoleDriver) =>
    driver.press('enter', 'tab', 'enter').decisions[0]?.decision.terms;

  test('is this one ask unless the approver chooses more, and never more than was asked for', () => {
    expect(covered(choosing())).toEqual({ covers: 'request', duration: 3600, uses: 1 });
    expect(covered(choosing().press('right', 'up'))).toEqual({ covers: 'request', duration: 3600, uses: 1 });
    expect(covered(choosing().press('left'))).toEqual({ covers: 'request', duration: 1800, uses: 1 });
  });

  test('is every equal ask after Space, with less time and fewer uses by the arrows', () => {
    expect(covered(choosing().press(' '))).toEqual({ covers: 'scope', duration: 3600, uses: 0 });
    expect(covered(choosing().press(' ', 'left', 'down'))).toEqual({
      covers: 'scope',
      duration: 1800,
      uses: 100,
    });
    expect(covered(choosing().press(' ', 'down', 'up', 'left', 'right'))).toEqual({
      covers: 'scope',
      duration: 3600,
      uses: 0,
    });
    expect(covered(choosing().press(' ', ' '))).toEqual({ covers: 'request', duration: 3600, uses: 1 });
  });

  test('is never a grant where the rule allows none, nor more uses than it allows', () => {
    expect(covered(choosing(RULE).press(' ', 'left'))).toEqual({
      covers: 'request',
      duration: 1800,
      uses: 1,
    });
    const five = RULE.replace('"grants":null', '"grants":{"uses":5}');
    expect(covered(choosing(five).press(' ', 'up'))?.uses).toBe(5);
    expect(covered(choosing(five).press(' ', 'down'))?.uses).toBe(3);
  });

  test('has a number of uses where no time was asked for', () => {
    const grants = RULE.replace('"grants":null', '"grants":{"uses":0}');
    expect(covered(choosing(grants, 0).press(' '))).toEqual({ covers: 'scope', duration: 0, uses: 10 });
  });
});

describe('taking an approval back (A27)', () => {
  const revoking = (given: Parameters<typeof sampleRequest>[0]) =>
    new ConsoleDriver([sampleRequest(given)]).press('enter', 'R');
  const revoked = ({ effects }: ConsoleDriver) => effects.filter(({ type }) => type === 'revoke');

  test('takes opening, R, leaving Cancel, and Enter', () => {
    for (const state of ['approved', 'active'] as const) {
      const driver = revoking({ state });
      expect(driver.state.confirm).toMatchObject({ verdict: 'revoke', focused: 'cancel', cover: null });
      expect(revoked(driver.press('tab', 'enter'))).toMatchObject([{ type: 'revoke', comment: '' }]);
      expect(driver.finish({ type: 'decided' }).noticeText).toBe('Your revocation is signed and recorded.');
    }
    expect(revoked(revoking({ state: 'active' }).press('enter'))).toEqual([]);
  });

  test('is not offered where there is nothing to take back, or the door does not end what it opened', () => {
    expect(revoking({}).noticeText).toContain('d denies it');
    expect(revoking({ state: 'denied' }).noticeText).toContain('nothing left');
    const used = revoking({ ...opened });
    expect([used.state.confirm, used.noticeText]).toEqual([
      null,
      'it was used, and host:web-1.example.com does not end what it opened',
    ]);
    expect(revoking({ ...opened, watchedAt: NOW }).state.confirm?.verdict).toBe('revoke');
    const alone = { vote: sampleVote(), opensAt: NOW, opened: true };
    expect(revoking({ ...opened, alone, report: null }).state.confirm?.verdict).toBe('revoke');
  });
});
