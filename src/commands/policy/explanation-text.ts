import type { Explanation } from '../../../broker/policy/explanation.js';
import { inWords } from '../../../broker/yaml/duration-words.js';
import { shownTime } from '../../client/shown-time.js';
import { type ExplanationReply, lookedWords } from '../../protocol/explanation.js';
import type { Quorum } from '../../protocol/quorum.js';
import { parseRule, type Rule } from '../../protocol/rule.js';
import { exact, prose } from '../output.js';

const WIDTH = 80;
const MARKS = { decides: 'yes', 'passed-over': 'no', 'no-answer': '?' } as const;

type TriedWords = ExplanationReply['tried'][number];

/** An explanation for people, 80 columns wide where the texts of others allow it. */
export const formatExplanation = (
  { tried, ...explanation }: Explanation,
  about: { readonly file: string; readonly notes: readonly string[] },
): string =>
  format(
    {
      ...explanation,
      signed: [],
      tried: tried.map(({ name, line, outcome, parts }) => ({
        name,
        line,
        outcome,
        parts: parts.map(({ values, ...part }) => ({ ...part, looked: [...lookedWords(values)] })),
      })),
    },
    about,
  );

/** The same of a request that a broker has, from what it says. */
export function formatRequestExplanation(
  { id, asked, file, tried, rule, isInForce, people, ...reply }: ExplanationReply,
  { zone, now }: { readonly zone: string; readonly now: number },
): string {
  const decides = tried.find(({ outcome }) => outcome === 'decides');
  const signed = people.filter((person) => person.signed !== null);
  const others = people.filter((person) => person.signed === null);
  return format(
    {
      ...reply,
      tried,
      rule: parseRule(rule),
      line: isInForce ? (decides?.line ?? 0) : 0,
      refusals: [],
      signed: signed.map(({ name, signed: verdict }) => ({
        name,
        verdict: verdict === 'deny' ? 'no' : 'yes',
      })),
      people: others.map(({ why, ...person }) => ({ ...person, why: why === null ? null : exact(why) })),
      missing: reply.missing.map(exact),
    },
    {
      file: file ?? 'no policy file',
      notes: [
        `${id} was asked ${shownTime(asked, { zone, now })}; rules are judged as of then`,
        ...(isInForce
          ? []
          : [
              'its rule was pinned when it was asked: the policy has changed since, or says less of this kind of ask',
            ]),
      ],
    },
  );
}

interface Explained extends Omit<Explanation, 'tried'> {
  readonly tried: readonly TriedWords[];
  readonly signed: readonly { readonly name: string; readonly verdict: string }[];
}

function format(
  { tried, rule, line, isShared, refusals, people, signed, missing, satisfiable }: Explained,
  { file, notes }: { readonly file: string; readonly notes: readonly string[] },
): string {
  const able = people.filter(({ why }) => why === null);
  const others = people.filter(({ why }) => why !== null);
  const width = Math.max(0, ...[...people, ...signed].map(({ name }) => name.length));
  const person = (name: string, text: string): string => `  ${name.padEnd(width)}  ${text}`.trimEnd();
  return [
    `rules of ${exact(file)}, in order`,
    ...tried.flatMap(formatTried),
    ...(rule === null
      ? []
      : ['', `${exact(rule.name)}${line === 0 ? '' : `, line ${line}`}`, ...ruleLines(rule, isShared)]),
    ...(signed.length === 0
      ? []
      : ['', 'have signed', ...signed.map(({ name, verdict }) => person(name, verdict))]),
    ...(able.length === 0
      ? []
      : ['', 'could sign', ...able.map(({ name, groups }) => person(name, groups.join(', ')))]),
    ...(others.length === 0
      ? []
      : ['', 'could not', ...others.map(({ name, why }) => person(name, why ?? ''))]),
    ...(missing.length === 0 ? [] : ['', 'asked for', ...missing.flatMap((text) => wrapped(text, '  '))]),
    ...(rule === null || satisfiable ? [] : ['', 'nobody can approve this now: those who could are too few']),
    ...refusals.flatMap(({ message, hint }) => [
      '',
      ...wrapped(`refused: ${prose(message)}`, ''),
      ...wrapped(prose(hint), '  '),
    ]),
    ...(notes.length === 0 ? [] : ['', ...notes.flatMap((note) => wrapped(`note: ${note}`, ''))]),
  ].join('\n');
}

