import { expect, test } from 'vitest';
import { signedHeaders } from '../../../broker/webhooks/signature.js';

/** The example that Standard Webhooks publishes with its libraries. */
const SECRET = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
const MESSAGE = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
};
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

test('a message is signed as Standard Webhooks says, by its published example', () => {
  expect(signedHeaders([SECRET], MESSAGE)).toEqual({
    'webhook-id': MESSAGE.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': SIGNATURE,
  });
});

test('while a secret is changed, both sign, each by itself', () => {
  const other = Buffer.alloc(32, 7);
  const [both, alone] = [[other, SECRET], [other]].map(
    (secrets) => signedHeaders(secrets, MESSAGE)['webhook-signature'],
  );
  expect(both).toBe(`${alone} ${SIGNATURE}`);
  expect(alone).not.toBe(SIGNATURE);
});

test.each([
  ['id', { id: 'msg_other' }],
  ['time', { timestamp: 1614265331 }],
  ['body', { body: '{"test": 2432232315}' }],
])('A29: another %s needs another signature', (_what, change) => {
  expect(signedHeaders([SECRET], { ...MESSAGE, ...change })['webhook-signature']).not.toBe(SIGNATURE);
});
