import { Problem } from '../protocol/problems.js';

/** One content line of an iCalendar file: `NAME;PARAM=VALUE:VALUE` (RFC 5545, 3.1). */
export interface Property {
  /** In capitals. */
  readonly name: string;
  /** By name in capitals; several values of one parameter stand as they were written, with commas. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly value: string;
  /** Of its first line in the file, from 1. */
  readonly line: number;
}

/** What stands between `BEGIN:NAME` and `END:NAME` (RFC 5545, 3.6). */
export interface Component {
  readonly name: string;
  readonly line: number;
  readonly properties: readonly Property[];
  readonly components: readonly Component[];
}

interface OpenComponent extends Component {
  readonly properties: Property[];
  readonly components: Component[];
}

const LINE = /^([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^":;,]*)(?:,(?:"[^"]*"|[^":;,]*))*)*):(.*)$/su;
const PARAMETER = /;([A-Za-z0-9-]+)=((?:"[^"]*"|[^";])*)/gsu;

/**
 * Reads the calendars of an iCalendar file. A file that was cut off does not pass: everything that begins must end.
 *
 * @throws Problem `schedule-refused` with the line that cannot be read
 */
export function parseCalendars(text: string): readonly Component[] {
  const root: OpenComponent = { name: '', line: 0, properties: [], components: [] };
  const open = [root];
  for (const property of unfolded(text).map(parseLine)) {
    const within = open.at(-1) ?? root;
    const name = property.value.toUpperCase();
    if (property.name === 'BEGIN') {
      const component: OpenComponent = { name, line: property.line, properties: [], components: [] };
      within.components.push(component);
      open.push(component);
    } else if (property.name === 'END') {
      if (within === root || within.name !== name) throw refused(property.line, `END:${name} ends nothing`);
      open.pop();
    } else if (within === root) throw refused(property.line, 'does not stand in a calendar');
    else within.properties.push(property);
  }
  if (open.length > 1) throw refused(open.at(-1)?.line ?? 0, 'begins what never ends: the file is cut off');
  if (root.components.length === 0) throw refused(1, 'no calendar begins here');
  const other = root.components.find(({ name }) => name !== 'VCALENDAR');
  if (other !== undefined) throw refused(other.line, `${JSON.stringify(other.name)} is not a calendar`);
  return root.components;
}

/** The one property of this name; null where there is none. */
export function single({ properties }: Component, name: string): Property | null {
  const [first, second] = properties.filter((property) => property.name === name);
  if (second !== undefined) throw refused(second.line, `${name} stands twice`);
  return first ?? null;
}

/** The text behind `\\`, `\;`, `\,` and `\n` (RFC 5545, 3.3.11). */
export const unescapeText = (value: string): string =>
  value.replace(/\\([\\;,nN])/g, (_, letter: string) => (letter.toLowerCase() === 'n' ? '\n' : letter));

export const refused = (line: number, what: string): Problem =>
  new Problem('schedule-refused', `line ${line}: ${what}`);

interface RawLine {
  readonly text: string;
  readonly line: number;
}

/** A line that begins with a space or a tab goes on where the one before it ended. */
function unfolded(text: string): readonly RawLine[] {
  const lines: { text: string; line: number }[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/u, '')
    .split(/\r?\n/u)
    .entries()) {
    const last = lines.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last.text += line.slice(1);
    else if (line !== '') lines.push({ text: line, line: index + 1 });
  }
  return lines;
}

function parseLine({ text, line }: RawLine): Property {
  const [, name, parameters = '', value = ''] = LINE.exec(text) ?? [];
  if (name === undefined) throw refused(line, 'is not a line of an iCalendar file');
  const found = new Map<string, string>();
  for (const [, key = '', written = ''] of parameters.matchAll(PARAMETER)) {
    if (found.has(key.toUpperCase())) throw refused(line, `the parameter ${key} stands twice`);
    found.set(key.toUpperCase(), written.replaceAll('"', ''));
  }
  return { name: name.toUpperCase(), parameters: found, value, line };
}
