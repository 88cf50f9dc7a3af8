import { Problem } from '../protocol/problems.js';
import { fetchText, parseAddress } from './fetch.js';
import { onCall, type Rota } from './pagerduty.js';
import { runGroupProgram } from './program.js';
import { readSecretFile } from './secret-file.js';

const NAME = 'oncall-pagerduty';
const HELP = `
${NAME}: prints who is on call now in PagerDuty, one e-mail address a line, for a
group of Countersign. On any doubt it prints nothing, says why, and exits with 1.

Usage
  ${NAME} --schedule ID [--token-file FILE] [--api URL]
  ${NAME} --escalation-policy ID [--level N] [--token-file FILE] [--api URL]

  --schedule ID           as in the address of its page: P1A2B3C
  --escalation-policy ID  whoever is on call at one level of it
  --level N               that level, 1 unless told otherwise
  --token-file FILE       a read-only API key, in a file that its owner alone may read;
                          else the variable PAGERDUTY_TOKEN
  --api URL               https://api.eu.pagerduty.com for accounts in the EU

Examples
  ${NAME} --schedule P1A2B3C --token-file /etc/countersign/pagerduty.token
  ${NAME} --escalation-policy P4D5E6F --level 2 --api https://api.eu.pagerduty.com
`;

/** @returns the exit code */
export const main = (args: readonly string[]): Promise<0 | 1> =>
  runGroupProgram(
    {
      name: NAME,
      help: HELP,
      options: {
        schedule: { type: 'string' },
        'escalation-policy': { type: 'string' },
        level: { type: 'string' },
        'token-file': { type: 'string' },
        api: { type: 'string', default: 'https://api.pagerduty.com' },
      },
      async names({ values, positionals: [extra] }) {
        if (extra !== undefined) throw usage(`what is ${JSON.stringify(extra)}?`);
        const rota = rotaOf(values.schedule, values['escalation-policy'], values.level);
        const api = parseAddress(values.api, '--api').href.replace(/\/$/, '');
        const token = await readToken(values['token-file']);
        return onCall(rota, Date.now(), (path) => ask(new URL(`${api}${path}`), token));
      },
    },
    args,
  );

function rotaOf(schedule: string | undefined, policy: string | undefined, level: string | undefined): Rota {
  const id = schedule ?? policy;
  if (id === undefined || (schedule !== undefined && policy !== undefined)) {
    throw usage('name one --schedule or one --escalation-policy');
  }
  if (!/^[A-Za-z0-9]{1,32}$/.test(id)) throw usage(`${JSON.stringify(id)} is no id like P1A2B3C`);
  if (schedule !== undefined) {
    if (level !== undefined) throw usage('--level is for --escalation-policy');
    return { kind: 'schedule', id };
  }
  if (!/^[1-9]\d?$/.test(level ?? '1')) throw usage('--level is a number from 1');
  return { kind: 'escalation-policy', id, level: Number(level ?? 1) };
}

async function readToken(file: string | undefined): Promise<string> {
  const token = file === undefined ? process.env.PAGERDUTY_TOKEN : await readSecretFile(file);
  if (token !== undefined && /^[A-Za-z0-9_+-]{1,128}$/.test(token)) return token;
  throw usage(
    file === undefined ? 'no --token-file, and no PAGERDUTY_TOKEN' : `${file} does not hold a token`,
  );
}

async function ask(url: URL, token: string): Promise<unknown> {
  const { status, body } = await fetchText(url, {
    accept: 'application/vnd.pagerduty+json;version=2',
    authorization: `Token token=${token}`,
  });
  if (status === 404) return null;
  if (status !== 200) throw new Problem('schedule-refused', `${url.host} answers with status ${status}`);
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new Problem('schedule-refused', `${url.host} answers with something other than JSON`, { cause });
  }
}

const usage = (what: string): Problem => new Problem('usage', `${what}; see --help`);
