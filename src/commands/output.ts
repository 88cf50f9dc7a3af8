import { safeText } from '../../components/text/safe-text.js';
import { Problem } from '../protocol/problems.js';

/** Data that was asked for: one text to stdout, ended by LF. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Resolves once what was printed has left this process: whoever ends itself by a signal would take it along. */
export const printed = (): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });

/** Data as JSON in plain ASCII: what others wrote cannot reach the terminal as anything but letters. */
export function printJson(value: unknown): void {
  print(asciiJson(value));
}

/** The same in one line. */
export function printJsonLine(value: unknown): void {
  print(asciiJson(value, 0));
}

/** @param indent spaces for each level; 0 for one line */
export function asciiJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What the user should know, beside the data: to stderr. */
export function tell(text: string): void {
  process.stderr.write(`countersign: ${text}\n`);
}

/** An error and what to do about it: to stderr. Both may quote what others wrote. */
export function tellProblem(error: unknown): void {
  const problem = asProblem(error);
  // A file has many mistakes, one a line.
  const lines = ['bad-policy', 'bad-webhooks'].includes(problem.code)
    ? problem.message.split('\n')
    : [problem.message];
  for (const line of lines) tell(`error: ${prose(line)}`);
  process.stderr.write(`hint: ${prose(problem.hint)}\n`);
}

/** Errors of the operating system that a user can act on become problems; anything else is a fault of ours. */
function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
    const isFull = ['ENOSPC', 'EDQUOT'].includes(code);
    return new Problem('usage', `${message}`, {
      hint: isFull ? 'make room there' : 'check the path and its permissions',
    });
  }
  return new Problem(
    'internal',
    error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error',
    {
      hint: 'this is a fault of countersign: please report it with the command that you ran',
    },
  );
}

/** Reasons, comments and messages, as {@link safeText} shows them. */
export const prose = (text: string): string => safeText(text, { reading: 'prose' });
/** Names, resources, details and rules, as {@link safeText} shows them. */
export const exact = (text: string): string => safeText(text, { reading: 'exact' });