function formatTried({ name, line, outcome, parts }: TriedWords): readonly string[] {
  const place = line === 0 ? '' : `  line ${line}`;
  const shown = outcome === 'decides' ? [] : parts.filter(({ holds }) => holds !== true);
  return [`  ${MARKS[outcome].padEnd(4)}${exact(name)}${place}`, ...shown.flatMap(formatPart)];
}

function formatPart({ text, holds, failure, looked }: TriedWords['parts'][number]): readonly string[] {
  return [
    ...wrapped(`${holds === null ? 'no answer' : 'not true'}: ${exact(text)}`, '        '),
    ...(failure === null ? [] : wrapped(prose(failure), '          ')),
    ...looked.flatMap((value) => wrapped(exact(value), '          ')),
  ];
}

function ruleLines(rule: Rule, isShared: boolean): readonly string[] {
  const { approvals, answerBy, claimBy, longestValidity, work, grants, escalation, alone } = rule;
  const rows: readonly (readonly [string, string | null])[] = [
    [
      'who signs',
      approvals === 'automatic' ? 'nobody: automatic' : approvals.map(quorumWords).join(', or else '),
    ],
    ['shared account', isShared && approvals !== 'automatic' ? SHARED[rule.sharedRequester] : null],
    ['reason', rule.reason === null ? null : `at least ${rule.reason} characters`],
    ['ticket', rule.ticket],
    ['answer', `within ${inWords(answerBy)}`],
    ['use', `within ${inWords(claimBy)} of the approval, ${inWords(longestValidity)} of each signature`],
    ['work', workWords(work)],
    ['approvers grant', grantWords(grants, work)],
    ['touch', rule.touch ? 'only touched security keys count' : null],
    ['number', rule.number ? 'approvers type what the requester sees' : null],
    ['confirmed by', confirmWords(rule)],
    ['who may revoke', rule.revokers === null ? null : `members of ${rule.revokers.join(', ')}`],
    [
      'rung',
      escalation?.map(({ after, groups }) => `${groups.join(', ')} after ${inWords(after)}`).join('; ') ??
        null,
    ],
    ['channel', rule.channel],
    [
      'alone',
      alone === null ? null : `members of ${alone.group}, after ${inWords(alone.delay)} without a no`,
    ],
  ];
  return rows.flatMap(([label, text]) =>
    text === null ? [] : wrapped(exact(text), '                  ', `  ${label.padEnd(16)}`),
  );
}

function confirmWords({ confirm }: Rule): string | null {
  if (confirm === undefined) return null;
  const { resource, reason } = confirm;
  return [
    ...(resource ? ['the resource, typed'] : []),
    ...(reason === null ? [] : [`a reason of at least ${reason} characters`]),
  ].join(', and ');
}

const SHARED: Readonly<Record<Rule['sharedRequester'], string>> = {
  'one-more': 'one more must sign, because the requester is not one person',
  refuse: 'only a person of the roster may ask',
  accept: 'may ask as anybody else',
};

export function quorumWords({ people, groups }: Quorum): string {
  const named = groups.map(({ group, count }) => `${count} of ${group}`).join(' and ');
  const places = groups.reduce((sum, { count }) => sum + count, 0);
  const all = people === 1 ? '1 person' : `${people} people`;
  if (groups.length === 0) return all;
  return people > places ? `${all}, among them ${named}` : named;
}

const workWords = (work: Rule['work']): string =>
  work.longest === 0
    ? 'no time may be asked for'
    : `up to ${inWords(work.longest)}, ${work.default === 0 ? 'none' : inWords(work.default)} offered first`;

function grantWords(grants: Rule['grants'], { longest }: Rule['work']): string {
  if (grants === null) return 'this ask alone';
  const time = longest === 0 ? '' : `, up to ${inWords(longest)}`;
  return `this ask, or equal ones too: ${grants.uses === 0 ? 'any number' : `${grants.uses} times`}${time}`;
}

/** Broken at blanks; a word that is too long stays whole. */
function wrapped(text: string, indent: string, first = indent): readonly string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    const isEmpty = line.trim() === '' || line === first;
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line += isEmpty && line.endsWith(' ') ? word : line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((one) => one.trimEnd());
}
