import * as z from 'zod';
import { formatAddress } from '../client/address.js';
import type { Display } from '../client/display.js';
import { readKeptLogs, standingFork } from '../client/kept-heads.js';
import { readKnownBrokers } from '../client/known-brokers.js';
import { type Environment, locate, locateBroker } from '../client/locations.js';
import { forkWords } from '../client/log-standing.js';
import { formatSpan, relativeTime, shownTime, zonedTime } from '../client/shown-time.js';
import { signedHeadSchema } from '../protocol/audit-head.js';
import { doorStandingSchema } from '../protocol/door-messages.js';
import { retentionSchema } from '../protocol/hold-messages.js';
import { type BearerToken, type Fingerprint, isFingerprint } from '../protocol/names.js';
import { type SinkStanding, sinkStandingSchema } from '../protocol/outbox-messages.js';
import { policyStandingSchema } from '../protocol/policy-messages.js';
import { Problem } from '../protocol/problems.js';
import { time } from '../protocol/request-view.js';
import { restorationSchema } from '../protocol/restoration.js';
import { lockSchema, muteSchema } from '../protocol/restraints.js';
import { openReviewSchema } from '../protocol/review.js';
import { webhooksStandingSchema } from '../protocol/webhook-messages.js';
import type { ExitCode } from './exit-code.js';
import {
  type BrokerFlags,
  type OpenBroker,
  openForReading,
  type Patience,
  withBroker,
} from './open-broker.js';
import { exact, print, printJson, prose } from './output.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb } from './verb.js';

/** `GET /v1/status` */
export const statusReply = z.object({
  name: z.string(),
  fingerprint: z.custom<Fingerprint>(isFingerprint, 'not a fingerprint'),
  version: z.string(),
  clock: time,
  uptimeSeconds: z.int(),
  pending: z.int(),
  /** Lasting grants in force. */
  grants: z.int().default(0),
  consoles: z.int(),
  waiters: z.int(),
  seq: z.int(),
  epoch: z.string(),
  approvers: z.int(),
  doors: z.array(doorStandingSchema),
  /** When the oldest pending request was asked. */
  oldestPending: z.nullable(time),
  reviews: z.array(openReviewSchema).default([]),
  restoration: z.nullable(restorationSchema).default(null),
  /** The newest signed head of the log; null where there is none yet. */
  head: z.nullable(signedHeadSchema).default(null),
  /** Whether the last try to sign one failed. */
  headFailing: z.boolean().default(false),
  locks: z.array(lockSchema).default([]),
  mutes: z.array(muteSchema).default([]),
  /** How what leaves the broker fares. */
  outbox: z.array(sinkStandingSchema).default([]),
  /** How the policy file fares; null without one. */
  policy: z.nullable(policyStandingSchema).default(null),
  /** How the file of webhooks fares; null without one. */
  webhooks: z.nullable(webhooksStandingSchema).default(null),
  /** When people, submitters or policy were last changed without approval; null where that is long ago. */
  unapproved: z.nullable(time).default(null),
  /** How the notification command fares; null without one. */
  retention: retentionSchema.default({ keep: null, behind: 0, holds: [] }),
  notification: z.optional(z.nullable(z.object({ waiting: z.int(), failing: z.nullable(z.string()) }))),
});
export type StatusReply = z.output<typeof statusReply>;

