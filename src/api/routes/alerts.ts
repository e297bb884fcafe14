// `/v1/alerts`: the one list of what needs a person, and the acknowledgement that a person has seen it.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { iso } from '#domain/duration.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { type Alert, type AlertKind, alertKinds, alertStates, stateOf } from '../alert.ts';
import type { AlertShard, AlertSources } from '../alert-sources.ts';
import { acknowledge, endedAlerts, inAlertOrder, inEndOrder, openAlerts } from '../alerts.ts';
import type { AlertsElsewhere } from '../alerts-elsewhere.ts';
import { actorOf } from '../auth.ts';
import { unaskedField, unaskedOf } from '../reach.ts';
import { refreshAll } from '../refresh-all.ts';

const time = z.iso.datetime();
const kind = z.enum(Object.keys(alertKinds) as [AlertKind, ...AlertKind[]]);
const alert = z.object({
  id: z.string(),
  kind,
  severity: z.enum(['critical', 'warning']),
  title: z.string(),
  cause: z.string().describe('What happened, in full'),
  link: z.string().describe('A path of this daemon with more details'),
  since: time,
  end: time.nullable().describe('When it ended or ends by itself; null: when its cause is gone'),
  channelArn: z.string().optional(),
  rule: z.string().optional(),
  dismissible: z.literal(true).optional().describe('Only a person ends it, by acknowledging it'),
  state: z.enum(alertStates).describe('resolved: it is over'),
  owner: z.string().optional().describe('The person who acknowledged it last'),
  acknowledged: z.object({ who: z.string(), note: z.string(), at: time }).optional(),
});
const tags = ['Alerts'];

export interface AlertRoutesOptions extends AlertSources {
  readonly shards: readonly (AlertShard & { readonly state: SharedState })[];
  /** If other processes carry accounts. */
  readonly elsewhere?: AlertsElsewhere | undefined;
}

export function alertRoutes(sources: AlertRoutesOptions): FastifyPluginAsyncZod {
  const refresh = () => refreshAll({ all: sources.shards });
  return async (app) => {
    app.get(
      '/alerts',
      {
        schema: {
          operationId: 'listAlerts',
          summary: 'List alerts: what needs a person, the worst first',
          tags,
          querystring: z.strictObject({
            kind: kind.optional(),
            state: z.enum(alertStates).optional(),
            owner: z
              .string()
              .max(200)
              .optional()
              .describe('Only alerts acknowledged by this person, such as `token mara` or `user mara`'),
            ended: z
              .stringbool()
              .optional()
              .describe('Also past alerts: the newest incidents, and others that ended within a day'),
          }),
          response: { 200: z.object({ alerts: z.array(alert), unasked: unaskedField }) },
        },
      },
      async ({ query }) => {
        await refresh();
        const others = await sources.elsewhere?.open();
        const withEnded = query.ended ?? query.state === 'resolved';
        const ended = withEnded ? [...endedAlerts(sources), ...((await sources.elsewhere?.ended()) ?? [])] : [];
        const all = [...inAlertOrder([...openAlerts(sources), ...(others?.alerts ?? [])]), ...inEndOrder(ended)];
        const nowMs = sources.shards[0]?.state.nowMs() ?? 0;
        return {
          alerts: all
            .map((each) => shown(each, nowMs))
            .filter(
              ({ kind: kindOf, state, owner }) =>
                (query.kind === undefined || kindOf === query.kind) &&
                (query.state === undefined || state === query.state) &&
                (query.owner === undefined || owner === query.owner),
            ),
          ...unaskedOf({ unasked: others?.unasked ?? [] }),
        };
      },
    );
    app.post(
      '/alerts/:id/acknowledge',
      {
        config: { onStandby: true },
        schema: {
          operationId: 'acknowledgeAlert',
          summary: 'Acknowledge an alert; this ends a failed job or a refused delivery',
          tags,
          params: z.strictObject({ id: z.string().min(1).max(700) }),
          body: z.strictObject({ note: z.string().max(500).optional() }).optional(),
          response: { 200: alert },
        },
      },
      async ({ params, body, caller }) => {
        await refresh();
        const alert = await acknowledge(sources, params.id, { who: actorOf(caller), note: body?.note ?? '' });
        return shown(alert, alert.end ?? alert.acknowledged?.atMs ?? 0);
      },
    );
  };
}

function shown(each: Alert, nowMs: number): z.infer<typeof alert> {
  const { since, newest: _, dryRun: __, end, link, acknowledged, ...rest } = each;
  const { atMs, ...by } = acknowledged ?? { atMs: 0, who: '', note: '' };
  return {
    ...rest,
    link: link.startsWith('#') ? `/${link}` : link,
    state: stateOf(each, nowMs),
    since: iso(since),
    end: end === undefined ? null : iso(end),
    ...(acknowledged ? { owner: acknowledged.who, acknowledged: { ...by, at: iso(atMs) } } : {}),
  };
}
