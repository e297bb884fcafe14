// A person's yes or no to an action that waits for it.
import type { ApprovalView } from '#api/routes/approval-schemas.ts';
import { api } from '../api.ts';
import { ask, Dialog, Reason } from '../parts/dialog.tsx';
import { toast } from '../parts/toasts.tsx';

export function askApprove(approval: ApprovalView, onAnswered: () => void): void {
  ask(
    <Dialog
      title={`Approve ${approval.action.replaceAll('_', ' ')}?`}
      text={`${approval.deed}. Everything is checked once more, then the action runs.`}
      confirm="Approve"
      danger
      onSubmit={({ reason }) => answer(approval, { decision: 'approve', reason }, onAnswered)}
    >
      <Reason />
    </Dialog>,
  );
}

export function askReject(approval: ApprovalView, onAnswered: () => void): void {
  ask(
    <Dialog
      title={`Reject ${approval.action.replaceAll('_', ' ')}?`}
      text={`${approval.deed}. The action does not run, and nobody can approve it any more.`}
      confirm="Reject"
      onSubmit={({ reason }) => answer(approval, { decision: 'reject', reason }, onAnswered)}
    >
      <Reason />
    </Dialog>,
  );
}

async function answer(
  { id }: ApprovalView,
  body: { readonly decision: 'approve' | 'reject'; readonly reason: string | undefined },
  onAnswered: () => void,
): Promise<void> {
  try {
    const { state, missing } = await api<ApprovalView>('POST', `/v1/approvals/${encodeURIComponent(id)}`, {
      body: { decision: body.decision, ...(body.reason ? { reason: body.reason } : {}) },
    });
    toast(state === 'waiting' ? `Approved; ${missing} more must approve.` : `It is ${state}.`);
  } finally {
    onAnswered();
  }
}
