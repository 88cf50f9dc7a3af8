import { describe, expect, test } from 'vitest';
import { examine, voucherOf } from '../../../components/detail/examination.js';
import type { RequestDocument } from '../../../src/protocol/document.js';
import type { Digest, Fingerprint, Name, Nonce } from '../../../src/protocol/names.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { formatSubmit, type SubmitStatement } from '../../../src/protocol/statements.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { type Forgery, makeSoftwareKey, signInSoftware } from '../../ssh/software-keys.js';
import { BROKER, NOW, sampleRequest } from '../sample-requests.js';

describe('an examined request', () => {
  test('agrees where every digest is the one of what is shown', () => {
    const { bound, differences } = examine(sampleRequest());
    expect(differences).toEqual([]);
    expect(bound?.canonical).toContain('"requester":"alice"');
  });

  test('differs in whatever field of the document was changed (A62)', () => {
    const request = sampleRequest();
    const changed: Partial<RequestDocument> = {
      action: 'sudo' as Name,
      door: 'host:web-2.example.com' as Name,
      requester: 'mallory' as Name,
      resource: 'web-2.example.com',
      details: { ...request.document.details, user: 'root' },
      context: { reason: 'another' },
      duration: 1,
      nonce: '0'.repeat(32) as Nonce,
    };
    for (const [field, value] of Object.entries(changed)) {
      const { differs } = examine({ ...request, document: { ...request.document, [field]: value } });
      expect(differs.digest, field).toBe(true);
      const isBound = ['action', 'door', 'requester', 'resource', 'details'].includes(field);
      expect(differs.scope, field).toBe(isBound);
    }
  });

  test('differs where the rule is not the one of its digest (A62)', () => {
    const { differs, differences } = examine({ ...sampleRequest(), rule: '{"approvals":0}' });
    expect(differs).toEqual({ digest: false, scope: false, rule: true });
    expect(differences).toHaveLength(1);
  });

  test('is no document where a door could not have sent it', () => {
    const { document, ...rest } = sampleRequest();
    for (const broken of [
      {},
      { ...document, extra: 1 },
      { ...document, resource: 'a\nb' },
      { ...document, duration: -1 },
    ]) {
      const request = { ...rest, document: broken } as unknown as RequestView;
      expect(examine(request).bound).toBeNull();
      expect(examine(request).differences).toHaveLength(1);
    }
  });
});

describe('who vouches for a request', () => {
  const key = makeSoftwareKey('ssh-ed25519');
  const request = sampleRequest();
  const vouchedBy = (given: Partial<SubmitStatement> = {}, forgery: Forgery = {}): RequestView => {
    const statement = formatSubmit({
      broker: BROKER,
      submitter: request.submitter,
      request: request.digest,
      nonce: '7'.repeat(32) as Nonce,
      issued: NOW,
      ...given,
    });
    const armor = signInSoftware(key, statement, { namespace: 'submit@countersign', ...forgery });
    return { ...request, vouched: statement + armor };
  };
  const state = (given: RequestView) => voucherOf(given, [BROKER]).state;

  test('is nobody but the broker where the submitter cannot sign', () =>
    expect(state(request)).toBe('unsigned'));

  test('is the key whose signature verifies here', () => {
    const { fingerprint } = parsePublicKeyLine(key.line);
    expect(voucherOf(vouchedBy(), [BROKER])).toEqual({ state: 'verified', key: fingerprint });
  });

  test('is loudly nobody where the signature is for anything else (A23, A62)', () => {
    const another = `sha256:${'0'.repeat(64)}` as Digest;
    expect(state(vouchedBy({ request: another }))).toBe('forged');
    expect(state(vouchedBy({ submitter: 'web-2' as Name }))).toBe('forged');
    expect(state(vouchedBy({ broker: `SHA256:${'A'.repeat(43)}` as Fingerprint }))).toBe('forged');
    expect(state(vouchedBy({}, { namespace: 'decision@countersign' }))).toBe('forged');
    const good = vouchedBy();
    expect(state({ ...good, vouched: good.vouched?.replace('issued: 2026', 'issued: 2027') ?? null })).toBe(
      'forged',
    );
    expect(state({ ...good, vouched: 'nonsense' })).toBe('forged');
    expect(state({ ...good, digest: another, document: sampleRequest({ n: 2 }).document })).toBe('forged');
  });
});
