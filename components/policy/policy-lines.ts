import { shownTime } from '../../src/client/shown-time.js';
import type { PolicyReply } from '../../src/protocol/policy-messages.js';
import { bodyRows } from '../screen/screen-layout.js';
import { windowText } from '../screen/window-text.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { BLANK, type Line, markedSpans, span } from '../text/line.js';
import { placardLines } from '../text/line-wrapping.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { explanationLines } from './explanation-lines.js';
import { ruleLines } from './rule-lines.js';

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

/** The rules, or the explanation of a request. */
export function policyLines(state: ConsoleState, height: number): readonly Line[] {
  const { lines, top } = policyWindow(state);
  if (lines.length > 0) return lines.slice(top, top + height);
  return nothingLines(state, height);
}

/** All lines of what is looked at, and which of them are on the screen; none while it is not known. */
export function policyWindow(state: ConsoleState) {
  const { explained, reply, top } = state.policy;
  const height = bodyRows(state);
  const lines = allLines(state, explained === null ? reply : null).slice(1);
  const wanted = explained?.top ?? top;
  return { lines, height, top: Math.max(0, Math.min(wanted, lines.length - height)) };
}

function allLines(state: ConsoleState, reply: PolicyReply | null): readonly Line[] {
  const { explained } = state.policy;
  if (explained !== null)
    return explained.reply === null ? [] : explanationLines(state, explained.request, explained.reply);
  if (reply === null) return [];
  const { columns } = state.size;
  return [...standingLines(state, reply), ...orderLines(reply, columns), ...groupLines(reply, columns)];
}

function standingLines(state: ConsoleState, { policy }: PolicyReply): readonly Line[] {
  const { columns } = state.size;
  if (policy === null) {
    return [
      ...headingLines(label`No policy file`, label`the rule below is for everything`, columns),
      ...fieldLines(label`to have one`, exact('countersign serve --policy FILE'), columns, 'words'),
    ];
  }
  const style = { zone: state.display.zone, now: brokerNow(state) };
  const { file, digest, loaded, refused } = policy;
  return [
    ...headingLines(label`Policy in force`, label`requests keep the rule that they were made under`, columns),
    ...fieldLines(label`file`, exact(file), columns),
    ...fieldLines(label`digest`, exact(digest), columns),
    ...fieldLines(label`in force`, exact(`since ${shownTime(loaded, style)}`), columns),
    ...(refused === null
      ? []
      : [
          ...fieldLines(
            refused.waiting ? label`▲ waiting` : label`✗ refused`,
            [
              span(
                label`what the file holds since ${safeText(shownTime(refused.since, style), { reading: 'exact' })} is not in force`,
                refused.waiting ? 'warning' : 'danger',
              ),
            ],
            columns,
            'words',
          ),
          ...refused.mistakes.flatMap((mistake) => fieldLines(label``, exact(mistake), columns)),
        ]),
  ];
}

function orderLines({ order, policy }: PolicyReply, columns: number): readonly Line[] {
  if (order.length === 0) {
    return [
      ...headingLines(label`Rules`, label`none: the policy does not fit the roster any more`, columns),
      ...fieldLines(
        label`so`,
        [span(label`nothing is allowed, not even a change of the policy`, 'danger')],
        columns,
        'words',
      ),
      ...fieldLines(
        label`way out`,
        exact('stop the broker, then: countersign policy install FILE'),
        columns,
        'words',
      ),
    ];
  }
  const meaning = policy === null ? label`` : label`the first one that fits an ask decides`;
  return [
    ...headingLines(
      order.length === 1 ? label`1 rule` : label`${order.length} rules, in order`,
      meaning,
      columns,
    ),
    ...order.flatMap(({ rule, line }, at) => [
      ...(at === 0 ? [] : [BLANK]),
      ...ruleLines(rule, { number: at + 1, line }, columns),
    ]),
  ];
}

function groupLines({ groups, policy }: PolicyReply, columns: number): readonly Line[] {
  if (groups.length === 0) return [];
  return [
    ...headingLines(label`Groups`, label`who is in each of them now`, columns),
    ...groups.flatMap(({ name, source, members }) => {
      const state = policy?.groups.find((group) => group.name === name);
      const who: Line = members.length === 0 ? [span(label`nobody`, 'warning')] : exact(members.join(', '));
      const by: Line =
        source === 'roster'
          ? []
          : [span(label`  as ${safeText(source, { reading: 'exact' })} says`, 'muted')];
      return [
        ...fieldLines(safeText(name, { reading: 'exact' }), [...who, ...by], columns),
        ...(state === undefined || state.unknown.length === 0
          ? []
          : fieldLines(
              label``,
              [span(label`nobody of the roster: `, 'warning'), ...exact(state.unknown.join(', '))],
              columns,
            )),
        ...(state?.failing == null
          ? []
          : fieldLines(
              label``,
              [span(label`▲ its command fails: `, 'warning'), ...exact(state.failing)],
              columns,
            )),
      ];
    }),
  ];
}

function nothingLines(state: ConsoleState, height: number): readonly Line[] {
  const { policy, size } = state;
  const failure = policy.explained === null ? policy.failure : policy.explained.failure;
  const words: readonly Line[] =
    failure !== null
      ? [[span(label`✗ ${failure.message}`, 'danger')], [span(failure.hint)]]
      : isLiveLink(state)
        ? [[span(label`Asking the broker…`, 'strong')]]
        : [[span(label`Not connected: the policy is not known.`, 'warning')]];
  return placardLines(words, size.columns, height);
}

/** Why what is shown may be old. */
export function policyStatus(state: ConsoleState): Line {
  const { policy } = state;
  const failure = policy.explained === null ? policy.failure : policy.explained.failure;
  if (policyWindow(state).lines.length === 0) return BLANK;
  if (failure !== null) return [span(label`✗ ${failure.message}: this may be old`, 'danger')];
  return isLiveLink(state) ? BLANK : [span(label`As it was when the connection was lost.`, 'warning')];
}

export function policyPosition(state: ConsoleState): SafeText {
  const { lines, height, top } = policyWindow(state);
  return windowText({ top, height, total: lines.length }, state.size.columns);
}