export const verb = defineVerb({
  help: `
Say how the broker fares. Over its socket anybody who may open that is told,
elsewhere an approver.

Usage
  countersign status [--short | --tmux | --json]

Flags
  --short         one line for a status bar: "nothing pending", "2 pending, oldest 4m",
                  or why that cannot be known: "down", "broker unknown", "unknown key".
                  It asks for no passphrase and pins no new broker. Exits with 0 or 1.
  --tmux          the same for status-right of tmux: with colours, and without any
                  character that tmux would take for a format
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign status
  countersign status --json | jq .pending
  tmux set -g status-right '#(countersign status --tmux)'
`,
  arguments: [],
  flags: { ...BROKER_FLAGS, key: 'text', json: 'switch', short: 'switch', tmux: 'switch' },
  async run({ flags, env, display }) {
    if ([flags.short, flags.tmux, flags.json].filter(Boolean).length > 1) {
      throw new Problem('usage', '--short, --tmux and --json exclude each other');
    }
    if (flags.short) return printShort(flags, env, display, (words) => words);
    if (flags.tmux) return printShort(flags, env, display, forTmux);
    return withBroker(openForReading(flags, env), async (broker) => {
      const status = await fetchStatus(broker);
      const address = formatAddress(broker.client.address);
      if (flags.json) printJson(z.encode(statusReply, status));
      else {
        print(formatStatus(status, address, display, await logTrouble(broker, address)));
      }
      return 0;
    });
  },
});

type StatusFlags = BrokerFlags & { readonly key: string | undefined };

/** A status bar asks again soon: it neither waits long nor leaves sessions behind. */
const SHORT: Patience = { timeout: 3000, sessionLife: 60_000, mayAsk: false };

interface LogTrouble {
  /** What was kept cannot be read any more; else it is another log than was kept. */
  readonly isDamage: boolean;
  readonly words: string;
}

/** What a console or a comparison found here before; also that this cannot be read any more. */
async function logTrouble({ locations, pins }: OpenBroker, address: string): Promise<LogTrouble | null> {
  try {
    const fork = standingFork(await readKeptLogs(locations.config), { address, pins });
    return fork === null ? null : { isDamage: false, words: forkWords(fork) };
  } catch (error) {
    if (error instanceof Problem) return { isDamage: true, words: error.message };
    throw error;
  }
}

/** @throws Problem `forbidden`, `broker-unreachable`, `broker-reply` */
export function fetchStatus({
  client,
  token,
}: Pick<OpenBroker, 'client'> & { readonly token?: BearerToken | undefined }): Promise<StatusReply> {
  return client.call(statusReply, { method: 'GET', path: '/v1/status', token });
}

/** How a status bar shows words that call for a person, or for nobody. */
type Dress = (words: string, mood: 'calm' | 'pending' | 'unknown') => string;

async function printShort(
  flags: StatusFlags,
  env: Environment,
  { profile }: Display,
  dress: Dress,
): Promise<ExitCode> {
  const name = profile === null ? '' : `${profile.name}: `;
  try {
    await checkPinnedBefore(flags, env);
    return await withBroker(openForReading(flags, env, SHORT), async (broker) => {
      const status = await fetchStatus(broker);
      print(dress(name + shortStatus(status), status.pending === 0 ? 'calm' : 'pending'));
      return 0;
    });
  } catch (error) {
    print(dress(name + shortFailure(error), 'unknown'));
    throw error;
  }
}

/** Nobody reads what a status bar says about a new broker, so it must not be the one that pins it. */
async function checkPinnedBefore(flags: StatusFlags, env: Environment): Promise<void> {
  const locations = locate(flags, env);
  const address = locateBroker(flags, env, locations);
  if (address.kind === 'socket') return;
  if ((await readKnownBrokers(locations.config)).has(formatAddress(address))) return;
  throw new Problem('broker-unknown', `the broker at ${formatAddress(address)} was never reached from here`);
}

/** What fits into a status bar. */
export function shortStatus({ pending, oldestPending, clock }: StatusReply): string {
  if (oldestPending === null) return 'nothing pending';
  return `${pending} pending, oldest ${formatSpan(clock - oldestPending)}`;
}

/**
 * Words for a `#( )` of tmux, which reads what comes out of it as a format once more: as `#{ }`, `#( )`, `#[ ]` and as a time
 * with `%`. Doubling would be undone there, so what is not plain becomes `?`.
 */
