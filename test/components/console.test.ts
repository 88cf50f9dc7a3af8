import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Problem } from '../../src/protocol/problems.js';
import { InMemoryQueue } from './in-memory-queue.js';
import { NOW, opened, sampleId, sampleRequest } from './sample-requests.js';
import { PLAIN, type ScreenOptions, TerminalScreen } from './terminal-screen.js';

// Before Ink is imported, which asks only once.
vi.hoisted(() => {
  process.env.FORCE_COLOR = '1';
  delete process.env.NO_COLOR;
});
const [RED, GREEN, CYAN] = [1, 2, 6];

const show = (connection: InMemoryQueue, options?: ScreenOptions): TerminalScreen => {
  const screen = new TerminalScreen(connection, options);
  onTestFinished(() => screen.leave());
  return screen;
};
/** Everything up to the focus on Sign, with the comment that is given. */
const confirm = async (screen: TerminalScreen, comment = ''): Promise<void> => {
  await screen.openFirstRow();
  await screen.letItSettle().readToTheEnd();
  screen.letItSettle().press('a');
  await screen.waitForContent('[ Sign approval ]');
  if (comment !== '') {
    await screen.pressAndWaitForChange('c');
    await screen.pressAndWaitForChange(comment);
    await screen.pressAndWaitForChange('Enter');
  }
  await screen.pressAndWaitForChange('Tab');
  await screen.letItSettle().waitForContent('Enter signs the approval');
};

test.each([
  ['red', 7],
  ['yellow', 0],
] as const)(
  'the name of a %s profile is written in a colour that can be read on it',
  async (colour, foreground) => {
    const screen = new TerminalScreen(new InMemoryQueue([]), {
      display: { zone: 'UTC', profile: { name: 'production', colour } },
    });
    await screen.waitForContent('countersign [production]  bob');
    expect(screen.colourOf('[production]')).toBe(foreground);
    await screen.leave();
  },
);

