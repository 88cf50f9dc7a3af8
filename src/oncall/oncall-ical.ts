import { readFile } from 'node:fs/promises';
import { Problem } from '../protocol/problems.js';
import { isTimeZone } from '../protocol/zoned-time.js';
import { onDuty } from './calendar.js';
import type { Zones } from './date-times.js';
import { decodeText, fetchText, parseAddress } from './fetch.js';
import { runGroupProgram } from './program.js';
import { readSecretFile } from './secret-file.js';

const NAME = 'oncall-ical';
const HELP = `
${NAME}: prints who is on duty now by an iCalendar file, one name a line, for a
group of Countersign. On any doubt it prints nothing, says why, and exits with 1.

Usage
  ${NAME} [--who attendee|summary] [--zone ZONE]… FILE | URL
  ${NAME} [--who attendee|summary] [--zone ZONE]… --url-file FILE

  FILE              a file of this machine
  URL               an https address. It can be read by whoever lists processes:
                    use --url-file for one that is secret
  --url-file FILE   a file with the address, readable by its owner alone
  --who attendee    the e-mail addresses of those invited; who declined is not there
  --who summary     the title is one name, or several with commas between
  --zone ZONE       for events that say no time zone, as Europe/Berlin
  --zone NAME=ZONE  what a calendar means by NAME, as "W. Europe Standard Time=Europe/Berlin"

Daily and weekly recurrences with their exceptions are understood; a calendar with
others is refused.

Examples
  ${NAME} /etc/countersign/oncall.ics
  ${NAME} --who summary --zone Europe/Berlin /etc/countersign/oncall.ics
  ${NAME} --url-file /etc/countersign/oncall.url
`;

/** @returns the exit code */
export const main = (args: readonly string[]): Promise<0 | 1> =>
  runGroupProgram(
    {
      name: NAME,
      help: HELP,
      options: {
        who: { type: 'string', default: 'attendee' },
        zone: { type: 'string', multiple: true, default: [] as string[] },
        'url-file': { type: 'string' },
      },
      async names({ values: { who, zone, 'url-file': file }, positionals }) {
        if (who !== 'attendee' && who !== 'summary') throw usage('--who is attendee or summary');
        const zones = zonesOf(zone);
        const sources = [...positionals, ...(file === undefined ? [] : [await readSecretFile(file)])];
        const [source] = sources;
        if (source === undefined || sources.length > 1) throw usage('name one file or one address');
        const text = file === undefined && !/^\w+:\/\//.test(source) ? readText(source) : download(source);
        return onDuty(await text, Date.now(), { who, zones });
      },
    },
    args,
  );

function zonesOf(texts: readonly string[]): Zones {
  const named = new Map<string, string>();
  let floating: string | null = null;
  for (const text of texts) {
    const at = text.lastIndexOf('=');
    const zone = text.slice(at + 1);
    if (!isTimeZone(zone)) throw usage(`${JSON.stringify(zone)} is no time zone like Europe/Berlin`);
    if (at > 0) named.set(text.slice(0, at), zone);
    else floating = zone;
  }
  return { named, floating };
}

async function readText(path: string): Promise<string> {
  return decodeText(await readFile(path), path);
}

async function download(address: string): Promise<string> {
  const url = parseAddress(address, 'the address of the calendar');
  const { status, body } = await fetchText(url, { accept: 'text/calendar' });
  if (status === 200) return body;
  throw new Problem('schedule-refused', `${url.host} answers with status ${status}`);
}

const usage = (what: string): Problem => new Problem('usage', `${what}; see --help`);
