import * as z from 'zod';
import { time } from './request-view.js';

/** That the broker goes on from a back-up, which no approver has acknowledged yet. */
export const restorationSchema = z.object({
  /** When the back-up was made. */
  backupAt: time,
  restoredAt: time,
  /** Requests that were pending, or approved and unused, and were ended. */
  ended: z.int().min(0),
});
export type Restoration = z.output<typeof restorationSchema>;
