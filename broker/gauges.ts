import type { BrokerContext } from './context.js';
import type { MetricSources } from './metrics.js';
import { isGrantInForce } from './requests/grants.js';
import type { ServedCertificate } from './tls/served-certificate.js';

type Measured = Pick<
  BrokerContext,
  | 'store'
  | 'hub'
  | 'attendance'
  | 'notifier'
  | 'requests'
  | 'policy'
  | 'webhooks'
  | 'heads'
  | 'doors'
  | 'clock'
>;

/** Where the values of the metrics come from, read when somebody asks. */
export function gaugesOf(
  { store, hub, attendance, notifier, requests, policy, webhooks, heads, doors, clock }: Measured,
  certificate: ServedCertificate | null,
  droppedLines: () => number,
): MetricSources {
  const pending = () => store.live().filter(({ state }) => state === 'pending');
  return {
    pending: () => pending().length,
    pending_oldest_seconds() {
      const [oldest] = pending();
      return oldest === undefined ? 0 : (clock() - oldest.submittedAt) / 1000;
    },
    pending_unattended: () => pending().filter((request) => !attendance.isAttended(request)).length,
    consoles: () => hub.consoles,
    waiters: () => requests.waiters.count,
    notifications_waiting: () => notifier.state?.waiting ?? 0,
    notifications_failing: () => (notifier.state?.failing ? 1 : 0),
    reviews_open: () => store.reviews().size,
    grants: () => store.live().filter(isGrantInForce).length,
    restored: () => (store.restoration() === null ? 0 : 1),
    log_lines_dropped_total: droppedLines,
    doors_outdated: () => doors().filter(({ outdated }) => outdated).length,
    events_unsigned: () => heads.unsigned,
    policy_refused: () => (policy.source?.refused ? 1 : 0),
    policy_groups_failing: () => policy.groups.states().filter(({ failing }) => failing !== null).length,
    webhooks_refused: () => (webhooks.standing()?.refused ? 1 : 0),
    tls_certificate_expiry_seconds: () => Math.floor((certificate?.validUntil ?? 0) / 1000),
  };
}