export const forTmux: Dress = (words, mood) => {
  const plain = words.replaceAll(/[^A-Za-z0-9 ,.:_-]/g, '?');
  switch (mood) {
    case 'calm':
      return plain;
    case 'pending':
      return `#[fg=black,bg=yellow] ${plain} #[default]`;
    case 'unknown':
      return `#[fg=white,bg=red] ${plain} #[default]`;
  }
};

/** Why a status is not known, in the words of our own table and in nobody else's. */
export function shortFailure(error: unknown): string {
  if (!(error instanceof Problem)) return 'error';
  return ['broker-unreachable', 'draining'].includes(error.code) ? 'down' : error.code.replaceAll('-', ' ');
}

/** @param trouble what is wrong with the log, as far as it was seen here */
export function formatStatus(
  status: StatusReply,
  address: string,
  { profile, zone }: Display,
  trouble: LogTrouble | null = null,
): string {
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
    ['grants', status.grants === 0 ? '0' : `${status.grants} in force: countersign grants`],
    ['waiting', String(status.waiters)],
    ['consoles', status.consoles === 0 ? '0: nobody sees new requests' : `${status.consoles} attached`],
    ['notify', notifyText(status)],
    ...outboxRows(status),
    ...policyRows(status, zone),
    ...webhookRows(status, zone),
    ...unapprovedRows(status, zone),
    ['events', eventsText(status)],
    ...logRows(trouble),
    ...retentionRows(status),
    ...status.doors
      .filter(({ outdated }) => outdated)
      .map(({ door, since }) => [
        'old signers',
        `${door}, since ${shownTime(since, { zone, now: status.clock })}: countersign roster export --for ${door}`,
      ]),
    ...restraintRows(status, zone),
    ...reviewRows(status, zone),
    ...restorationRows(status, zone),
  ]
    .map(([name = '', value = '']) => name.padEnd(13) + value)
    .join('\n');
}

function logRows(trouble: LogTrouble | null): readonly string[][] {
  if (trouble === null) return [];
  const { isDamage, words } = trouble;
  const row = isDamage ? ['kept heads', words] : ['LOG FORKED', `${words}: countersign audit accept`];
  return [row.map(exact)];
}

function eventsText({ seq, head, headFailing }: StatusReply): string {
  const signed = head === null ? 'no head signed yet' : `signed up to ${head.seq}`;
  return `${seq}, ${signed}${headFailing ? '; SIGNING FAILS: see the log of the broker' : ''}`;
}

/** Ages are by the broker's clock. */
function pendingText({ pending, oldestPending, clock }: StatusReply): string {
  return oldestPending === null
    ? String(pending)
    : `${pending}, the oldest asked ${relativeTime(oldestPending, clock)}`;
}

function notifyText({ notification }: StatusReply): string {
  if (!notification) return 'no command: nobody is told when no console is open';
  const { waiting, failing } = notification;
  if (failing === null) return `by the command, ${waiting} waiting`;
  return `FAILING: ${exact(failing)}, ${waiting} waiting; see the log of the broker`;
}

/** The command has a row of its own. */
function outboxRows({ outbox }: StatusReply): readonly string[][] {
  return outbox
    .filter(({ sink }) => sink !== 'command')
    .map((standing) => {
      const { sink, waiting, dead } = standing;
      const letters = dead === 0 ? '' : `; ${dead} DEAD: countersign outbox list`;
      return ['outbox', `${exact(sink)}: ${waiting} waiting, ${stateOf(standing)}${letters}`];
    });
}

/** How one receiver fares, in words. */
export function stateOf({ sink, configured, failing }: SinkStanding): string {
  if (!configured) return `not configured any more: countersign outbox drop ${exact(sink)} --forget`;
  return failing === null ? 'ok' : `FAILING: ${prose(failing)}`;
}

