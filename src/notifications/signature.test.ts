import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signatureHeaders } from './signature.ts';

describe('the signature of a message', () => {
  it('is the one the specification Standard Webhooks gives as its example', () => {
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', atMs: 1_614_265_330_000 };
    expect(signatureHeaders(message, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')['webhook-signature']).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it('takes any other text as the key itself, and covers id, time and body', () => {
    const message = { id: 'msg-1', body: '{}', atMs: 1_000_999 };
    const headers = signatureHeaders(message, 'päss word');
    const expected = createHmac('sha256', Buffer.from('päss word')).update('msg-1.1000.{}').digest('base64');
    expect(headers).toEqual({
      'webhook-id': 'msg-1',
      'webhook-timestamp': '1000',
      'idempotency-key': 'msg-1',
      'webhook-signature': `v1,${expected}`,
    });
    const others = [{ id: 'msg-2' }, { body: '{ }' }, { atMs: 1_001_000 }].map((change) =>
      signatureHeaders({ ...message, ...change }, 'päss word'),
    );
    expect(new Set([...others, headers].map((each) => each['webhook-signature'])).size).toBe(4);
  });

  it('is left out without a secret; the key that tells one message from another is not', () => {
    expect(signatureHeaders({ id: 'msg-1', body: '{}', atMs: 0 }, undefined)).toEqual({
      'webhook-id': 'msg-1',
      'webhook-timestamp': '0',
      'idempotency-key': 'msg-1',
    });
  });
});
