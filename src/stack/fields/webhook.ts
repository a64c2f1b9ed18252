import { z } from 'zod';

/** Where a webhook is sent. A URL that is a secret itself is written as `${secret.name}`: it is read when it is used. */
export function webhookUrl() {
  const error = 'a URL that starts with http:// or https:// and holds neither user name nor password, or ${secret.name}';
  return z
    .string({ error })
    .max(2048, { error: 'at most 2048 characters' })
    .refine((text) => (text.includes('${') ? /^(\$\{|https?:\/\/)/.test(text) && !/\s/.test(text) : isWebhookUrl(text)), { error })
    .meta({ 'x-type': 'URL' });
}

/** Whether this text, with everything put in, can be sent to at all. */
export function isWebhookUrl(text: string): boolean {
  const url = /^https?:\/\/[^\s\\]+$/i.test(text) ? URL.parse(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' && url.username === '' && url.password === '';
}

/** The secret what is sent is signed with. */
export function signingSecret() {
  return z
    .string()
    .regex(/^\$\{secret\.[a-z0-9-]{1,63}(\.value)?\}$/, { error: '${secret.name}: a secret itself is never written in a stack' })
    .meta({ 'x-type': '${secret.name}' });
}
