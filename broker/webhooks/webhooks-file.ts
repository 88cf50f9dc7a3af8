import * as z from 'zod';
import { time, wanted } from '../yaml/time-schema.js';
import { EVENT_KINDS } from './summary.js';

/** Longest time for an answer of who validates, in seconds: doors hear of it before they give up the call that waits for it. */
export const LONGEST_VALIDATION = 3;

const NAME = 'write a name of at most 32 of a-z 0-9 -';
const name = z
  .string(wanted(NAME))
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, wanted(NAME))
  .describe('Once in this file; shown in logs, metrics and countersign outbox.');
const PATH = 'write the absolute path of a file';
const path = z
  .string(wanted(PATH))
  .max(4096, wanted(PATH))
  .regex(/^\/[^\0\n]+$/, wanted(PATH));
const ADDRESS = 'write an https address, or http://127.0.0.1:PORT/PATH';
const url = z
  .string(wanted(ADDRESS))
  .max(2048, wanted(ADDRESS))
  .refine((text) => mistakeIn(text) === null, {
    error: ({ input }) => mistakeIn(String(input)) ?? ADDRESS,
  })
  .describe('Where to: https, or http on this machine. Redirects are not followed.');

/** What is wrong with an address; never repeats it, because many hold a secret. */
function mistakeIn(text: string): string | null {
  if (!URL.canParse(text)) return ADDRESS;
  const { protocol, hostname, username, password, hash } = new URL(text);
  const isLocal = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal)) return ADDRESS;
  if (username !== '' || password !== '') return 'write it without a user: the signature says who sends';
  return hash === '' ? null : 'write it without #';
}

const KIND = 'write kinds of events, such as request.approved or request.*';
const kind = z
  .string(wanted(KIND))
  .refine((pattern) => EVENT_KINDS.some((known) => matchesKind(pattern, known)), {
    error: ({ input }) => `there is no event ${JSON.stringify(String(input).slice(0, 64))}: ${KIND}`,
  });

/** A pattern is a kind, `*`, or the beginning of kinds followed by `.*`. */
export const matchesKind = (pattern: string, known: string): boolean =>
  pattern === '*' || pattern === known || (pattern.endsWith('.*') && known.startsWith(pattern.slice(0, -1)));

const ACTION = 'write actions, such as ssh.login or ssh.*';
const action = z
  .string(wanted(ACTION))
  .regex(/^(?:[a-z0-9._@:+-]{1,128}|[a-z0-9._@:+-]{0,127}\*)$/, wanted(ACTION));

const secretFile = path.describe(
  'Holds one secret, whsec_ and base64, or two while it is changed; only the broker may read it (0600).',
);

const webhook = z.strictObject(
  {
    name,
    url,
    'secret-file': secretFile,
    events: z
      .array(kind, wanted('write a list, such as [ request.*, roster.changed ]'))
      .min(1, wanted('name an event, or leave events out for all'))
      .max(32, wanted('name at most 32 events'))
      .default(['*'])
      .describe('Kinds of events that it is sent; * ends one that stands for many. Absent: all.'),
    'ca-file': z.optional(
      path.describe('Certificates of the only CA to trust. Absent: those that Node.js ships.'),
    ),
    timeout: time(1, 30).default(10).describe('Longest time for an answer. Default 10s.'),
  },
  wanted('write { name: …, url: …, secret-file: … }'),
);

const validator = z
  .strictObject(
    {
      name,
      url,
      'secret-file': secretFile,
      'ca-file': z.optional(path.describe('Certificates of the only CA to trust; needed with https.')),
      timeout: time(1, LONGEST_VALIDATION)
        .default(LONGEST_VALIDATION)
        .describe('Longest time for an answer. Default 3s.'),
      actions: z
        .array(action, wanted('write a list, such as [ ssh.*, sudo.run ]'))
        .min(1, wanted('name an action, or leave actions out for all'))
        .max(64, wanted('name at most 64 actions'))
        .default(['*'])
        .describe('Actions for which it is asked; * ends one that stands for many. Absent: all.'),
    },
    wanted('write { name: …, url: …, secret-file: …, ca-file: … }'),
  )
  .refine((one) => one['ca-file'] !== undefined || one.url.startsWith('http:'), {
    path: ['ca-file'],
    error: 'name the CA that alone may vouch for who validates',
  });

/** The file of webhooks, as it is written. Its JSON Schema is published for editors. */
export const webhooksFileSchema = z.strictObject(
  {
    version: z.literal(1, wanted('write version: 1')).describe('Of this form: 1.'),
    webhooks: z
      .array(webhook, wanted('write a list of webhooks'))
      .max(32, wanted('write at most 32 webhooks'))
      .default([])
      .describe('Who is sent events.'),
    validate: z
      .array(validator, wanted('write a list of who validates'))
      .max(8, wanted('write at most 8 validating webhooks'))
      .default([])
      .describe('Who is asked before a new request is made. All of them must allow it.'),
  },
  wanted('write version: 1, then webhooks: or validate:'),
);

export type WebhooksFile = z.output<typeof webhooksFileSchema>;

/** The keys of each part, to say which one was meant. */
export const KEYS = {
  file: Object.keys(webhooksFileSchema.shape),
  webhooks: Object.keys(webhook.shape),
  validate: Object.keys(validator.shape),
} as const;

/** For editors: what a file may hold. */
export function webhooksJsonSchema(): object {
  return {
    title: 'Countersign webhooks',
    ...z.toJSONSchema(webhooksFileSchema, { io: 'input', target: 'draft-7' }),
  };
}
