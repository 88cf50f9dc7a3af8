import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { policyReply } from '../../src/protocol/policy-messages.js';
import { authorise } from '../access/principal.js';
import type { BrokerContext } from '../context.js';
import { ONE_OTHER_PERSON } from '../policy/one-other-person.js';
import type { Principals } from '../roster/principals.js';

/** The policy that is in force, to be read, and who is in which group. */
export function policyRoutes(app: FastifyInstance, { policy, principals }: BrokerContext): void {
  app.get('/v1/policy', async (http) => {
    authorise(http.principal, 'policy.read');
    const standing = policy.standing();
    const current = policy.source?.current;
    const rules = current?.rules ?? [{ rule: ONE_OTHER_PERSON, line: 0 }];
    return z.encode(policyReply, {
      policy: standing === null ? null : { ...standing, text: current?.text ?? '' },
      order: rules.map(({ rule, line }) => ({ line, rule: rule.text })),
      groups: groupsOf(principals(), standing?.groups.map(({ name }) => name) ?? []),
    });
  });
}

function groupsOf(principals: Principals, declared: readonly string[]) {
  const people = [...principals.people];
  const names = new Set([...declared, ...people.flatMap(({ groups }) => groups)]);
  return [...names].sort().map((name) => ({
    name,
    source: principals.sourceOf(name),
    members: people.filter((person) => principals.isMember(person, name)).map((person) => person.name),
  }));
}
