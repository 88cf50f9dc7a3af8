import * as z from 'zod';
import { formatAddress } from '../client/address.js';
import type { Display } from '../client/display.js';
import { locate, locateBroker } from '../client/locations.js';
import { formatSpan, relativeTime, zonedTime } from '../client/shown-time.js';
import { outdatedDoorSchema } from '../protocol/door-messages.js';
import { type BearerToken, type Fingerprint, isFingerprint } from '../protocol/names.js';
import { time } from '../protocol/request-view.js';
import { type OpenBroker, openAsApprover, openBroker, withBroker } from './open-broker.js';
import { exact, print, printJson } from './output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

/** `GET /v1/status` */
export const statusReply = z.object({
  name: z.string(),
  fingerprint: z.custom<Fingerprint>(isFingerprint, 'not a fingerprint'),
  version: z.string(),
  clock: time,
  uptimeSeconds: z.int(),
  pending: z.int(),
  consoles: z.int(),
  waiters: z.int(),
  seq: z.int(),
  epoch: z.string(),
  approvers: z.int(),
  outdatedDoors: z.array(outdatedDoorSchema),
  /** When the oldest pending request was asked. */
  oldestPending: z.nullable(time),
});
export type StatusReply = z.output<typeof statusReply>;

export const verb = defineVerb({
  help: `
Say how the broker fares. Over its socket anybody who may open that is told,
elsewhere an approver.

Usage
  countersign status [--json]

Flags
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign status
  countersign status --json | jq .pending
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch' },
  async run({ flags, env, display }) {
    const isLocal = locateBroker(flags, env, locate(flags, env)).kind === 'socket';
    const opening: Promise<OpenBroker & { readonly token?: BearerToken }> = isLocal
      ? openBroker(flags, env)
      : openAsApprover(flags, env);
    return withBroker(opening, async ({ client, token }) => {
      const status = await client.call(statusReply, { method: 'GET', path: '/v1/status', token });
      if (flags.json) printJson(z.encode(statusReply, status));
      else print(formatStatus(status, formatAddress(client.address), display));
      return 0;
    });
  },
});

export function formatStatus(status: StatusReply, address: string, { profile, zone }: Display): string {
  return [
    ...(profile === null ? [] : [['profile', profile.name]]),
    ['name', exact(status.name)],
    ['address', exact(address)],
    ['fingerprint', status.fingerprint],
    ['version', exact(status.version)],
    ['clock', zonedTime(status.clock, zone)],
    ['up', formatSpan(status.uptimeSeconds * 1000)],
    ['approvers', String(status.approvers)],
    ['pending', pendingText(status)],
    ['waiting', String(status.waiters)],
    ['consoles', status.consoles === 0 ? '0: nobody sees new requests' : `${status.consoles} attached`],
    ['events', String(status.seq)],
    ...status.outdatedDoors.map(({ door, since }) => [
      'old signers',
      `${door} (since ${zonedTime(since, zone)}): countersign roster export --for ${door}`,
    ]),
  ]
    .map(([name = '', value = '']) => name.padEnd(13) + value)
    .join('\n');
}

/** Ages are by the broker's clock. */
function pendingText({ pending, oldestPending, clock }: StatusReply): string {
  return oldestPending === null
    ? String(pending)
    : `${pending}, the oldest asked ${relativeTime(oldestPending, clock)}`;
}
