import type { MessageBody } from './message-body.ts';

/** Characters of a section of text that Slack takes (3,000), with room for the mark that something is missing. */
const most = 2_900;

const icons: Readonly<Record<string, string>> = {
  'rollout.completed': ':white_check_mark:',
  'rollout.failed': ':x:',
  'rollout.held': ':warning:',
  'rollout.approval_needed': ':raised_hand:',
  'rollout.rolled_back': ':rewind:',
};

/**
 * The message as incoming webhooks of Slack read it (docs.slack.dev, incoming webhooks): `text` for what shows no blocks, then blocks. Words
 * from elsewhere are escaped, so that they can neither mention anybody nor make a link.
 */
export function slackBody(body: MessageBody): { readonly text: string; readonly blocks: readonly unknown[] } {
  const icon = icons[body.type];
  const title = `${icon === undefined ? '' : `${icon} `}${escaped(body.message)}`;
  const details = body.type === 'test' ? [] : detailsOf(body);
  // A test is about no service.
  const context = [body.environment, body.service, body.id]
    .filter((part) => part !== '')
    .map(escaped)
    .join(' · ');
  return {
    text: shortened(escaped(body.message)),
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: shortened(title) } },
      ...(details.length > 0 ? [{ type: 'section', text: { type: 'mrkdwn', text: shortened(details.map(escaped).join('\n')) } }] : []),
      { type: 'context', elements: [{ type: 'mrkdwn', text: shortened(context) }] },
    ],
  };
}

function detailsOf(body: Exclude<MessageBody, { readonly type: 'test' }>): readonly string[] {
  const { rollout } = body;
  const who = rollout.by === undefined ? [] : [`by ${rollout.by}${rollout.why === undefined ? '' : `: ${rollout.why}`}`];
  return [...who, ...('evidence' in body ? (body.evidence ?? []) : [])];
}

/** The three characters by which a text could be a link or a mention (docs.slack.dev, formatting). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function shortened(text: string): string {
  if (text.length <= most) return text;
  // Not in the middle of an escaped character.
  return `${text.slice(0, most).replace(/&[a-z]{0,3}$/, '')} …`;
}
