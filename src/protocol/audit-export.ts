import * as z from 'zod';
import { eventSchema, type LogEntry } from './event-log.js';
import { Problem } from './problems.js';
import { MAX_SIGNED_TEXT_BYTES } from './receipt.js';

/**
 * The first line of an export: JSON Lines, each line ended by LF. After it come the entries in the order of the log, and
 * each head that the broker signed right after the entry that it names. Nobody has signed this line: what it says of the
 * broker is for the reader.
 */
export const exportHeaderSchema = z.strictObject({
  'countersign-export': z.literal(1),
  /** As the broker calls itself. */
  broker: z.string(),
  /** TYPE BASE64: the broker's key when the export was begun. */
  key: z.string(),
  /** The life of the database when the export was begun. */
  epoch: z.string(),
  /** The entries begin after this number. */
  after: z.int().min(0),
  /** What requests were selected by; null for all entries. */
  filter: z.nullable(z.string()),
  /** The time before which the entries were asked for to end; null for all that there were. */
  until: z.nullable(z.string()),
});
export type ExportHeader = z.output<typeof exportHeaderSchema>;

/** A line after the first. */
export type ExportLine =
  | { readonly kind: 'entry'; readonly entry: LogEntry }
  /** Statement and armor of a head. */
  | { readonly kind: 'head'; readonly text: string };

const headLine = z.strictObject({ head: z.string().max(MAX_SIGNED_TEXT_BYTES) });
const entryLine = z.strictObject(eventSchema.shape);

/** The line of an entry: its fields in this order, as JSON without spaces. */
export const formatEntry = ({ seq, at, kind, request, body, digest, previous, hash }: LogEntry): string =>
  JSON.stringify({ seq, at, kind, request, body, digest, previous, hash });

export const formatHead = (head: string): string => JSON.stringify({ head });

export const formatExportHeader = (header: ExportHeader): string => {
  const { 'countersign-export': version, broker, key, epoch, after, filter, until } = header;
  return JSON.stringify({ 'countersign-export': version, broker, key, epoch, after, filter, until });
};

/** @throws Problem `malformed-export` */
export function parseExportHeader(line: string): ExportHeader {
  const header = exportHeaderSchema.safeParse(parsed(line));
  if (header.success) return header.data;
  throw malformed('its first line is not that of an export', header.error);
}

/**
 * Reads a line after the first. There is one form of each: what two readers could read differently is refused.
 *
 * @throws Problem `malformed-export`
 */
export function parseExportLine(line: string): ExportLine {
  const value = parsed(line);
  const head = headLine.safeParse(value);
  if (head.success && formatHead(head.data.head) === line) return { kind: 'head', text: head.data.head };
  const entry = entryLine.safeParse(value);
  if (entry.success && formatEntry(entry.data) === line) return { kind: 'entry', entry: entry.data };
  throw malformed('it is neither an entry nor a head in the one form of an export', entry.error);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw malformed('it is not JSON', cause);
  }
}

const malformed = (what: string, cause: unknown): Problem => new Problem('malformed-export', what, { cause });
