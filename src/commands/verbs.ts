import type { Verb, VerbGroup } from './verb.js';

/** Each verb is loaded only when it is called: those that draw pull in a lot. */
export const VERBS: Readonly<Record<string, () => Promise<{ readonly verb: Verb | VerbGroup }>>> = {
  up: () => import('./up.js'),
  serve: () => import('./serve.js'),
  console: () => import('./console.js'),
  request: () => import('./request.js'),
  run: () => import('./run.js'),
  wait: () => import('./wait.js'),
  cancel: () => import('./cancel.js'),
  list: () => import('./list.js'),
  show: () => import('./show.js'),
  approve: () => import('./approve.js'),
  deny: () => import('./deny.js'),
  revoke: () => import('./revoke.js'),
  sign: () => import('./sign.js'),
  unlock: () => import('./unlock.js'),
  locks: () => import('./locks.js'),
  roster: () => import('./roster.js'),
  submitter: () => import('./submitter.js'),
  policy: () => import('./policy.js'),
  broker: () => import('./broker.js'),
  status: () => import('./status.js'),
  backup: () => import('./backup.js'),
  restore: () => import('./restore.js'),
  doctor: () => import('./doctor.js'),
  config: () => import('./config.js'),
};
