import { describe, expect, it } from 'vitest';
import { slackBody } from './slack.ts';
import { waitingMessage } from './testdata/messages.ts';

describe('a message for Slack', () => {
  const { body } = waitingMessage('production', 'team');

  it('says what happened in its text and in blocks, by whom and with what evidence', () => {
    if (body.type !== 'rollout.completed') throw new Error('another body was expected');
    const evidence = ['errors 0.9x of stable', 'latency 1.1x of stable'];
    const { text, blocks } = slackBody({ ...body, rollout: { ...body.rollout, by: 'ada', why: 'faster' }, evidence });
    expect(text).toBe('agent: r-2 is in use (1)');
    expect(blocks).toEqual([
      { type: 'section', text: { type: 'mrkdwn', text: ':white_check_mark: agent: r-2 is in use (1)' } },
      { type: 'section', text: { type: 'mrkdwn', text: 'by ada: faster\nerrors 0.9x of stable\nlatency 1.1x of stable' } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: 'production · agent · msg-team0001' }] },
    ]);
  });

  it('of a test names no service, as it is about none', () => {
    const sample = {
      type: 'test',
      id: 'msg-1',
      time: body.time,
      environment: 'production',
      service: '',
      address: 'a',
      message: 'a test',
    } as const;
    expect(slackBody(sample).blocks.at(-1)).toEqual({ type: 'context', elements: [{ type: 'mrkdwn', text: 'production · msg-1' }] });
  });

  it('cannot mention anybody or make a link by words from elsewhere, and stays within what Slack takes', () => {
    const hostile = `<!channel> & <https://evil.example|click>${'&'.repeat(5_000)}`;
    const { text, blocks } = slackBody({ ...body, message: hostile });
    expect(text).toMatch(/^&lt;!channel&gt; &amp; &lt;https:\/\/evil.example\|click&gt;(&amp;)+ …$/);
    expect(JSON.stringify(blocks)).not.toMatch(/<!|<http/);
    for (const block of blocks as readonly { text?: { text: string } }[]) expect((block.text?.text ?? '').length).toBeLessThan(3_000);
  });
});
