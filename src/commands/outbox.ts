import * as z from 'zod';
import type { Environment } from '../client/locations.js';
import { shownTime, type TimeStyle } from '../client/shown-time.js';
import {
  type DeadLetter,
  deadLetterSchema,
  type dropBody,
  outboxChangeReply,
  outboxReply,
  type retryBody,
  type SinkStanding,
  sinkStandingSchema,
} from '../protocol/outbox-messages.js';
import { Problem } from '../protocol/problems.js';
import { type BrokerFlags, openForReading, type ReadableBroker, withBroker } from './open-broker.js';
import { exact, print, printJson, prose } from './output.js';
import { stateOf } from './status.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb, type VerbGroup } from './verb.js';

const FLAGS_HELP = `
  --key FILE      sign in with this key (COUNTERSIGN_KEY)
  --json          as JSON${BROKER_FLAGS_HELP}`;
const FLAGS = { ...BROKER_FLAGS, key: 'text', json: 'switch' } as const;

const list = defineVerb({
  help: `
Show how what leaves the broker fares: for each receiver what waits, whether it fails,
and the dead letters, which are events that were given up. A dead letter holds back the
later events of its own request, or, where it is about none, the later ones about none,
until somebody decides about it.

Usage
  countersign outbox list [--json]

Flags${FLAGS_HELP}

Examples
  countersign outbox list
  countersign outbox list --json | jq -r '.letters[] | "\\(.sink) \\(.event)"'
`,
  arguments: [],
  flags: FLAGS,
  async run({ flags, env, display: { zone } }) {
    return withBroker(openForReading(flags, env), async (broker) => {
      const { sinks, letters } = await fetchOutbox(broker);
      if (flags.json) printJson(z.encode(wholeOutbox, { sinks, letters }));
      else print(formatOutbox(sinks, letters, { zone, now: broker.clock.now() }));
      return 0;
    });
  },
});

const retry = defineVerb({
  help: `
Send a dead letter again, or all of a receiver; what was held back follows in order. A
receiver that was away is tried at once. Kept in the log.

Usage
  countersign outbox retry SINK EVENT
  countersign outbox retry SINK --all

Flags
  --all           all dead letters of this receiver${FLAGS_HELP}

Examples
  countersign outbox list
  countersign outbox retry webhook:siem 451
  countersign outbox retry webhook:siem --all
`,
  arguments: ['SINK', 'EVENT?'],
  flags: { ...FLAGS, all: 'switch' },
  async run({ arguments: [sink = '', event], flags, env }) {
    const body: z.input<typeof retryBody> = {
      sink,
      ...(flags.all ? allOf(event) : { event: numberOf(event) }),
    };
    return change('retries', body, flags, env, (letters) =>
      letters === 0 ? 'nothing was dead; what waits is tried now' : `${countOf(letters)} sent again`,
    );
  },
});

const drop = defineVerb({
  help: `
Never send an event to a receiver, or none of its dead letters; what was held back goes
on. That cannot be undone: the receiver never hears of it. The event stays in the log.

Usage
  countersign outbox drop SINK EVENT
  countersign outbox drop SINK --all
  countersign outbox drop SINK --forget

Flags
  --all           all dead letters of this receiver
  --forget        a receiver that is not configured any more, with all that waits for it;
                  one that is configured again later begins anew${FLAGS_HELP}

Examples
  countersign outbox drop webhook:siem 451
  countersign outbox drop webhook:siem --all
  countersign outbox drop webhook:former --forget
`,
  arguments: ['SINK', 'EVENT?'],
  flags: { ...FLAGS, all: 'switch', forget: 'switch' },
  async run({ arguments: [sink = '', event], flags, env }) {
    const body: z.input<typeof dropBody> = flags.forget
      ? { sink, forget: allOf(flags.all ? '--all' : event).all }
      : { sink, ...(flags.all ? allOf(event) : { event: numberOf(event) }) };
    return change('drops', body, flags, env, (letters) => `${countOf(letters)} dropped`);
  },
});

export const verb: VerbGroup = {
  help: `
Show what leaves the broker, and decide about what a receiver does not take. Over the
broker's socket anybody who may open that does so, elsewhere an approver.

Usage
  countersign outbox list          how each receiver fares, and dead letters
  countersign outbox retry SINK    send dead letters again
  countersign outbox drop SINK     never send them

Examples
  countersign outbox list
`,
  verbs: { list, retry, drop },
};

const wholeOutbox = z.object({ sinks: z.array(sinkStandingSchema), letters: z.array(deadLetterSchema) });

type OutboxFlags = BrokerFlags & { readonly key: string | undefined; readonly json: boolean };
/** All pages. */
async function fetchOutbox({ client, token }: ReadableBroker): Promise<z.output<typeof wholeOutbox>> {
  const letters: DeadLetter[] = [];
  for (let after = ''; ; ) {
    const page = await client.call(outboxReply, { method: 'GET', path: `/v1/outbox${after}`, token });
    letters.push(...page.letters);
    if (page.next === null) return { sinks: page.sinks, letters };
    after = `?after=${encodeURIComponent(page.next)}`;
  }
}

async function change(
  what: 'retries' | 'drops',
  body: z.input<typeof retryBody | typeof dropBody>,
  flags: OutboxFlags,
  env: Environment,
  words: (letters: number) => string,
): Promise<number> {
  return withBroker(openForReading(flags, env), async ({ client, token }) => {
    const call = { method: 'POST', path: `/v1/outbox/${what}`, token, body } as const;
    const { letters } = await client.call(outboxChangeReply, call);
    if (flags.json) printJson({ letters });
    else print(words(letters));
    return 0;
  });
}

function allOf(event: string | undefined): { readonly all: true } {
  if (event === undefined) return { all: true };
  throw new Problem('usage', 'say either which event, or all of them');
}

function numberOf(event: string | undefined): number {
  if (event !== undefined && /^[1-9]\d{0,14}$/.test(event)) return Number(event);
  throw new Problem('usage', 'which event is not said', {
    hint: 'give its number, as countersign outbox list shows it, or --all',
  });
}

const countOf = (letters: number): string => (letters === 1 ? '1 event' : `${letters} events`);

/** Receivers, then dead letters, one line each; what others wrote is marked where it could deceive, and never cut. */
export function formatOutbox(
  sinks: readonly SinkStanding[],
  letters: readonly DeadLetter[],
  style: TimeStyle,
): string {
  if (sinks.length === 0) return 'nothing leaves this broker: no webhook and no notification command';
  const table = formatTable([
    ['SINK', 'WAITING', 'DEAD', 'STATE'],
    ...sinks.map((sink) => [exact(sink.sink), String(sink.waiting), String(sink.dead), stateOf(sink)]),
  ]);
  if (letters.length === 0) return table;
  return `${table}\n\n${formatTable([
    ['SINK', 'EVENT', 'KIND', 'AT', 'REQUEST', 'WHAT', 'GIVEN UP', 'TRIES', 'WHY'],
    ...letters.map(({ sink, event, kind, at, request, about, dead, attempts, error }) => [
      exact(sink),
      String(event),
      exact(kind),
      shownTime(at, style),
      request ?? '-',
      about === null ? '-' : exact(`${about.requester} ${about.action} ${about.resource}`),
      shownTime(dead, style),
      String(attempts),
      prose(error),
    ]),
  ])}`;
}
