import { readFileSync } from 'node:fs';

const README = new URL('../../../README.md', import.meta.url);
const HEADING = /^#{1,6} (.*)$/;
const FENCE = /^( *)```(\w*)$/;

/** One fenced block of the README. */
export interface Block {
  /** The nearest heading above it. */
  readonly section: string;
  /** What stands behind the opening fence: `sh` is meant to be run. */
  readonly language: string;
  /** Without the indent of the fence, each line ended by LF. */
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

/** All fenced blocks of a Markdown text, in order. @throws RangeError for a fence that is never closed */
export function fencedBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let section = '';
  let open: {
    readonly indent: string;
    readonly language: string;
    readonly line: number;
    text: string;
  } | null = null;
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, indent = '', language = ''] = FENCE.exec(line) ?? [];
    if (open !== null && line === `${open.indent}\`\`\``) {
      blocks.push({ section, language: open.language, text: open.text, line: open.line });
      open = null;
    } else if (open !== null) {
      open.text += `${line.startsWith(open.indent) ? line.slice(open.indent.length) : line}\n`;
    } else if (FENCE.test(line)) {
      open = { indent, language, line: index + 1, text: '' };
    } else {
      section = HEADING.exec(line)?.[1] ?? section;
    }
  }
  if (open !== null) throw new RangeError(`the fence of line ${open.line} is never closed`);
  return blocks;
}

/** The README's blocks, each of which is taken once, so that what nobody took can be told. */
export class Readme {
  readonly #left: Block[];

  constructor(markdown = readFileSync(README, 'utf8')) {
    this.#left = [...fencedBlocks(markdown)];
  }

  /** The first block of a section and language that was not taken yet. @throws RangeError if there is none */
  take(section: string, language = 'sh'): string {
    const index = this.#left.findIndex((block) => block.section === section && block.language === language);
    const [block] = index < 0 ? [] : this.#left.splice(index, 1);
    if (block === undefined)
      throw new RangeError(`the README has no further ${language} block under "${section}"`);
    return block.text;
  }

  /** Blocks of a language that nobody took: section and line. */
  left(language = 'sh'): readonly string[] {
    return this.#left
      .filter((block) => block.language === language)
      .map(({ section, line }) => `${section} (line ${line})`);
  }
}
