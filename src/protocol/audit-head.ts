import * as z from 'zod';
import type { Digest, Fingerprint } from './names.js';
import { MAX_SIGNED_TEXT_BYTES } from './receipt.js';
import {
  countLine,
  digestLine,
  fingerprintLine,
  formatStatement,
  parseStatement,
  type StatementForm,
  textLine,
  timeLine,
} from './statement.js';
import type { EpochMs } from './time.js';

/**
 * How far the event log of a broker has got, as the broker says it; signed with its key and namespace `audit@countersign`.
 * Whoever keeps one can tell later whether the log still is the one that it was.
 */
export interface AuditHead {
  readonly broker: Fingerprint;
  /** The life of the database, 32 hex digits: another one after a back-up was restored. */
  readonly epoch: string;
  /** Number of the newest entry. */
  readonly seq: number;
  /** The hash of that entry. */
  readonly hash: Digest;
  /** By the broker's clock. */
  readonly signed: EpochMs;
}

const AUDIT_HEAD: StatementForm<AuditHead> = {
  title: 'countersign-head 1',
  lines: {
    broker: fingerprintLine('broker'),
    epoch: textLine('epoch', /^[0-9a-f]{32}$/),
    seq: countLine('seq'),
    hash: digestLine('hash'),
    signed: timeLine('signed'),
  },
};

export const formatAuditHead = (head: AuditHead): string => formatStatement(AUDIT_HEAD, head);
/** @throws Problem `malformed-statement` */
export const parseAuditHead = (text: string): AuditHead => parseStatement(AUDIT_HEAD, text);

/** A head as it is kept and sent: the number of its entry, and statement and armor. */
export const signedHeadSchema = z.object({
  seq: z.int().min(1),
  text: z.string().max(MAX_SIGNED_TEXT_BYTES),
});
export type SignedHead = z.output<typeof signedHeadSchema>;

/** The body of an event `broker.key`: from there on the broker goes by this key. */
export const brokerKeyBody = z.object({
  /** TYPE BASE64 */
  key: z.string(),
  /** What the key before signed about it, statement and armor; null for the first key, and one that came without a word. */
  handover: z.nullable(z.string()),
});

/** `GET /v1/heads` */
export const headsReply = z.object({ heads: z.array(signedHeadSchema), next: z.nullable(z.int()) });
export type HeadsReply = z.output<typeof headsReply>;
