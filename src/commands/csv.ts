/** Characters with which a spreadsheet takes a cell for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * Writes rows as RFC 4180 says, lines ended by CRLF. What a spreadsheet would take for a formula gets an apostrophe in
 * front, because requesters write cells; control characters become spaces.
 */
export const formatCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');

function cell(text: string): string {
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  const plain = guarded.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return /[",]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
