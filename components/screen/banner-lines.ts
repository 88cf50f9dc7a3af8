import { forkWords } from '../../src/client/log-standing.js';
import { shownTime } from '../../src/client/shown-time.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { unansweredBanners } from '../deciding/unanswered.js';
import { examine, voucherOf } from '../detail/examination.js';
import { queueFilterLines } from '../queue/queue-filter.js';
import { brokerNow, type ConsoleState, openedRequest, type Size } from '../state/console-state.js';
import { ageText, leftText } from '../text/clock-text.js';
import { cutLine, fitLine, type Line, span } from '../text/line.js';
import { firstRows, wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { isShort, panesOf } from './panes.js';
import type { Tone } from './theme.js';

/** One thing that must not be overlooked. */
export interface Banner {
  readonly words: SafeText;
  readonly tone: Tone;
  /** The most rows it may take, for what others can make long and a verb shows in full; without a limit where absent. */
  readonly rows?: number;
}

/** On a terminal with fewer rows each may take few, and all together a third. */
const ROOMY_ROWS = 20;
const SMALL_BANNER = 2;

/** What must not be overlooked, right below the header, over the whole width; the filter that hides a part of the queue below it. */
export function bannerLines(state: ConsoleState): readonly Line[] {
  const { columns, rows: height } = state.size;
  const most = height < ROOMY_ROWS ? SMALL_BANNER : Number.POSITIVE_INFINITY;
  const banners = [
    ...linkBanners(state),
    ...unansweredBanners(state),
    ...logBanners(state),
    ...restorationBanners(state),
    ...reviewBanners(state),
    ...restraintBanners(state),
    ...outboxBanners(state),
    ...requestBanners(state),
    ...warningBanners(state),
    ...policyBanners(state),
    ...doorBanners(state),
  ].flatMap(({ words, tone, rows }) =>
    firstRows(
      wrapLine([span(words, tone)], columns - 2, 'words'),
      Math.min(most, rows ?? most),
      columns - 2,
    ).map((line) => fitLine([span(label` `, tone), ...line], columns).map(({ text }) => span(text, tone))),
  );
  const isQueueShown =
    state.screen === 'queue' && !state.isHelpOpen && (state.opened === null || panesOf(state).isSplit);
  return [...fewBanners(banners, state.size), ...(isQueueShown ? queueFilterLines(state, columns) : [])];
}

/** On a small terminal they leave room for what they are about; that some are left out is said. */
function fewBanners(lines: readonly Line[], { columns, rows }: Size): readonly Line[] {
  const most = rows < ROOMY_ROWS ? Math.floor(rows / 3) : lines.length;
  if (lines.length <= most) return lines;
  const more = label` ▲ More warnings: make the terminal larger.`;
  return [...lines.slice(0, most - 1), cutLine([span(more, 'alarm')], columns)];
}

function linkBanners({ queue: { link }, at }: ConsoleState): readonly Banner[] {
  const prose = (text: string): SafeText => safeText(text, { reading: 'prose' });
  if (link.state === 'stale') {
    const retry =
      link.retryAt === null ? label`` : label` Next try in ${leftText(link.retryAt - at)}, Ctrl-R now.`;
    const since = ageText(at - link.since);
    return [
      {
        words: label`▲ Not connected for ${since}: ${prose(link.reason)}. You see the past; decisions are off.${retry}`,
        tone: 'alarm',
      },
    ];
  }
  if (link.state === 'refused') {
    return [
      {
        words: label`▲ Refused: ${prose(link.reason)}. Decisions are off. What to do: ${prose(link.hint)}. Then Ctrl-R.`,
        tone: 'alarm',
      },
    ];
  }
  return [];
}

/** Doors that would refuse a new approver, or still take one who has left. */
function doorBanners({ queue: { outdatedDoors } }: ConsoleState): readonly Banner[] {
  const [first, ...others] = outdatedDoors;
  if (first === undefined) return [];
  const door = safeText(first.door, { reading: 'exact' });
  const more = others.length === 0 ? label`` : label` and ${others.length} more`;
  return [
    {
      words: label`▲ Old signers file at ${door}${more}. Install the new one there: countersign roster export`,
      tone: 'warning',
    },
  ];
}

/** A policy that somebody wrote and that does not decide, and groups that nobody can be counted by. */
function policyBanners(state: ConsoleState): readonly Banner[] {
  const { policy } = state.queue;
  if (policy === null) return [];
  const banners: Banner[] = [];
  if (policy.refused !== null) {
    const { since, waiting, mistakes } = policy.refused;
    const [first = '', ...others] = mistakes;
    const now = brokerNow(state);
    const at = safeText(shownTime(since, { zone: state.display.zone, now }), { reading: 'exact' });
    const more = others.length === 0 ? label`` : label` (and ${others.length} more)`;
    banners.push({
      words: label`▲ Policy file ${waiting ? label`not in force since` : label`refused at`} ${at}, the old policy decides: ${safeText(first, { reading: 'exact' })}${more}`,
      tone: waiting ? 'warning' : 'alarm',
    });
  }
  for (const group of policy.failing) {
    banners.push({
      words: label`▲ The command of the group ${safeText(group, { reading: 'exact' })} fails: soon nobody counts as its member.`,
      tone: 'warning',
    });
  }
  return banners;
}

/** A log that is not what it was, and what keeps that from being noticed (A49). */
function logBanners({ queue: { log, link, restoration } }: ConsoleState): readonly Banner[] {
  const { fork, unkept, unsignedAfter } = log;
  const banners: Banner[] = [];
  // What a restore explains is said together with it.
  if (fork !== null && !(fork.restored && restoration !== null)) {
    banners.push({
      words: label`▲ The log of this broker is not the one seen here: ${safeText(forkWords(fork), { reading: 'prose' })}. Report it. Only if that is explained: countersign audit accept`,
      tone: 'alarm',
    });
  }
  if (unkept !== null) {
    banners.push({
      words: label`▲ A change of the log would not be noticed: ${safeText(unkept.message, { reading: 'prose' })}. To mend it: ${safeText(unkept.hint, { reading: 'prose' })}`,
      tone: unkept.isDamaged ? 'alarm' : 'warning',
    });
  }
  if (unsignedAfter !== null && fork === null && link.state === 'live') {
    banners.push({
      words: label`▲ No signed head of the log came for 5 minutes, and it has grown after entry ${unsignedAfter}: a later change of what is new would not be noticed.`,
      tone: 'warning',
    });
  }
  return banners;
}

function restorationBanners(state: ConsoleState): readonly Banner[] {
  const { display } = state;
  const { restoration } = state.queue;
  if (restoration === null) return [];
  const now = brokerNow(state);
  const at = (time: EpochMs): SafeText =>
    safeText(shownTime(time, { zone: display.zone, now }), { reading: 'exact' });
  const { backupAt, restoredAt, ended } = restoration;
  const requests = ended === 1 ? label`1 request was` : label`${ended} requests were`;
  const { fork } = state.queue.log;
  const unknown =
    fork?.restored === true
      ? label`The log is not the one seen here: ${safeText(forkWords(fork), { reading: 'prose' })}. R takes note; then countersign audit accept.`
      : label`What happened between is not known here. R takes note.`;
  return [
    {
      words: label`▲ Restored at ${at(restoredAt)} from a back-up of ${at(backupAt)}: ${requests} ended. ${unknown}`,
      tone: 'alarm',
    },
  ];
}

/** Who may not ask now, and how an approver changes that: above the queue only, because no open request is about it. */
function restraintBanners(state: ConsoleState): readonly Banner[] {
  if (state.opened !== null) return [];
  const exact = (text: string): SafeText => safeText(text, { reading: 'exact' });
  const now = brokerNow(state);
  const [lock, ...locks] = state.queue.restraints.locks;
  const [mute, ...mutes] = state.queue.restraints.mutes.filter(({ until }) => until > now);
  const more = (others: readonly unknown[]): SafeText =>
    others.length === 0 ? label`` : label` and ${others.length} more`;
  const banners: Banner[] = [];
  if (lock !== undefined) {
    const { requester, by, since } = lock;
    banners.push({
      words: label`▲ Locked as fraud by ${exact(by)} ${ageText(now - since)} ago: ${exact(requester)}${more(locks)}. To lift: countersign unlock ${exact(requester)}`,
      tone: 'warning',
      rows: 2,
    });
  }
  if (mute !== undefined) {
    const { requester, resource, until } = mute;
    banners.push({
      words: label`  Muted after denials${more(mutes)}, ${leftText(until - now)} left: ${exact(requester)} for ${exact(resource)}`,
      tone: 'muted',
      rows: 1,
    });
  }
  return banners;
}

/** What receivers of events never got: above the screens only, as no open request is about it. Their number stands in the header too. */
function outboxBanners(state: ConsoleState): readonly Banner[] {
  const { queue, opened, screen } = state;
  if (opened !== null || screen === 'outbox') return [];
  const [first, ...others] = queue.outbox.filter(({ dead }) => dead > 0);
  if (first === undefined) return [];
  const sink = safeText(first.sink, { reading: 'exact' });
  const events = first.dead === 1 ? label`1 event` : label`${first.dead} events`;
  const more = others.length === 0 ? label`` : label`, and to ${others.length} more`;
  return [
    {
      words: label`▲ Not delivered: ${events} to ${sink}${more}. Key 6 shows the dead letters.`,
      tone: 'warning',
      rows: isShort(state) ? 1 : 2,
    },
  ];
}

/** What somebody opened alone, until enough others have looked at it. */
function reviewBanners(state: ConsoleState): readonly Banner[] {
  const [first, ...others] = state.queue.openReviews;
  if (first === undefined) return [];
  const exact = (text: string): SafeText => safeText(text, { reading: 'exact' });
  const more = others.length === 0 ? label`` : label` and ${others.length} more`;
  const age = ageText(brokerNow(state) - first.openedAt);
  return [
    {
      words: label`▲ Break-glass: ${exact(first.requester)} opened ${exact(first.resource)} alone ${age} ago${more}. Two others look at it: countersign review ${exact(first.request)}`,
      tone: 'alarm',
    },
  ];
}

function warningBanners({ warnings }: ConsoleState): readonly Banner[] {
  return warnings.map((warning) => ({
    words: label`▲ ${safeText(warning, { reading: 'prose' })}`,
    tone: 'warning',
  }));
}

function requestBanners(state: ConsoleState): readonly Banner[] {
  const opened = openedRequest(state);
  if (opened === null) return [];
  const { request, isAltered } = opened;
  const banners: Banner[] = examine(request).differences.map((words) => ({
    words: label`▲ Do not sign: ${words}.`,
    tone: 'alarm',
  }));
  if (isAltered) {
    banners.push({
      words: label`▲ Do not sign: the broker now shows another document under this id.`,
      tone: 'alarm',
    });
  }
  const voucher = voucherOf(request, state.identity.pins);
  if (voucher.state === 'forged') {
    banners.push({
      words: label`▲ Signature of the submitter does not verify: ${voucher.why}.`,
      tone: 'alarm',
    });
  }
  return banners;
}
