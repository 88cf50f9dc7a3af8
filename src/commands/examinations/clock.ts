import { execFile } from 'node:child_process';
import type { EpochMs } from '../../protocol/time.js';
import { type Finding, good, warning, wrong } from './finding.js';

/** Signers' clocks further off the broker's than this are refused soon, in ms; at 60 s they are. */
const TOLERANCE = 20_000;
const LIMIT = 60_000;

export interface ClockFacts {
  readonly here: EpochMs;
  /** Null where no broker answered. */
  readonly broker: EpochMs | null;
  /** What systemd says about NTP; null where it cannot be asked. */
  readonly isSynchronised: boolean | null;
}

/** How far the two clocks are apart, and whether somebody keeps this one right. */
export function examineClock({ here, broker, isSynchronised }: ClockFacts): readonly Finding[] {
  return [
    ...(broker === null ? [] : [difference(broker - here)]),
    ...(isSynchronised === false
      ? [warning('nothing keeps the clock of this machine right', 'timedatectl set-ntp true')]
      : []),
    ...(isSynchronised === true ? [good('NTP keeps the clock of this machine right')] : []),
  ];
}

function difference(ms: number): Finding {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (Math.abs(ms) < TOLERANCE) return good(`the clocks agree within ${seconds + 1} s`);
  const which = ms > 0 ? 'behind' : 'ahead of';
  const what = `this clock is ${seconds} s ${which} the broker's; decisions are refused at ${LIMIT / 1000} s`;
  const fix = 'set up NTP on both sides';
  return Math.abs(ms) < LIMIT ? warning(what, fix) : wrong(what, fix);
}

/** timedatectl(1) has a property that says `yes` or `no`. */
export function askNtp(): Promise<boolean | null> {
  return new Promise((resolve) => {
    execFile(
      'timedatectl',
      ['show', '-p', 'NTPSynchronized', '--value'],
      { timeout: 2000 },
      (error, stdout) => {
        const said = stdout.trim();
        resolve(error === null && ['yes', 'no'].includes(said) ? said === 'yes' : null);
      },
    );
  });
}
