import { knownRule, type Rule } from '../../src/protocol/rule.js';
import { furtherWords, ruleWords } from '../../src/protocol/rule-words.js';
import { fieldLines } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

/** A rule in words: its name, for which asks it is, and what it wants. */
export function ruleLines(
  text: string,
  { number, line }: { readonly number: number; readonly line: number },
  columns: number,
): readonly Line[] {
  const rule = knownRule(text);
  if (rule === null) return unreadable(label`rule ${number}`, text, columns);
  const where = line === 0 ? label`` : label`  line ${line}`;
  return [
    ...fieldLines(label`${number}`, [...nameLine(rule), span(where, 'muted')], columns),
    ...fieldLines(
      label`  for`,
      rule.when === '' ? [span(label`every ask that comes so far`, 'muted')] : exact(rule.when),
      columns,
    ),
    ...wordLines(rule, label`  wants`, columns),
  ];
}

/** What the rule of a request wants, in words. */
export function wantsLines(text: string, columns: number): readonly Line[] {
  const rule = knownRule(text);
  if (rule === null) return unreadable(label`rule`, text, columns);
  return [...fieldLines(label`rule`, nameLine(rule), columns), ...wordLines(rule, label`wants`, columns)];
}

const nameLine = ({ name }: Rule): Line =>
  exact(name).map((part) => (part.tone === 'text' ? span(part.text, 'strong') : part));

function wordLines(rule: Rule, name: SafeText, columns: number): readonly Line[] {
  return [...ruleWords(rule), ...furtherWords(rule)].flatMap((words, at) =>
    fieldLines(
      at === 0 ? name : label``,
      markedSpans(safeText(words, { reading: 'prose' })),
      columns,
      'words',
    ),
  );
}

const unreadable = (name: SafeText, text: string, columns: number): readonly Line[] =>
  fieldLines(name, [span(label`▲ not of this version: `, 'warning'), ...exact(text)], columns);
