import { spawn } from 'node:child_process';

/** How a program on a terminal ended, and what it showed there. */
export interface Shown {
  readonly code: number | null;
  readonly shown: string;
}

/**
 * Runs a line of a shell on a real terminal, which script(1) makes, and types `answer` once it asks to confirm, or says
 * something else that it is to be answered at.
 */
export function answerOnTerminal(
  line: string,
  answer: string,
  env: Readonly<Record<string, string | undefined>>,
  question = 'anything else stops: ',
): Promise<Shown> {
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: { PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 55_000,
    killSignal: 'SIGKILL',
  });
  let shown = '';
  let isAnswered = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
    if (isAnswered || !shown.includes(question)) return;
    isAnswered = true;
    child.stdin.write(answer);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, shown: shown.replaceAll('\r\n', '\n') }));
  });
}
