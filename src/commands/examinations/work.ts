import { zonedTime } from '../../client/shown-time.js';
import type { StatusReply } from '../status.js';
import { type Finding, good, note, warning } from './finding.js';

/** What only the broker knows: whether somebody is looking, and whether the doors know the people of today. */
export function examineWork(status: StatusReply | null, zone: string): readonly Finding[] {
  if (status === null) return [];
  const { consoles, outdatedDoors } = status;
  return [
    consoles === 0
      ? note('no console is attached: nobody sees a new request', 'countersign console')
      : good(`${consoles === 1 ? 'a console is' : `${consoles} consoles are`} attached`),
    ...(outdatedDoors.length === 0 ? [good('no door is known to have an old signers file')] : []),
    ...outdatedDoors.map(({ door, since }) =>
      warning(
        `${door} has an old signers file, since ${zonedTime(since, zone)}`,
        `countersign roster export --for ${door} > signers, and install it there`,
      ),
    ),
  ];
}
