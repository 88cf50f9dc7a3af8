import { changesBetween } from '../../src/client/persistent-map.js';
import type { Queue } from '../../src/client/queue.js';
import type { Screen } from '../screen/screen.js';
import { stay } from '../state/console-effects.js';
import { type ConsoleState, isBack } from '../state/console-state.js';
import { label } from '../text/safe-text.js';
import { pasteIntoForm } from './change-form-step.js';
import { hiddenInPeople, peopleLines, peoplePosition, peopleStatus } from './people-lines.js';
import { openPeople, refreshPeople, settlePeople, stepPeople } from './people-step.js';
import { isDirectoryChange } from './waiting-changes.js';

/** Who may sign, and who may ask. */
export const PEOPLE_SCREEN: Screen = {
  title: label`People`,
  entrances: [['toPeople', openPeople]],
  context: ({ people: { form, openedTop } }) => {
    if (form === null) return openedTop === null ? 'people' : 'entry';
    if (form.review !== null) return 'ask';
    return form.focused === 'deed' ? 'choice' : 'form';
  },
  target({ people: { selected, openedTop, form } }) {
    if (form === null)
      return `people ${selected?.of} ${selected?.name} ${openedTop === null ? 'list' : 'full'}`;
    return `people ${form.kind} ${form.entry?.name} ${form.review?.focused ?? `form ${form.focused}`}`;
  },
  paste: pasteIntoForm,
  step: stepPeople,
  onQueue: (state, before) =>
    isBack(state, before.link) || hasChanged(state, before) ? refreshPeople(state) : stay(state),
  settle: settlePeople,
  lines: peopleLines,
  status: peopleStatus,
  position: peoplePosition,
  hidden: hiddenInPeople,
};

/** Whether a change of people or submitters has ended, and so may have been applied; or which doors are behind is told anew. */
function hasChanged({ queue, screen }: ConsoleState, before: Queue): boolean {
  if (screen !== 'people') return false;
  if (queue.outdatedDoors !== before.outdatedDoors) return true;
  return changesBetween(before.requests, queue.requests).some(
    ({ before: known, after: request }) =>
      request !== undefined && isDirectoryChange(request) && request.state !== known?.state,
  );
}
