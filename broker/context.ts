import type { Logger } from 'pino';

import type { DoorStanding } from '../src/protocol/door-messages.js';

import type { EpochMs } from '../src/protocol/time.js';
import type { RateLimiter } from './access/rate-limiter.js';
import type { Sessions } from './access/sessions.js';
import type { Heads } from './audit/heads.js';
import type { BrokerKeys } from './broker-keys.js';
import type { Changes } from './changes/changes.js';
import type { Metrics } from './metrics.js';
import type { Attendance } from './notify/attendance.js';
import type { Notifier } from './notify/notifier.js';
import type { Rings } from './notify/rings.js';
import type { OidcTokens } from './oidc/oidc-tokens.js';
import type { Limits } from './options.js';
import type { Outbox } from './outbox/outbox.js';
import type { RunningPolicy } from './policy-file/running-policy.js';
import type { Requests } from './requests/requests.js';
import type { Retention } from './retention/retention.js';
import type { Principals } from './roster/principals.js';
import type { Store } from './store/store.js';
import type { StreamHub } from './stream/hub.js';
import type { RunningWebhooks } from './webhooks/running-webhooks.js';

/** The parts of a running broker that its interfaces reach. Put together in broker.ts. */
export interface BrokerContext {
  readonly name: string;
  readonly keys: BrokerKeys;
  readonly version: string;
  readonly startedAt: EpochMs;
  readonly limits: Limits;
  readonly store: Store;
  readonly requests: Requests;
  readonly heads: Heads;
  readonly policy: RunningPolicy;
  readonly webhooks: RunningWebhooks;
  readonly changes: Changes;
  readonly sessions: Sessions;
  readonly oidc: OidcTokens;
  readonly hub: StreamHub;
  readonly attendance: Attendance;
  readonly notifier: Notifier;
  readonly outbox: Outbox;
  readonly rings: Rings;
  readonly retention: Retention;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Calls by principal, and all calls by address. */
  readonly rates: RateLimiter;
  readonly addressRates: RateLimiter;
  readonly principals: () => Principals;
  /** Doors that said which signers file they have. */
  readonly doors: () => readonly DoorStanding[];
  readonly clock: () => EpochMs;
  readonly isDraining: () => boolean;
}
