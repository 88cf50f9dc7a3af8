import type { Name, RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import type { Session, TokenHash } from '../store/store.js';

/** Who is calling, after authentication, whatever the transport. */
export type Principal =
  | { readonly kind: 'anonymous' }
  /** Shows an OIDC token that nobody has verified yet: reaches what the anonymous reach. The submit route verifies it. */
  | { readonly kind: 'unverified'; readonly token: string }
  /** A process of the same user, over the 0600 Unix socket. */
  | { readonly kind: 'owner' }
  | { readonly kind: 'submitter'; readonly submitter: Submitter }
  /** The holder of a watch token: speaks for one ask of one request. */
  | { readonly kind: 'asker'; readonly hash: TokenHash; readonly request: RequestId }
  | { readonly kind: 'approver'; readonly name: Name; readonly session: Session };

/** Everything that can be asked of the broker. */
export type Verb =
  | 'health.read'
  | 'broker.read'
  | 'status.read'
  | 'request.submit'
  | 'request.read'
  | 'request.redeem'
  | 'request.report'
  | 'request.watch'
  | 'request.detach'
  | 'request.decide'
  | 'request.revoke'
  | 'request.review'
  | 'canary.reveal'
  | 'canary.read'
  | 'lock.read'
  | 'lock.lift'
  | 'session.open'
  | 'request.list'
  | 'request.background'
  | 'request.explain'
  | 'request.comment'
  | 'request.escalate'
  | 'grant.read'
  | 'statistics.read'
  | 'stream.read'
  | 'restoration.acknowledge'
  | 'events.read'
  | 'hold.read'
  | 'hold.change'
  | 'outbox.read'
  | 'outbox.change'
  | 'policy.read'
  | 'roster.propose'
  | 'roster.sign'
  | 'roster.follow'
  | 'directory.read'
  | 'directory.change'
  | 'key.rotate'
  | 'webhook.test';

/**
 * Which principals reach which verb: the whole of it. `request.decide`, `request.revoke`, `request.review`, `lock.lift` and
 * `session.open` are open to anyone who reaches the broker because their bodies are signed and verified against the roster, and
 * so are `roster.sign` and `canary.reveal`. `roster.follow` is because doors have no bearer, and because the call names a signers file of this
 * roster by its digest: who can do that, has read that file.
 */
const REACH: { readonly [V in Verb]: readonly Principal['kind'][] } = {
  'health.read': ['owner'],
  'broker.read': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'status.read': ['owner', 'approver'],
  'request.submit': ['submitter'],
  'request.read': ['asker', 'approver'],
  'request.redeem': ['asker'],
  'request.report': ['asker'],
  'request.watch': ['asker'],
  'request.detach': ['asker'],
  'request.decide': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'request.revoke': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'request.review': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'canary.reveal': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'canary.read': ['approver'],
  'lock.read': ['owner', 'approver'],
  'lock.lift': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'session.open': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'request.list': ['approver'],
  'request.background': ['approver'],
  'request.explain': ['approver'],
  'request.comment': ['approver'],
  'request.escalate': ['approver'],
  'grant.read': ['approver'],
  'statistics.read': ['approver'],
  'stream.read': ['approver'],
  'restoration.acknowledge': ['approver'],
  'events.read': ['approver'],
  'hold.read': ['owner', 'approver'],
  'hold.change': ['owner'],
  'outbox.read': ['owner', 'approver'],
  'outbox.change': ['owner', 'approver'],
  'policy.read': ['owner', 'approver'],
  'roster.propose': ['owner', 'approver'],
  'roster.sign': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'roster.follow': ['anonymous', 'unverified', 'owner', 'submitter', 'asker', 'approver'],
  'directory.read': ['owner', 'approver'],
  'directory.change': ['owner', 'approver'],
  'key.rotate': ['owner'],
  'webhook.test': ['owner'],
};

/**
 * The one authorisation function, for every transport.
 *
 * @param about the request that the verb is about, where there is one.
 * @throws Problem `unauthenticated` for the anonymous and the unverified, `forbidden` for everybody else.
 */
export function authorise(principal: Principal, verb: Verb, about: RequestId | null = null): void {
  if (!REACH[verb].includes(principal.kind)) {
    if (principal.kind === 'anonymous' || principal.kind === 'unverified')
      throw new Problem('unauthenticated', `${verb} needs a credential`);
    throw new Problem('forbidden', `${verb} is not for ${principal.kind}`);
  }
  // What is open to anyone is open to an asker too; for the rest it speaks of its own request only.
  if (principal.kind === 'asker' && !REACH[verb].includes('anonymous') && principal.request !== about) {
    // The same answer as for an unknown token: an asker learns nothing about other requests.
    throw new Problem('unauthenticated', 'the watch token is not for this request');
  }
}
