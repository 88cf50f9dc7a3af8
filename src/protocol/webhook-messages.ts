import * as z from 'zod';
import { time } from './request-view.js';

/** How the file of webhooks fares, in `GET /v1/status`. */
export const webhooksStandingSchema = z.object({
  file: z.string(),
  /** What keeps the file as it is now from being taken; null while it is. */
  refused: z.nullable(z.object({ since: time, mistakes: z.array(z.string()) })),
});
export type WebhooksStanding = z.output<typeof webhooksStandingSchema>;

/** `POST /v1/webhooks/{name}/tests`: the HTTP status of the answer, or why there was none. */
export const webhookTestReply = z.object({ status: z.nullable(z.int()), why: z.nullable(z.string()) });
export type WebhookTestReply = z.output<typeof webhookTestReply>;
