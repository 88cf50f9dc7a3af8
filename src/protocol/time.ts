/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

const UTC_SECOND = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** Writes `YYYY-MM-DDTHH:MM:SSZ`, the only form of time that is signed or sent; milliseconds are cut off. */
export function formatTime(time: EpochMs): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** Reads `YYYY-MM-DDTHH:MM:SSZ`; null for any other form and for dates that no calendar has. */
export function parseTime(text: unknown): EpochMs | null {
  if (typeof text !== 'string' || !UTC_SECOND.test(text)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) || formatTime(time) !== text ? null : time;
}
