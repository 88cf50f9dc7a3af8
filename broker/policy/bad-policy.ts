import { Problem } from '../../src/protocol/problems.js';
import { inOrder, listMistakes, type Mistake } from '../yaml/mistake.js';

/** A policy file that is not loaded: Problem `bad-policy` with everything that is wrong with it, in the order of lines. */
export class BadPolicy extends Problem {
  readonly file: string;
  readonly mistakes: readonly Mistake[];

  constructor(file: string, found: readonly Mistake[]) {
    const mistakes = inOrder(found);
    super('bad-policy', listMistakes(file, mistakes));
    this.file = file;
    this.mistakes = mistakes;
  }
}
