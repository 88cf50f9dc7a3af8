import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/protocol/canonical.js';
import {
  appendEntry,
  GENESIS,
  hashBody,
  hashEntry,
  type LogEntry,
  verifyChain,
} from '../../src/protocol/event-log.js';

const content = fc.record({
  at: fc.nat(),
  kind: fc.string({ unit: 'grapheme' }),
  request: fc.option(fc.string({ unit: 'grapheme' })),
  body: fc.string({ unit: 'grapheme' }),
});
const chain = fc.array(content, { minLength: 3, maxLength: 12 }).map(chained);

function chained(contents: readonly Parameters<typeof appendEntry>[1][]): LogEntry[] {
  const entries: LogEntry[] = [];
  for (const entry of contents) entries.push(appendEntry(entries.at(-1) ?? GENESIS, entry));
  return entries;
}

/** A chain and the position of one of its entries, never the last. */
const cut = chain.chain((entries) => fc.tuple(fc.constant(entries), fc.nat({ max: entries.length - 2 })));

describe('the hash chain', () => {
  it('hashes the canonical JSON of what an entry says, of the digest of its body and of the hash before it', () => {
    fc.assert(
      fc.property(chain, (entries) => {
        for (const { hash, body, ...rest } of entries) {
          expect(rest.digest).toBe(hashBody(body ?? ''));
          expect(hash).toBe(createHash('sha256').update(canonicalJson(rest)).digest('hex'));
        }
      }),
    );
  });

  it('keeps its form: this entry has this hash', () => {
    const entry = { at: 1, kind: 'store.created', request: null, body: '{"epoch":"e"}' };
    const digest = createHash('sha256').update(entry.body).digest('hex');
    expect(appendEntry(GENESIS, entry)).toEqual({
      ...entry,
      seq: 1,
      digest,
      previous: GENESIS.hash,
      hash: createHash('sha256')
        .update(
          `{"at":1,"digest":"${digest}","kind":"store.created","previous":"${GENESIS.hash}","request":null,"seq":1}`,
        )
        .digest('hex'),
    });
  });

  it('goes on from entries of before, whose hash covers the body itself', () => {
    const text = `{"at":1,"body":"{\\"epoch\\":\\"e\\"}","kind":"store.created","previous":"${GENESIS.hash}","request":null,"seq":1}`;
    const first = {
      seq: 1,
      at: 1,
      kind: 'store.created',
      request: null,
      body: '{"epoch":"e"}',
      digest: null,
      previous: GENESIS.hash,
      hash: createHash('sha256').update(text).digest('hex'),
    };
    const next = appendEntry(first, { at: 2, kind: 'roster.changed', request: null, body: '{}' });
    expect(verifyChain([first, next])).toBeNull();
    expect(verifyChain([{ ...first, body: null }, next])).toBe(1);
  });

  it('holds without bodies that were erased, and not with another one in their place', () => {
    fc.assert(
      fc.property(cut, ([entries, at]) => {
        const entry = entries[at] as LogEntry;
        expect(verifyChain(entries.with(at, { ...entry, body: null }))).toBeNull();
        expect(verifyChain(entries.with(at, { ...entry, body: `${entry.body} ` }))).toBe(entry.seq);
      }),
    );
  });

  it('holds from its beginning and from any of its entries', () => {
    fc.assert(
      fc.property(cut, ([entries, at]) => {
        expect(verifyChain(entries)).toBeNull();
        expect(verifyChain(entries.slice(at + 1), entries[at])).toBeNull();
      }),
    );
  });

  it('is empty without complaint', () => {
    expect(verifyChain([])).toBeNull();
  });

  it('names an edited entry, whatever was edited (A49)', () => {
    const fields = ['at', 'kind', 'request', 'body', 'digest', 'previous', 'hash'] as const;
    fc.assert(
      fc.property(cut, fc.constantFrom(...fields), ([entries, at], field) => {
        const entry = entries[at] as LogEntry;
        const edited = { ...entry, [field]: field === 'at' ? entry.at + 1 : `${entry[field]}x` };
        expect(verifyChain(entries.with(at, edited))).toBe(entry.seq);
      }),
    );
  });

  it('names the entry after an edited one whose own hash was made to fit (A49)', () => {
    fc.assert(
      fc.property(cut, ([entries, at]) => {
        const entry = entries[at] as LogEntry;
        const body = `${entry.body}x`;
        const edited = { ...entry, body, digest: hashBody(body) };
        expect(verifyChain(entries.with(at, { ...edited, hash: hashEntry(edited) }))).toBe(entry.seq + 1);
      }),
    );
  });

  it('names the first missing entry when some are deleted from the middle (A49)', () => {
    fc.assert(
      fc.property(cut, fc.integer({ min: 1, max: 3 }), ([entries, at], count) => {
        const deleted = Math.min(count, entries.length - 1 - at);
        expect(verifyChain(entries.toSpliced(at, deleted))).toBe(at + 1);
      }),
    );
  });

  it('names the first of two entries that changed places (A49)', () => {
    fc.assert(
      fc.property(cut, ([entries, at]) => {
        const swapped = entries.with(at, entries[at + 1] as LogEntry).with(at + 1, entries[at] as LogEntry);
        expect(verifyChain(swapped)).toBe(at + 1);
      }),
    );
  });

  it('names an entry that was put in or repeated (A49)', () => {
    fc.assert(
      fc.property(cut, content, ([entries, at], extra) => {
        const inserted = appendEntry(entries[at] as LogEntry, extra);
        fc.pre(inserted.hash !== entries[at + 1]?.hash);
        expect(verifyChain(entries.toSpliced(at + 1, 0, inserted))).toBe(at + 3);
        expect(verifyChain(entries.toSpliced(at, 0, entries[at] as LogEntry))).toBe(at + 2);
      }),
    );
  });

  it('names the point where a fork replaces the rest (A49)', () => {
    fc.assert(
      fc.property(cut, fc.array(content, { minLength: 2, maxLength: 4 }), ([entries, at], others) => {
        const fork = chained([
          ...entries.slice(0, at).map((entry) => ({ ...entry, body: entry.body ?? '' })),
          ...others,
        ]);
        const known = entries[at] as LogEntry;
        fc.pre(fork[at]?.hash !== known.hash);
        expect(verifyChain(fork)).toBeNull();
        expect(verifyChain(fork.slice(at + 1), known)).toBe(known.seq + 1);
      }),
    );
  });
});
