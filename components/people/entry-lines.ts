import type {
  Person,
  PersonKey,
  Submitter,
  SubmitterCredential,
} from '../../src/protocol/roster-messages.js';
import { brokerNow, type ConsoleState } from '../state/console-state.js';
import { ageText } from '../text/clock-text.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { fingerprintText, isValidAt, keyTypeText, validityText } from './key-words.js';
import type { Entry } from './people-state.js';
import { waitingChanges } from './waiting-changes.js';

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
const list = (texts: readonly string[], none: SafeText): Line =>
  texts.length === 0 ? [span(none, 'muted')] : exact(texts.join(', '));

/** Everything that is enrolled of one person or submitter, the changes that wait for others, and what to do on a command line. */
export function entryLines(entry: Entry, state: ConsoleState): readonly Line[] {
  const { columns } = state.size;
  const lines =
    entry.of === 'people' ? personLines(entry.person, state) : submitterLines(entry.submitter, columns);
  return [...lines.slice(1), ...changeLines(entry, state)];
}

function personLines({ name, aliases, groups, keys }: Person, state: ConsoleState): readonly Line[] {
  const { columns } = state.size;
  const isYou = name === state.identity.approver;
  return [
    ...headingLines(label`Person`, label`may sign, wherever a rule lets anybody or these groups`, columns),
    ...fieldLines(
      label`name`,
      [...exact(name), ...(isYou ? [span(label`  (that is you)`, 'muted')] : [])],
      columns,
    ),
    ...fieldLines(label`groups`, list(groups, label`none`), columns),
    ...fieldLines(label`aliases`, list(aliases, label`nothing else`), columns),
    ...headingLines(label`Keys`, label`the fingerprints are computed here`, columns),
    ...keys.flatMap((key) => keyLines(key, state)),
  ];
}

function keyLines(key: PersonKey, state: ConsoleState): readonly Line[] {
  const { columns } = state.size;
  const isValid = isValidAt(key, brokerNow(state));
  const valid = validityText(key, state.display.zone);
  return [
    ...fieldLines(keyTypeText(key.key), markedSpans(fingerprintText(key.key), 'strong'), columns),
    ...fieldLines(
      label`  may sign`,
      isValid ? [span(valid)] : [span(label`✗ not now: ${valid}`, 'danger')],
      columns,
      'words',
    ),
  ];
}

function submitterLines({ name, credential, limits }: Submitter, columns: number): readonly Line[] {
  return [
    ...headingLines(label`Submitter`, label`may ask for what stands here, and signs no approval`, columns),
    ...fieldLines(label`name`, exact(name), columns),
    ...credentialLines(credential, columns),
    ...headingLines(label`May ask for`, label`exact texts; * stands for any rest`, columns),
    ...fieldLines(label`actions`, list(limits.actions, label`none`), columns),
    ...fieldLines(label`resources`, list(limits.resources, label`none`), columns),
    ...fieldLines(label`doors`, list(limits.doors, label`none`), columns),
    ...fieldLines(label`requesters`, list(limits.requesters, label`itself alone`), columns),
    ...(limits.canaries === true
      ? fieldLines(label`canaries`, [span(label`may ask them, too`)], columns, 'words')
      : []),
  ];
}

function credentialLines(credential: SubmitterCredential, columns: number): readonly Line[] {
  switch (credential.kind) {
    case 'key':
      return [
        ...fieldLines(
          label`asks by`,
          [span(label`signing with its key, `), ...markedSpans(keyTypeText(credential.key))],
          columns,
          'words',
        ),
        ...fieldLines(label`key`, markedSpans(fingerprintText(credential.key), 'strong'), columns),
      ];
    case 'token':
      return [
        ...fieldLines(label`asks by`, [span(label`a bearer token`)], columns),
        ...fieldLines(label`its SHA-256`, exact(credential.hash), columns),
      ];
    case 'socket':
      return fieldLines(label`asks by`, [span(label`opening the socket on the broker's machine`)], columns);
    case 'oidc': {
      const { issuer, audience, claims, requester, algorithms, ca } = credential;
      return [
        ...fieldLines(label`asks by`, [span(label`an OIDC token`)], columns),
        ...fieldLines(label`issuer`, exact(issuer), columns),
        ...fieldLines(label`audience`, exact(audience), columns),
        ...claims.flatMap(({ name, value }) => fieldLines(label`claim`, exact(`${name}=${value}`), columns)),
        ...fieldLines(
          label`asks for`,
          requester === null
            ? [span(label`whom the document names`)]
            : [span(label`whom its claim names: `), ...exact(requester)],
          columns,
        ),
        ...fieldLines(label`signed with`, exact(algorithms.join(', ')), columns),
        ...(ca === null
          ? []
          : fieldLines(label`CA`, [span(label`certificates of its own, in place of the system's`)], columns)),
      ];
    }
  }
}

/** Requests to change this entry: they are decided in the queue, as all others. */
function changeLines(entry: Entry, state: ConsoleState): readonly Line[] {
  const { columns } = state.size;
  const waiting = waitingChanges(state.queue.requests, entry);
  if (waiting.length === 0) return [];
  return [
    ...headingLines(label`Waits for approval`, label`decided in the queue, as any request`, columns),
    ...waiting.flatMap(({ id, submittedAt, document }) => {
      const { summary } = document.details;
      const age = ageText(brokerNow(state) - submittedAt);
      return [
        ...fieldLines(
          label`asked`,
          [span(label`${age} ago by `), ...exact(document.requester), span(label`  `), ...exact(id)],
          columns,
        ),
        ...(typeof summary === 'string' ? fieldLines(label``, exact(summary), columns) : []),
      ];
    }),
  ];
}
