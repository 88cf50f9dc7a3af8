import { type ImaginedAsk, UNNAMED } from './ask.js';
import type { PolicyWorld } from './world.js';

/** What this explanation does not know. */
export function notesOn(
  { told, refused }: Pick<PolicyWorld, 'told' | 'refused'>,
  groups: readonly string[],
  { submitter }: Pick<ImaginedAsk, 'submitter'>,
  isEnrolled: boolean,
): readonly string[] {
  return [
    ...groups.flatMap((group) => {
      const state = told.get(group);
      if (state === undefined)
        return [`who is in ${group} is for its command to say: --group ${group}=NAME,NAME`];
      if (state.failing === null) return [];
      const left = state.members.length === 0 ? 'so nobody is in it' : 'what it said before still counts';
      return [`the command of ${group} fails, ${left}: ${state.failing}`];
    }),
    ...(submitter === UNNAMED || isEnrolled ? [] : [`no submitter ${submitter} is enrolled`]),
    ...(refused.length === 0
      ? []
      : [`the file holds another policy by now, which is refused: ${refused[0]}`]),
  ];
}
