import type { Quorum } from '../../src/protocol/quorum.js';
import type { Rule } from '../../src/protocol/rule.js';
import type { FileApprovals, FileRule } from './file-rule.js';
import type { PolicyFile } from './policy-file.js';

const ANSWER_BY = 300;
const CLAIM_BY = 600;
const VALIDITY = 900;

/** A rule of the file as it will be pinned, with what the file leaves out. */
export function ruleOf(written: FileRule, defaults: NonNullable<PolicyFile['defaults']>): Rule {
  const { work, grants, alone, escalation, confirm } = written;
  return {
    name: written.name,
    when: conditionText(written) ?? '',
    approvals: quorumsOf(written.approvals),
    sharedRequester: written['shared-requester'] ?? defaults['shared-requester'] ?? 'one-more',
    reason: written.reason ?? null,
    ticket: written.ticket ?? null,
    answerBy: written['answer-by'] ?? defaults['answer-by'] ?? ANSWER_BY,
    claimBy: written['claim-by'] ?? defaults['claim-by'] ?? CLAIM_BY,
    longestValidity: written.validity ?? defaults.validity ?? VALIDITY,
    work: { default: work?.default ?? 0, longest: work?.longest ?? 0 },
    grants: grantsOf(grants),
    touch: written.touch ?? false,
    number: written.number ?? false,
    revokers: written.revoke ?? null,
    escalation: escalation?.map(({ after, ring }) => ({ after, groups: ring })) ?? null,
    channel: written.channel ?? null,
    alone: alone ?? null,
    ...(confirm === undefined
      ? {}
      : { confirm: { resource: confirm.resource ?? false, reason: confirm.reason ?? null } }),
  };
}

/** Null where the rule is for all asks. */
export const conditionText = ({ when }: FileRule): string | null =>
  when === undefined || when === true || when === 'true' ? null : String(when);

function quorumsOf(approvals: FileApprovals): Rule['approvals'] {
  if (approvals === 'automatic') return approvals;
  return isAny(approvals) ? approvals.any.map(quorumOf) : [quorumOf(approvals)];
}

export const isAny = (
  approvals: Exclude<FileApprovals, 'automatic'>,
): approvals is Extract<FileApprovals, { any: unknown[] }> => Array.isArray(approvals.any);

function quorumOf({ people, ...counts }: Readonly<Record<string, number>>): Quorum {
  const groups = Object.entries(counts).map(([group, count]) => ({ group, count }));
  return { people: people ?? placesOf(groups), groups };
}

export const placesOf = (groups: Quorum['groups']): number =>
  groups.reduce((sum, { count }) => sum + count, 0);

function grantsOf(grants: FileRule['grants']): Rule['grants'] {
  if (grants === undefined || grants === false || grants === 'no') return null;
  return { uses: typeof grants === 'object' ? grants.uses : 0 };
}
