import { describe, expect, test } from 'vitest';
import { PROBLEMS, Problem, type ProblemCode, toProblemDocument } from '../../src/protocol/problems.js';

const codes = Object.keys(PROBLEMS) as ProblemCode[];

describe('the table of problems', () => {
  test.each(codes)('%s has a status, and a hint in one line', (code) => {
    const { status, hint } = PROBLEMS[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    // A shell shows the hint as it stands.
    expect(hint).toMatch(/^[\x20-\x7e]{4,120}$/);
    expect(hint).not.toMatch(/^[A-Z][a-z]|\.$|^\s|\s$/);
    expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
    expect(code.length).toBeLessThanOrEqual(64);
  });

  test('codes and statuses are stable: scripts match on them', () => {
    expect(codes.map((code) => `${PROBLEMS[code].status} ${code}`).sort()).toMatchSnapshot();
  });
});

describe('a problem document', () => {
  test('says what happened and what to do', () => {
    expect(toProblemDocument(new Problem('denied', 'denied by bob'))).toEqual({
      type: 'about:blank',
      title: 'denied',
      status: 403,
      code: 'denied',
      detail: 'denied by bob',
      hint: 'an approver said no',
    });
  });

  test('may carry a hint of its own', () => {
    const problem = new Problem('unknown-key', 'no such key', { hint: 'enrol it' });
    expect(toProblemDocument(problem).hint).toBe('enrol it');
  });

  test.each([new Error('SELECT * FROM secrets'), 'text', null, undefined, { code: 'denied', message: 'x' }])(
    'tells nothing of an unexpected error: %s',
    (error) => {
      expect(toProblemDocument(error)).toEqual({
        type: 'about:blank',
        title: 'internal',
        status: 500,
        code: 'internal',
        detail: 'internal error',
        hint: PROBLEMS.internal.hint,
      });
    },
  );

  test('keeps the cause for the log, and out of the document', () => {
    const problem = new Problem('storage-failed', 'the commit failed', {
      cause: new Error('disk I/O error'),
    });
    expect((problem.cause as Error).message).toBe('disk I/O error');
    expect(JSON.stringify(toProblemDocument(problem))).not.toContain('disk I/O');
    expect('cause' in new Problem('denied', 'x')).toBe(false);
  });
});
