import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, CLI, countersign, until } from './programs.js';
import { TmuxPane } from './tmux.js';
import { describeWith } from './tools.js';

const RESOURCE = '#(touch touched)#[bg=red]';

describeWith(['tmux'], 'a console in a tmux that stands in a terminal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-attention-'));
  const socket = join(folder, 'inner');
  const bytes = join(folder, 'bytes');
  let broker: BrokerProcess;
  /** The terminal: what it runs is a tmux of its own, in which the console runs. */
  let terminal: TmuxPane;

  beforeAll(async () => {
    broker = new BrokerProcess();
    const bobKey = await broker.enrol('bob');
    const limits = ['--action', '*', '--resource', '*', '--door', '*', '--requester', '*'];
    await broker.must('submitter', 'add', 'local', '--socket', ...limits);
    await broker.start();
    const program = `${process.execPath} ${CLI}`;
    const settings = join(folder, 'tmux.conf');
    writeFileSync(
      settings,
      `set -g status-interval 1
set -g status-right-length 100
set -g status-right '#(cd ${folder} && ${program} status --tmux) / #{?@countersign_pending,#{@countersign_pending} to sign,-}'
set -g allow-passthrough on
set -g remain-on-exit on
`,
    );
    const words = `${program} console --key ${bobKey} --url ${broker.address} --notify osc9 --tmux`;
    const inner = ['tmux', '-S', socket, '-f', settings, 'new-session', words];
    terminal = new TmuxPane(['env', '-u', 'TMUX', ...inner], broker.env, 120, 30);
    await terminal.shows('● live');
  });
  afterAll(async () => {
    try {
      execFileSync('tmux', ['-S', socket, 'kill-server']);
    } finally {
      terminal?.close();
      await broker?.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('rings the bell of its window, is announced through tmux, and counts in both status lines', async () => {
    await terminal.shows(/nothing pending \/ -/);
    terminal.record(bytes);
    const asked = ['ssh.login', '--resource', RESOURCE, '--requester', 'alice', '--door', 'demo', '--wait'];
    const asking = countersign(['request', ...asked], broker.env);
    await terminal.shows(/ 1 pending, oldest \d+s +\/ 1 to sign/);
    expect(terminal.format('#{window_bell_flag}')).toBe('1');
    expect(terminal.screen()).toContain(RESOURCE);
    const sent = await until(() => {
      const text = existsSync(bytes) ? readFileSync(bytes, 'utf8') : '';
      return text.includes('\u001b]9;') && text;
    });
    // Nothing of the request is in what calls the person (A38).
    expect(sent.match(/\u001b\]9;[^\u0007]*\u0007/g)).toEqual(['\u001b]9;countersign: 1 pending\u0007']);
    expect(existsSync(join(folder, 'touched'))).toBe(false);
    asking.child.kill();
  });

  test('takes the option away when it is left, and when its window is closed', async () => {
    const option = (): string =>
      execFileSync('tmux', ['-S', socket, 'show-options', '-gqv', '@countersign_pending'], {
        encoding: 'utf8',
      }).trim();
    expect(option()).toBe('1');
    await terminal.pressUntil('q', 'Pane is dead');
    expect(option()).toBe('');
    execFileSync('tmux', ['-S', socket, 'respawn-pane']);
    await until(() => option() === '1');
    execFileSync('tmux', ['-S', socket, 'new-window', 'cat']);
    execFileSync('tmux', ['-S', socket, 'kill-window', '-t', ':0']);
    await until(() => option() === '');
  });
});
