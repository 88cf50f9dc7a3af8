import { decisionVerb } from './decision.js';

export const verb = decisionVerb('deny');