describe('the console on a terminal', () => {
  test('is painted anew where it was stopped from elsewhere, and once only after Ctrl-Z', async () => {
    const screen = show(new InMemoryQueue([sampleRequest()]));
    await screen.waitForContent('ssh.login');
    const paints = (): number => screen.written.split('countersign').length - 1;
    const first = paints();
    process.emit('SIGCONT', 'SIGCONT');
    await vi.waitUntil(() => paints() > first);
    const stop = vi.spyOn(process, 'kill').mockReturnValue(true);
    onTestFinished(() => stop.mockRestore());
    const stopped = paints();
    screen.press('\u001a');
    await vi.waitUntil(() => paints() > stopped);
    expect(stop).toHaveBeenCalledWith(0, 'SIGSTOP');
    const back = paints();
    process.emit('SIGCONT', 'SIGCONT');
    process.emit('SIGCONT', 'SIGCONT');
    await vi.waitUntil(() => paints() > back);
    expect(paints()).toBe(back + 1);
  });

  test('signs nothing by a key that was typed while it was stopped from elsewhere (A34)', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    const screen = show(connection);
    await confirm(screen, 'looks right');
    screen.afterInput(() => process.emit('SIGCONT', 'SIGCONT')).press('Enter');
    // The guard has begun anew.
    await screen.waitForContent(/Sign approval \] +…/);
    expect(connection.decisions).toEqual([]);
    screen.letItSettle().press('Enter');
    await screen.waitForContent('Your approval is signed and recorded.');
  });

  test('lets an approver sign, and turns the row green when the door reports (A50)', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    const screen = show(connection);
    await confirm(screen, 'looks right');
    screen.press('Enter');
    await screen.waitForContent('Your approval is signed and recorded.');
    expect(connection.decisions).toMatchObject([
      { request: { id: sampleId(1) }, verdict: 'approve', comment: 'looks right' },
    ]);
    connection.change(sampleId(1), { ...opened, report: null });
    await screen.waitForContent('no report yet');
    expect(screen.colourOf('○ approved, no report')).toBe(CYAN);
    connection.change(sampleId(1), opened);
    await screen.waitForContent('✓ opened');
    expect(screen.colourOf('opened')).toBe(GREEN);
  });

  test('shows no green for a door that refused or only watched (A50)', async () => {
    const report = (outcome: 'refused' | 'observed') => ({
      ...opened,
      report: { outcome, code: null, at: NOW },
    });
    const other = { resource: 'web-2.example.com' };
    const screen = show(
      new InMemoryQueue([
        sampleRequest({ n: 1, ...report('refused') }),
        sampleRequest({ n: 2, document: other, ...report('observed') }),
      ]),
    );
    await screen.waitForContent('observed only');
    expect(screen.colourOf('door refused')).toBe(RED);
    expect(screen.colourOf('observed only')).not.toBe(GREEN);
  });

  test('keeps the comment when signing fails, and says what to do', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    connection.answerWith(() => Promise.reject(new Problem('signing-failed', 'the agent refused to sign')));
    const screen = show(connection);
    await confirm(screen, 'looks right');
    screen.press('Enter');
    const text = await screen.waitForContent('Not signed: the agent refused to sign.');
    expect(text).toContain('check that the key is loaded in the agent');
    expect(text).toContain('looks right');
    expect(text).toContain('▸[ Cancel ]');
  });

  test('hands the terminal to a prompt, takes it back and paints everything again', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    let seen = { isAlternate: true, sigintListeners: 0 };
    const before = process.listenerCount('SIGINT');
    const screen = show(connection);
    connection.answerWith((suspend) =>
      suspend(async () => {
        await screen.waitForContent('your key needs you');
        seen = { isAlternate: screen.isAlternate, sigintListeners: process.listenerCount('SIGINT') - before };
        throw new Problem('signing-failed', 'no passphrase was given');
      }),
    );
    await confirm(screen);
    const listening = process.listenerCount('SIGINT') - before;
    screen.press('Enter');
    const text = await screen.waitForContent('no passphrase was given');
    expect(seen).toEqual({ isAlternate: false, sigintListeners: listening + 1 });
    expect(process.listenerCount('SIGINT') - before).toBe(listening);
    expect(text.split('\n')[0]).toMatch(/^ countersign .*1 pending$/);
    expect(screen.isAlternate).toBe(true);
  });

  test('says what to do about a refusal, and connects again when told to', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    const screen = show(connection, { columns: 80, rows: 24 });
    await screen.waitForContent('● live');
    const hint = 'have it enrolled: countersign roster add';
    connection.setLink({ state: 'refused', reason: 'the key is not enrolled any more', hint });
    const text = await screen.waitForContent('✗ refused');
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'Refused: the key is not enrolled any more. Decisions are off. What to do: have it enrolled: countersign roster add. Then Ctrl-R.',
    );
    screen.press('Ctrl-R');
    connection.setLink({ state: 'stale', since: NOW, retryAt: NOW + 20_000, reason: 'nobody listens' });
    expect(await screen.waitForContent('nobody listens')).toContain('Next try in 20s, Ctrl-R now.');
    screen.press('Ctrl-R');
    connection.setLink({ state: 'live' });
    await screen.waitForContent('● live');
    expect(connection.reconnects).toBe(2);
  });

  test('swallows a paste that would approve (A35)', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    const screen = show(connection);
    await screen.openFirstRow();
    await screen.letItSettle().readToTheEnd();
    screen.letItSettle().paste('a\t\r');
    await screen.waitForContent('Pasted text was ignored');
    screen.send('a\t\r');
    await screen.waitForContentToGo('Pasted text was ignored');
    screen.press('Escape');
    await screen.waitForContent('Time left');
    expect(connection.decisions).toEqual([]);
  });

  test('shows all of what is signed, and the buttons, on the smallest terminal', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    connection.answerWith(() =>
      Promise.reject(new Problem('clock-skew', 'the clock of this machine is 90 s ahead')),
    );
    const screen = show(connection, { columns: 60, rows: 15 });
    await confirm(screen, 'looks right');
    screen.press('Enter');
    const text = await screen.waitForContent('90 s ahead');
    for (const part of [
      'Approve?',
      'ssh.login on web-1.example.com',
      'alice through',
      'digest',
      '[ Sign approval ]',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('says when a request is decided elsewhere while it is confirmed, and signs nothing', async () => {
    const connection = new InMemoryQueue([sampleRequest()]);
    const screen = show(connection);
    await confirm(screen);
    connection.change(sampleId(1), { state: 'denied', endedAt: NOW, endedBy: 'denied by carol' });
    await screen.waitForContent('Nothing can be signed: it was denied (denied by carol).');
    await screen.letItSettle().waitForContent('this cannot be signed');
    screen.press('Enter');
    await screen.pressAndWaitForChange('Escape');
    expect(connection.decisions).toEqual([]);
  });

  test('draws ten thousand rows by the screenful', async () => {
    const requests = Array.from({ length: 10_000 }, (_, n) =>
      sampleRequest({ n, age: 280 - n / 50, document: { resource: `web-${n}.example.com` } }),
    );
    const screen = show(new InMemoryQueue(requests));
    await screen.waitForContent('10000 pending');
    screen.press('G');
    expect(await screen.waitForContent('web-9999.example.com')).toContain('9983 above, 0 below');
    expect(screen.written.length).toBeLessThan(30_000);
  });

  test('rings for a new ask, and carries the count in the title, cleared at the end', async () => {
    const connection = new InMemoryQueue([]);
    const screen = new TerminalScreen(connection);
    await screen.waitForContent('Nobody is waiting');
    connection.put(sampleRequest());
    await screen.waitForContent('1 pending');
    await screen.leave();
    // A BEL that ends no title.
    expect(screen.written.replaceAll(/\u001b\]2;[^\u0007]*\u0007/g, '').split('\u0007')).toHaveLength(2);
    expect(screen.written).toContain('\u001b]2;countersign: 1 pending\u0007');
    expect(screen.written).toMatch(/\u001b\[22;2t.*\u001b\[23;2t/s);
    expect(screen.isAlternate).toBe(false);
  });

  test('paints everything anew after another program wrote onto the screen', async () => {
    const screen = show(new InMemoryQueue([sampleRequest()]));
    await screen.waitForContent('● waiting');
    screen.scribble('\u001b[2J\u001b[5;30HWARNING: disk is almost full').press('Ctrl-L');
    const text = await screen.waitForContentToGo('WARNING');
    expect(text).toMatch(/^ countersign .*web-1\.example\.com/s);
  });

  test('follows the size of the terminal, and says when it is too small', async () => {
    const screen = show(new InMemoryQueue([sampleRequest()]));
    await screen.waitForContent('Preview: ');
    screen.resize(80, 24);
    await screen.waitForContentToGo('Preview: ');
    screen.resize(50, 9);
    await screen.waitForContent('● live  1 pending  (needs 40x10)');
    screen.resize(80, 24);
    await screen.waitForContent('web-1.example.com');
  });

  test('shows the line that makes a first ask so that it can be selected and pasted', async () => {
    const connection = new InMemoryQueue([]);
    connection.invitation = [
      "countersign request demo.hello --dir '/home/bob/\u202edata' \\\\",
      '--resource demo --wait',
    ];
    const text = await show(connection).waitForContent('--resource demo --wait');
    expect(text).toContain(
      "\ncountersign request demo.hello --dir '/home/bob/⟨U+202E⟩data' \\\\\n--resource demo --wait\n",
    );
  });

  test('says what it is doing before the first picture', async () => {
    const connection = new InMemoryQueue([], { state: 'connecting' });
    const screen = show(connection);
    await screen.waitForContent('Connecting to https://broker.example.com:7433');
    connection.setLink({
      state: 'refused',
      reason: 'your key was removed',
      hint: 'ask to be enrolled again',
    });
    await screen.waitForContent(
      'Refused: your key was removed. Decisions are off. What to do: ask to be enrolled again.',
    );
  });
});

describe('leaving', () => {
  test('with q settles once the alternate screen is left', async () => {
    const screen = new TerminalScreen(new InMemoryQueue([]));
    await screen.waitForContent('Nobody is waiting');
    screen.press('q');
    await screen.done;
    expect(screen.isAlternate).toBe(false);
  });

  test('by an error while drawing rejects with that error, the screen restored', async () => {
    const connection = new InMemoryQueue([]);
    const screen = new TerminalScreen(connection);
    await screen.waitForContent('Nobody is waiting');
    // No broker can send this: the reader of its messages would have refused it.
    connection.put({ ...sampleRequest(), votes: null as never });
    await expect(screen.done).rejects.toThrow(TypeError);
    expect(screen.isAlternate).toBe(false);
  });

  test('is done before it begins where there is no terminal', async () => {
    const { runConsole } = await import('../../components/run-console.js');
    const stdin = { isTTY: false } as NodeJS.ReadStream;
    await expect(
      runConsole({ connection: new InMemoryQueue([]), display: PLAIN, stdin }),
    ).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