function restraintRows({ locks, mutes, clock }: StatusReply, zone: string): readonly string[][] {
  const style = { zone, now: clock };
  return [
    ...locks.map(({ requester, by, since }) => [
      'locked',
      `${requester}, since ${shownTime(since, style)}, by ${by}: countersign unlock ${requester}`,
    ]),
    ...mutes.map(({ requester, resource, until }) => [
      'muted',
      `${requester} for ${exact(resource)}, until ${shownTime(until, style)}`,
    ]),
  ];
}

function reviewRows({ reviews, clock }: StatusReply, zone: string): readonly string[][] {
  return reviews.map(({ request, requester, resource, openedAt, signed }) => [
    'review',
    `${exact(requester)} opened ${exact(resource)} alone at ${shownTime(openedAt, { zone, now: clock })}, ${signed.length} looked at it: countersign review ${request}`,
  ]);
}

/** From which lag on it is told, in ms: less comes of every night without the broker. */
const TOLD_LAG = 2 * 86_400_000;

function retentionRows({ retention: { keep, behind, holds } }: StatusReply): readonly string[][] {
  const lag =
    behind < TOLD_LAG
      ? ''
      : `, and goes by a time that is ${formatSpan(behind)} behind: it does not follow when the clock leaps`;
  return [
    [
      'kept',
      keep === null
        ? 'all requests, for ever'
        : `requests for ${formatSpan(keep * 1000)} after their end${lag}`,
    ],
    ...(holds.length === 0 ? [] : [['held', `${holds.join(', ')}: countersign audit hold list`]]),
  ];
}

function policyRows({ policy, clock }: StatusReply, zone: string): readonly string[][] {
  if (policy === null) return [['policy', 'no file: one other person is enough for anything']];
  const { file, rules, loaded, groups, refused } = policy;
  const style = { zone, now: clock };
  const count = rules === 1 ? '1 rule' : `${rules} rules`;
  return [
    ['policy', `${exact(file)}: ${count}, loaded ${shownTime(loaded, style)}`],
    ...(refused === null
      ? []
      : [
          [
            '',
            `${refused.waiting ? 'WAITING' : 'REFUSED'} since ${shownTime(refused.since, style)}: what was loaded before stays in force`,
          ],
          ...refused.mistakes.map((mistake) => ['', exact(mistake)]),
        ]),
    ...groups.map(({ name, members, unknown, failing }) => {
      const strangers = unknown.length === 0 ? '' : `; not in the roster: ${unknown.join(', ')}`;
      const who = members.length === 0 ? 'nobody' : members.join(', ');
      return [`  ${name}`, failing === null ? who + strangers : `${who}; FAILING: ${exact(failing)}`];
    }),
  ];
}

/** What is sent and what was not is the outbox's to tell; here is whether the file is the one that counts. */
function webhookRows({ webhooks, clock }: StatusReply, zone: string): readonly string[][] {
  if (webhooks === null || webhooks.refused === null) return [];
  const since = shownTime(webhooks.refused.since, { zone, now: clock });
  return [
    ['webhooks', `REFUSED since ${since}: what was loaded before stays`],
    ...webhooks.refused.mistakes.map((mistake) => ['', exact(mistake)]),
  ];
}

function unapprovedRows({ unapproved, clock }: StatusReply, zone: string): readonly string[][] {
  if (unapproved === null) return [];
  const at = shownTime(unapproved, { zone, now: clock });
  return [
    ['unapproved', `people, submitters or policy were changed without approval, ${at}; the log says what`],
  ];
}

function restorationRows({ restoration, clock }: StatusReply, zone: string): readonly string[][] {
  if (restoration === null) return [];
  const { backupAt, restoredAt, ended } = restoration;
  const style = { zone, now: clock };
  return [
    [
      'restored',
      `${shownTime(restoredAt, style)} from a back-up of ${shownTime(backupAt, style)}; requests ended: ${ended}`,
    ],
    ['', 'not acknowledged yet: an approver presses R in the console'],
  ];
}
