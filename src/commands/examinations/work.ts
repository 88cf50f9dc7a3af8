import { shownTime } from '../../client/shown-time.js';
import { exact } from '../output.js';
import type { StatusReply } from '../status.js';
import { type Finding, good, note, warning, wrong } from './finding.js';

/** What only the broker knows: whether somebody is looking, and whether the doors know the people of today. */
export function examineWork(status: StatusReply | null, zone: string): readonly Finding[] {
  if (status === null) return [];
  const { consoles, doors, clock } = status;
  return [
    consoles === 0
      ? note('no console is attached: nobody sees a new request', 'countersign console')
      : good(`${consoles === 1 ? 'a console is' : `${consoles} consoles are`} attached`),
    ...examineNotification(status),
    ...examineOutbox(status),
    ...status.reviews.map(({ request, requester, resource }) =>
      warning(
        `${requester} opened ${resource} alone, and not enough others have looked at it`,
        `countersign review ${request}`,
      ),
    ),
    ...examinePolicy(status, zone),
    ...examineWebhooks(status, zone),
    ...examineUnapproved(status, zone),
    ...examineRestoration(status, zone),
    ...examineLocks(status, zone),
    ...(doors.length === 0 ? [good('no door has said yet which signers file it has')] : []),
    ...doors.map(({ door, since, outdated }) => {
      const age = `since ${shownTime(since, { zone, now: clock })}`;
      if (!outdated) return good(`${door} has the signers file of the roster, ${age}`);
      const fix = `countersign roster export --for ${door} > signers, and install it there`;
      return warning(`${door} has an old signers file, ${age}`, fix);
    }),
  ];
}

function examineNotification({ notification }: StatusReply): readonly Finding[] {
  if (notification === undefined) return [];
  if (notification === null) {
    return [
      note(
        'nobody is told of a request while no console is open',
        'countersign serve --notify-command PROGRAM',
      ),
    ];
  }
  const { failing, waiting } = notification;
  if (failing === null) return [good('the notification command works, as far as it has been run')];
  return [
    warning(
      `the notification command fails: ${failing}; ${waiting} not told`,
      'the log of the broker has what it said: journalctl -u countersign -p warning',
    ),
  ];
}

/** The command has a finding of its own. */
function examineOutbox({ outbox }: StatusReply): readonly Finding[] {
  return outbox
    .filter(({ sink }) => sink !== 'command')
    .flatMap(({ sink, configured, waiting, dead, failing }) => {
      if (!configured) {
        return [
          warning(
            `${sink} is not configured any more, and what waits for it is never erased: ${waiting + dead} events`,
            `configure it again, or forget it: countersign outbox drop ${sink} --forget`,
          ),
        ];
      }
      const given = `${dead === 1 ? '1 event, which was' : `${dead} events, which were`} given up`;
      const letters = warning(
        `${sink} did not take ${given}, with ${waiting} more waiting`,
        `countersign outbox list; then countersign outbox retry ${sink} --all, or drop`,
      );
      if (failing === null) {
        return [dead === 0 ? good(`${sink} takes what it is sent, as far as it was tried`) : letters];
      }
      return [
        warning(
          `${sink} fails: ${failing}; ${waiting} waiting`,
          `repair it, or its lines in the file of webhooks (countersign webhook test ${sink.replace('webhook:', '')}); then countersign outbox retry ${sink} --all, or wait`,
        ),
        ...(dead === 0 ? [] : [letters]),
      ];
    });
}

function examineLocks({ locks, mutes, clock }: StatusReply, zone: string): readonly Finding[] {
  const style = { zone, now: clock };
  return [
    ...locks.map(({ requester, by, since }) =>
      warning(
        `${requester} is locked since ${shownTime(since, style)}: ${by} called a request a fraud`,
        `find out who asked, then an approver lifts it: countersign unlock ${requester}`,
      ),
    ),
    ...mutes.map(({ requester, resource, until }) =>
      note(
        `${requester} may not ask for ${exact(resource)} until ${shownTime(until, style)}: denied repeatedly`,
        `an approver can lift it before: countersign unlock ${requester}`,
      ),
    ),
  ];
}

function examinePolicy({ policy, clock }: StatusReply, zone: string): readonly Finding[] {
  if (policy === null) {
    return [note('no policy file: any other person may approve anything', 'countersign serve --policy FILE')];
  }
  const { file, refused, groups } = policy;
  const failing = groups.map(({ name, failing }) =>
    failing === null
      ? good(`the command of the group ${name} answers`)
      : warning(
          `the command of the group ${name} fails: ${failing}`,
          'run it as the user of the broker; without a good answer nobody counts as a member',
        ),
  );
  if (refused === null) return [good(`the policy file ${file} is in force as it is`), ...failing];
  const since = shownTime(refused.since, { zone, now: clock });
  const [first = '', ...others] = refused.mistakes;
  const more = others.length === 0 ? '' : ` (and ${others.length} more: countersign status)`;
  if (refused.waiting) {
    return [
      warning(
        `the policy file is not in force, since ${since}: ${first}`,
        'others approve it: countersign list',
      ),
      ...failing,
    ];
  }
  return [
    wrong(
      `the policy file was refused at ${since}: ${first}${more}`,
      `correct ${file}; it is loaded when saved`,
    ),
    ...failing,
  ];
}

function examineWebhooks({ webhooks, clock }: StatusReply, zone: string): readonly Finding[] {
  if (webhooks === null || webhooks.refused === null) return [];
  const { since, mistakes } = webhooks.refused;
  return [
    wrong(
      `the file of webhooks was refused at ${shownTime(since, { zone, now: clock })}: ${mistakes[0]}`,
      `correct ${webhooks.file}, then send the broker SIGHUP: systemctl reload countersign`,
    ),
  ];
}

function examineUnapproved({ unapproved, clock }: StatusReply, zone: string): readonly Finding[] {
  if (unapproved === null) return [];
  return [
    warning(
      `people, submitters or policy were changed without approval, ${shownTime(unapproved, { zone, now: clock })}`,
      'the owner of the broker did so while it was stopped: ask why, and see /v1/events for what',
    ),
  ];
}

function examineRestoration({ restoration, clock }: StatusReply, zone: string): readonly Finding[] {
  if (restoration === null) return [];
  const { backupAt, restoredAt } = restoration;
  const style = { zone, now: clock };
  return [
    warning(
      `the broker was restored at ${shownTime(restoredAt, style)} from a back-up of ${shownTime(backupAt, style)}`,
      'check the roster for who was added or removed since, then press R in the console',
    ),
  ];
}
