import type { Name } from '../../../src/protocol/names.js';
import type { DeadLetter, SinkStanding } from '../../../src/protocol/outbox-messages.js';
import { NOW, sampleId } from '../sample-requests.js';

/** One that takes what it is sent, one that fails, one that is configured no more. */
export const sinks: readonly SinkStanding[] = [
  { sink: 'command', configured: true, waiting: 0, dead: 0, failing: null },
  {
    sink: 'webhook:siem',
    configured: true,
    waiting: 1200,
    dead: 3,
    failing: 'HTTP 503 from https://siem.example.com/in: the index is read-only',
  },
  { sink: 'webhook:old-chat', configured: false, waiting: 12, dead: 1, failing: null },
];
/** What a receiver did not take for three days. */
export const sampleLetter = (event: number, given: Partial<DeadLetter> = {}): DeadLetter => ({
  sink: 'webhook:siem',
  event,
  kind: 'request.approved',
  at: NOW - 3 * 86_400_000 - 3_600_000,
  request: sampleId(event),
  about: { requester: 'alice' as Name, action: 'ssh.login', resource: 'web-1.example.com' },
  attempts: 291,
  dead: NOW - 3_600_000,
  error:
    'HTTP 503 from https://siem.example.com/in after 3 days of tries: the index is read-only, somebody must unlock it',
  ...given,
});
export const letters = [
  sampleLetter(451),
  sampleLetter(452, { kind: 'request.reported', attempts: 1, error: 'HTTP 410: gone' }),
  sampleLetter(460, { kind: 'roster.changed', request: null, about: null }),
  sampleLetter(77, { sink: 'webhook:old-chat', dead: NOW - 40_000 }),
];
