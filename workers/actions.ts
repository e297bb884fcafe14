// Every action's handler by its name, and what all of them share: the payload is checked and the ports are passed on.
import type { ActionJob, ActionName, ActionParams } from '#domain/action.ts';
import { parseActionJob } from '#jobs/catalog.ts';
import { captureSession } from './capture-session.ts';
import { editPlaybackRestriction } from './edit-playback-restriction.ts';
import { emitEvent } from './emit-event.ts';
import { ensureRecordingConfiguration } from './ensure-recording-configuration.ts';
import type { JobHandler } from './host.ts';
import { insertAdBreak } from './insert-ad-break.ts';
import { leaseChannel } from './lease-channel.ts';
import { notify } from './notify.ts';
import type { ActionHandler, ActionPorts, HandlerResult } from './ports.ts';
import { provisionChannel } from './provision-channel.ts';
import { putMetadata } from './put-metadata.ts';
import { withRecheck } from './recheck.ts';
import { report } from './report.ts';
import { retireChannel } from './retire-channel.ts';
import { retireRecordingConfiguration } from './retire-recording-configuration.ts';
import { returnChannel } from './return-channel.ts';
import { revokeViewers } from './revoke-viewers.ts';
import { rotatePlaybackKeyPair } from './rotate-playback-key-pair.ts';
import { rotateStreamKey } from './rotate-stream-key.ts';
import { setAdConfiguration } from './set-ad-configuration.ts';
import { setPlaybackRestriction } from './set-playback-restriction.ts';
import { setRecording } from './set-recording.ts';
import { stopStream } from './stop-stream.ts';
import { tag } from './tag.ts';
import { webhook } from './webhook.ts';

export const actionHandlers = {
  put_metadata: putMetadata,
  rotate_stream_key: rotateStreamKey,
  set_recording: setRecording,
  set_ad_configuration: setAdConfiguration,
  set_playback_restriction: setPlaybackRestriction,
  edit_playback_restriction: editPlaybackRestriction,
  revoke_viewers: revokeViewers,
  provision_channel: provisionChannel,
  lease_channel: leaseChannel,
  return_channel: returnChannel,
  ensure_recording_configuration: ensureRecordingConfiguration,
  stop_stream: stopStream,
  insert_ad_break: insertAdBreak,
  notify,
  webhook,
  emit_event: emitEvent,
  tag,
  capture_session: captureSession,
  report,
  rotate_playback_key_pair: rotatePlaybackKeyPair,
  retire_recording_configuration: retireRecordingConfiguration,
  retire_channel: retireChannel,
} as const satisfies { readonly [N in ActionName]: ActionHandler<N> };

/** Only holds are read for it, and those older than the decision that it follows from were checked there. */
function isMetadataForNamed({ action, params, onlyIf }: ActionJob): boolean {
  if (action !== 'put_metadata' || onlyIf !== undefined) return false;
  const { targets } = params as ActionParams<'put_metadata'>;
  return targets === undefined || (targets.live === undefined && targets.tags === undefined);
}

/** The job handlers of all actions over these ports, for the worker host. */
export function bindActions(ports: ActionPorts): Readonly<Record<ActionName, JobHandler>> {
  const bind =
    (name: ActionName): JobHandler =>
    async (payload, run) => {
      const job = parseActionJob(name, payload);
      // Another replica may have committed the cause of this job, or an earlier run of it, a moment ago. Metadata for named channels needs
      // neither, and is urgent.
      await ports.state.refresh(isMetadataForNamed(job) ? { maxAgeMs: 300 } : {});
      // The table pairs each name with its handler; the payload's name was checked to be this one.
      const handler = actionHandlers[name] as (
        job: ActionJob,
        context: ActionPorts & typeof run,
      ) => Promise<HandlerResult>;
      return handler(job, withRecheck(job, { ...ports, ...run }));
    };
  return Object.fromEntries((Object.keys(actionHandlers) as ActionName[]).map((name) => [name, bind(name)])) as Record<
    ActionName,
    JobHandler
  >;
}
