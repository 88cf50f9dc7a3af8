/**
 * Who is looking at a pending request: somebody who could sign has a console open; nobody has, but the broker's
 * notification command was set off for it; or nobody has, and nobody is told.
 */
export const ATTENTIONS = ['attended', 'notified', 'unattended'] as const;
export type Attention = (typeof ATTENTIONS)[number];

/** What the one who waits should know, in printable ASCII; null where somebody is looking. */
export function attentionText(attention: Attention): string | null {
  switch (attention) {
    case 'attended':
      return null;
    case 'notified':
      return 'nobody who could approve has a console open; somebody is being notified';
    case 'unattended':
      return 'nobody who could approve has a console open, and nobody is notified: tell an approver';
  }
}
