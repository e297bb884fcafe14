// `/v1/alerts`: the one list of what needs a person, and a person's word that it has been seen.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { iso } from '#domain/duration.ts';
import type { SharedState } from '#domain/shared-state.ts';
import {
  type Alert,
  type AlertKind,
  type AlertShard,
  type AlertSources,
  acknowledge,
  alertKinds,
  endedIncidents,
  openAlerts,
} from '../alerts.ts';
import { actorOf } from '../auth.ts';
import { refreshAll } from '../refresh-all.ts';

const time = z.iso.datetime();
const kind = z.enum(Object.keys(alertKinds) as [AlertKind, ...AlertKind[]]);
const alert = z.object({
  id: z.string(),
  kind,
  severity: z.enum(['critical', 'warning']),
  title: z.string(),
  cause: z.string().describe('What happened, in full'),
  link: z.string().describe('Where more is to be seen: an address of this daemon'),
  since: time,
  end: time.nullable().describe('When it ended, or ends by itself; null: when its cause is gone'),
  channelArn: z.string().optional(),
  rule: z.string().optional(),
  dismissible: z.literal(true).optional().describe('Only a person ends it, by acknowledging it'),
  acknowledged: z.object({ who: z.string(), note: z.string(), at: time }).optional(),
});
const tags = ['Alerts'];

export interface AlertRoutesOptions extends AlertSources {
  readonly shards: readonly (AlertShard & { readonly state: SharedState })[];
}

export function alertRoutes(sources: AlertRoutesOptions): FastifyPluginAsyncZod {
  const refresh = () => refreshAll({ all: sources.shards });
  return async (app) => {
    app.get(
      '/alerts',
      {
        schema: {
          operationId: 'listAlerts',
          summary: 'What needs a person, the worst first',
          tags,
          querystring: z.strictObject({
            kind: kind.optional(),
            ended: z.stringbool().optional().describe('With incidents that are over'),
          }),
          response: { 200: z.object({ alerts: z.array(alert) }) },
        },
      },
      async ({ query }) => {
        await refresh();
        const all = [...openAlerts(sources), ...(query.ended ? endedIncidents(sources) : [])];
        return { alerts: all.filter((each) => query.kind === undefined || each.kind === query.kind).map(shown) };
      },
    );
    app.post(
      '/alerts/:id/acknowledge',
      {
        schema: {
          operationId: 'acknowledgeAlert',
          summary: 'Say that an alert has been seen; of a failed job or a refused delivery this is its end',
          tags,
          params: z.strictObject({ id: z.string().min(1).max(700) }),
          body: z.strictObject({ note: z.string().max(500).optional() }).optional(),
          response: { 200: alert },
        },
      },
      async ({ params, body, caller }) => {
        await refresh();
        return shown(await acknowledge(sources, params.id, { who: actorOf(caller), note: body?.note ?? '' }));
      },
    );
  };
}

function shown({ since, end, link, acknowledged, ...rest }: Alert): z.infer<typeof alert> {
  const { atMs, ...by } = acknowledged ?? { atMs: 0, who: '', note: '' };
  return {
    ...rest,
    link: link.startsWith('#') ? `/${link}` : link,
    since: iso(since),
    end: end === undefined ? null : iso(end),
    ...(acknowledged ? { acknowledged: { ...by, at: iso(atMs) } } : {}),
  };
}
