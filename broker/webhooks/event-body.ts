import type { Fingerprint } from '../../src/protocol/names.js';
import { isJsonObject, type JsonValue } from '../../src/protocol/strict-json.js';
import { formatTime } from '../../src/protocol/time.js';
import type { OutgoingMessage } from '../outbox/sender.js';
import { summaryOf } from './summary.js';

/**
 * What a receiver is sent of an event, as JSON: `{type, timestamp, data: {broker, epoch, seq, summary, request, event,
 * document}}`. `event` and `document` are the bytes of the log and those that were signed, as they are: RFC 8785 of either is the
 * same text again.
 */
export function eventBody(message: OutgoingMessage, broker: Fingerprint): string {
  const { kind, at, epoch, seq, request, body, subject } = message;
  const event: JsonValue = body === null ? {} : JSON.parse(body);
  const summary = summaryOf(kind, isJsonObject(event) ? event : {}, subject);
  const data = [
    ['broker', JSON.stringify(broker)],
    ['epoch', JSON.stringify(epoch)],
    ['seq', String(seq)],
    ['summary', JSON.stringify(summary)],
    ['request', JSON.stringify(request)],
    ['event', body ?? 'null'],
    ['document', subject?.canonical ?? 'null'],
  ].map(([name, value]) => `"${name}":${value}`);
  return `{"type":${JSON.stringify(kind)},"timestamp":"${formatTime(at)}","data":{${data.join(',')}}}`;
}
