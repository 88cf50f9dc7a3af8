/** Where a spreadsheet would take what follows for a formula. Where decimals have a comma it parts cells at semicolons, quoted or not. */
const FORMULA = /(^|;)(?=["']*[=+\-@\t\r])/g;

/**
 * Writes rows as RFC 4180 says, lines ended by CRLF. What a spreadsheet would take for a formula gets an apostrophe in
 * front, because requesters write cells; control characters become spaces.
 */
export const formatCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');

function cell(text: string): string {
  const guarded = text.replace(FORMULA, "$1'");
  const plain = guarded.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return /[",]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
