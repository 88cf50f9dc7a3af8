import { execFile } from 'node:child_process';
import type { Environment } from '../../client/locations.js';
import { type Finding, good, warning } from './finding.js';

const OPTIONS = [
  'bell-action',
  'monitor-bell',
  'visual-bell',
  'escape-time',
  'allow-passthrough',
  'focus-events',
] as const;
type Option = (typeof OPTIONS)[number];

/** Esc is felt as slow from here on, in ms. */
const SLOW_ESCAPE = 100;

/** The tmux around this terminal; an option that it does not know is empty. */
export interface TmuxFacts {
  readonly version: string;
  readonly options: Readonly<Record<Option, string>>;
}

/**
 * What decides whether the bell of a new request is heard, and Esc is quick. Nothing outside tmux.
 *
 * @param notify how the console calls, where that is said
 */
export function examineTmux(facts: TmuxFacts | null, notify?: string): readonly Finding[] {
  if (facts === null) return [];
  const { version, options } = facts;
  const shown = OPTIONS.filter((name) => options[name] !== '').map((name) => `${name} ${options[name]}`);
  const findings = [good(`inside tmux ${version}: ${shown.join(', ')}`)];
  const bell = options['bell-action'];
  if (!['', 'any'].includes(bell)) {
    const when = bell === 'none' ? 'no window' : bell === 'current' ? 'the window in front' : 'other windows';
    findings.push(warning(`tmux passes the bell of ${when} only`, 'tmux set -g bell-action any'));
  }
  if (['off', '0'].includes(options['monitor-bell'])) {
    findings.push(warning('tmux does not listen for bells', 'tmux set -gw monitor-bell on'));
  }
  if (['on', '1'].includes(options['visual-bell'])) {
    findings.push(warning('tmux writes a line instead of ringing the bell', 'tmux set -g visual-bell off'));
  }
  if (Number(options['escape-time']) > SLOW_ESCAPE) {
    findings.push(
      warning(
        `Esc takes ${options['escape-time']} ms, for so long tmux waits for more`,
        'tmux set -s escape-time 20',
      ),
    );
  }
  if (['osc9', 'osc777'].includes(notify ?? '') && ['off', '0'].includes(options['allow-passthrough'])) {
    findings.push(
      warning(`tmux drops the notifications of ${notify}, not the bell`, 'tmux set -g allow-passthrough on'),
    );
  }
  return findings;
}

export function tmuxFacts(env: Environment): Promise<TmuxFacts | null> {
  if (!env.TMUX) return Promise.resolve(null);
  // `#{OPTION}` is the value of the option (FORMATS, tmux(1)).
  const format = ['version', ...OPTIONS].map((name) => `#{${name}}`).join('\n');
  return new Promise((resolve) => {
    execFile('tmux', ['display-message', '-p', format], { env: { ...env } }, (error, stdout) => {
      if (error !== null) return resolve(null);
      const [version = '', ...values] = stdout.split('\n');
      const options = Object.fromEntries(OPTIONS.map((name, index) => [name, values[index] ?? '']));
      resolve({ version, options: options as Record<Option, string> });
    });
  });
}
