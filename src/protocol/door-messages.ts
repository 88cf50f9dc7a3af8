import * as z from 'zod';
import { isName, type Name } from './names.js';
import { time } from './request-view.js';

/** A door whose signers file is not what the roster exports, so that people may sign in vain there, or still can. */
export const outdatedDoorSchema = z.object({
  door: z.custom<Name>(isName, 'not a name'),
  /** When it first asked with the file that it has. */
  since: time,
});

/** A door that said which signers file it has; outdated where that is not what the roster exports. */
export const doorStandingSchema = outdatedDoorSchema.extend({ outdated: z.boolean() });
export type DoorStanding = z.output<typeof doorStandingSchema>;
export type OutdatedDoor = z.output<typeof outdatedDoorSchema>;
