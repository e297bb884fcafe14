// Version 4 of Alertmanager's webhook, for services that already receive messages from there.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
import type { NotificationDocument } from '#domain/notification.ts';

/** @param mostAlerts 0: all of them */
export function alertmanagerMessage(document: NotificationDocument, mostAlerts: number): NotificationDocument {
  const alerts = mostAlerts === 0 ? document.alerts : document.alerts.slice(0, mostAlerts);
  const left = document.alerts.length - alerts.length;
  return { ...document, alerts, truncatedAlerts: document.truncatedAlerts + left };
}
