import type { Enrolled } from '../../../src/client/directory.js';
import { BROKER_SUBMITTER } from '../../../src/protocol/change-messages.js';
import type { Name } from '../../../src/protocol/names.js';
import type { Person, Submitter } from '../../../src/protocol/roster-messages.js';
import { NOW, sampleRequest } from '../sample-requests.js';

const name = (text: string): Name => text as Name;
const names = (...texts: readonly string[]): Name[] => texts.map(name);
const DAY = 86_400_000;

/** Public keys that nobody has the other half of. */
export const KEYS = {
  bob: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMi3kKQgqe9B8kXCGBKIHhw2cJFNYF2SnNFuL5KBRhLJ',
  carol: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB0HuuaU7TIZaxOKse5oCjqyq+DyM+vX5br5+H9or3w9',
  dave: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICTsW3GBiQGEO/Mp8OVBByCbFmjcGLCEWSFH8wgTIFFQ',
  host: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIErNNxz7Fql7FPCnSdJ3SdM9Iu7KD94SFfGase+gp2RU',
} as const;

export const person = (called: string, given: Partial<Person> = {}): Person => ({
  name: name(called),
  aliases: [],
  groups: [],
  keys: [{ key: KEYS.bob, validAfter: null, validBefore: null }],
  ...given,
});

export const submitter = (called: string, given: Partial<Submitter> = {}): Submitter => ({
  name: name(called),
  credential: { kind: 'key', key: KEYS.host },
  limits: { actions: ['ssh.*'], resources: [called], doors: [`host:${called}`], requesters: ['*'] },
  ...given,
});

/** Three people and four submitters, each of another kind. */
export const ENROLLED: Enrolled = {
  people: [
    person('dave', { keys: [{ key: KEYS.dave, validAfter: null, validBefore: NOW - DAY }] }),
    person('bob', { groups: names('oncall'), aliases: names('bob@example.com', 'bob-admin') }),
    person('carol', {
      groups: names('oncall', 'db'),
      keys: [{ key: KEYS.carol, validAfter: NOW - 90 * DAY, validBefore: NOW + 3.5 * DAY }],
    }),
  ],
  submitters: [
    submitter('web-1.example.com'),
    submitter('job:migrate', {
      credential: { kind: 'token', hash: 'ab'.repeat(32) },
      limits: { actions: ['db.*'], resources: ['orders'], doors: ['job:migrate'], requesters: ['alice'] },
    }),
    submitter('ci:shop', {
      credential: {
        kind: 'oidc',
        issuer: 'https://token.actions.githubusercontent.com',
        audience: 'countersign',
        claims: [
          { name: 'repository', value: 'acme/shop' },
          { name: 'environment', value: 'production' },
        ],
        requester: 'actor',
        algorithms: ['RS256'],
        ca: null,
      },
      limits: { actions: ['deploy'], resources: ['shop'], doors: ['host:deploy-1'], requesters: ['*'] },
    }),
    submitter('local', { credential: { kind: 'socket' } }),
  ],
};

/** A change of somebody's groups, which another one has to sign. */
export const groupChange = sampleRequest({
  n: 7,
  age: 40,
  submitter: BROKER_SUBMITTER,
  document: {
    action: 'roster.change',
    resource: 'person carol',
    requester: 'dave',
    details: { summary: 'groups of carol: from oncall, db to db' },
  },
});
