import { shownTime } from '../../client/shown-time.js';
import type { PolicyReply } from '../../protocol/policy-messages.js';
import { knownRule } from '../../protocol/rule.js';
import { furtherWords, ruleWords } from '../../protocol/rule-words.js';
import { exact, prose } from '../output.js';

const LABEL = 12;
const field = (name: string, value: string): string => `${name.padEnd(LABEL)}${value}`.trimEnd();

/** The policy of a broker as its screen in the console shows it: what is in force, the rules in order, and who is in which group. */
export function formatPolicy(
  { policy, order, groups }: PolicyReply,
  style: { readonly zone: string; readonly now: number },
): string {
  return [
    standing(policy, style),
    order.length === 0
      ? [
          field('rules', 'none: the policy does not fit the roster any more, and nothing is allowed'),
          field('', 'stop the broker, then: countersign policy install FILE'),
        ]
      : order.flatMap(({ rule, line }, at) => [...(at === 0 ? [] : ['']), ...ruleText(rule, at + 1, line)]),
    groups.map(({ name, source, members }) => {
      const who = members.length === 0 ? 'nobody' : members.map(exact).join(', ');
      const by = source === 'roster' ? '' : ` (as ${exact(source)} says)`;
      const state = policy?.groups.find((group) => group.name === name);
      const failing = state?.failing == null ? '' : `; its command fails: ${exact(state.failing)}`;
      const unknown =
        state === undefined || state.unknown.length === 0
          ? ''
          : `; nobody of the roster: ${state.unknown.map(exact).join(', ')}`;
      return field(exact(name), `${who}${by}${unknown}${failing}`);
    }),
  ]
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n');
}

function standing(
  policy: PolicyReply['policy'],
  style: { readonly zone: string; readonly now: number },
): readonly string[] {
  if (policy === null) return [field('file', 'none: the rule below is for everything')];
  const { file, digest, loaded, refused } = policy;
  const since = refused === null ? '' : shownTime(refused.since, style);
  return [
    field('file', exact(file)),
    field('digest', digest),
    field('in force', `since ${shownTime(loaded, style)}`),
    ...(refused === null
      ? []
      : [
          field(
            refused.waiting ? 'waiting' : 'refused',
            `what the file holds since ${since} is not in force`,
          ),
          ...refused.mistakes.map((mistake) => field('', exact(mistake))),
        ]),
  ];
}

function ruleText(text: string, number: number, line: number): readonly string[] {
  const rule = knownRule(text);
  if (rule === null) return [field(`rule ${number}`, `not of this version: ${exact(text)}`)];
  const where = line === 0 ? '' : ` (line ${line})`;
  return [
    field(`rule ${number}`, `${exact(rule.name)}${where}`),
    field('  for', rule.when === '' ? 'every ask that comes so far' : exact(rule.when)),
    ...[...ruleWords(rule), ...furtherWords(rule)].map((words, at) =>
      field(at === 0 ? '  wants' : '', prose(words)),
    ),
  ];
}
