import * as z from 'zod';
import { isName, type Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { EpochMs } from '../protocol/time.js';

/** Whose turn is asked for: a schedule, or one level of an escalation policy. */
export type Rota =
  | { readonly kind: 'schedule'; readonly id: string }
  | { readonly kind: 'escalation-policy'; readonly id: string; readonly level: number };

/** Fetches one path of the API as JSON; null where there is nothing at it (404). */
export type Ask = (path: string) => Promise<unknown>;

const reference = z.object({ id: z.string() });
const instant = z.nullable(z.iso.datetime({ offset: true }).transform((text): EpochMs => Date.parse(text)));

/** `GET /oncalls?include[]=users`, as far as it matters here. */
const oncallsReply = z.object({
  oncalls: z.array(
    z.object({
      user: z.object({ id: z.string(), email: z.string() }),
      schedule: z.nullish(reference),
      escalation_policy: reference,
      escalation_level: z.int(),
      start: instant,
      end: instant,
    }),
  ),
  more: z.boolean(),
});

const PAGE = 100;
const MOST_PAGES = 20;

/**
 * Who is on call now, by e-mail address in lower case. Nobody is an answer too, of a rota that exists.
 *
 * @throws Problem `schedule-refused` for a rota that does not exist, and for a reply that speaks of another one or of another
 *   time, or cannot be read
 */
export async function onCall(rota: Rota, now: EpochMs, ask: Ask): Promise<readonly Name[]> {
  const filter = rota.kind === 'schedule' ? 'schedule_ids[]' : 'escalation_policy_ids[]';
  const names = new Set<Name>();
  let found = 0;
  for (let page = 0; ; page += 1) {
    if (page === MOST_PAGES) throw refused('more people are on call than can be read');
    const query = new URLSearchParams({
      [filter]: rota.id,
      'include[]': 'users',
      limit: String(PAGE),
      offset: String(page * PAGE),
    });
    const { oncalls, more } = parse(oncallsReply, await ask(`/oncalls?${query}`));
    for (const { user, escalation_level, start, end, ...turn } of oncalls) {
      found += 1;
      const owner = rota.kind === 'schedule' ? turn.schedule : turn.escalation_policy;
      if (owner?.id !== rota.id) throw refused('PagerDuty answers with turns of another rota');
      if ((start !== null && start > now) || (end !== null && end <= now)) {
        throw refused('PagerDuty answers with turns of another time: compare the clocks');
      }
      if (rota.kind === 'schedule' || escalation_level === rota.level) names.add(nameOf(user.email));
    }
    if (!more) break;
  }
  if (found === 0) await checkExists(rota, ask);
  return [...names].sort();
}

async function checkExists(rota: Rota, ask: Ask): Promise<void> {
  const isSchedule = rota.kind === 'schedule';
  const reply = await ask(
    `/${isSchedule ? 'schedules' : 'escalation_policies'}/${encodeURIComponent(rota.id)}`,
  );
  const named = z.object({ [isSchedule ? 'schedule' : 'escalation_policy']: reference }).safeParse(reply);
  if (!named.success) throw refused(`PagerDuty knows no ${rota.kind} ${JSON.stringify(rota.id)}`);
}

function parse<Output>(schema: z.ZodType<Output>, reply: unknown): Output {
  const { data, error } = schema.safeParse(reply);
  if (error === undefined) return data;
  const at = error.issues[0]?.path.join('.') ?? '';
  throw refused(`the reply of PagerDuty cannot be read at ${JSON.stringify(at)}`);
}

function nameOf(email: string): Name {
  const name = email.toLowerCase();
  if (isName(name)) return name;
  throw refused(`${JSON.stringify(email)} is no e-mail address that can be a name`);
}

const refused = (what: string): Problem => new Problem('schedule-refused', what);
