// Templates of receivers: what they may name, and the texts they produce. A template that fails does not hold back its message.

import { didYouMean } from '#domain/nearest-name.ts';
import type { NotificationDocument } from '#domain/notification.ts';
import type { TextOf } from '#domain/receiver.ts';
import { compileTemplate, type TemplateMode } from './template.ts';

/** The fields of each variable; `*`: any names. */
export const notificationFields = {
  status: [],
  receiver: [],
  groupKey: [],
  truncatedAlerts: [],
  externalURL: [],
  groupLabels: ['*'],
  commonLabels: ['*'],
  commonAnnotations: ['*'],
  alerts: ['status', 'labels.*', 'annotations.summary', 'startsAt', 'endsAt', 'generatorURL', 'fingerprint'],
  version: [],
} as const satisfies Readonly<Record<keyof NotificationDocument, readonly string[]>>;

/** Compiles a receiver's template. */
export function notificationTemplate(
  text: string,
  mode: TemplateMode,
): { readonly ok: true; readonly textOf: TextOf } | { readonly ok: false; readonly message: string } {
  const template = compileTemplate(text, { mode, problemOf });
  if (!template.ok) return template;
  return {
    ok: true,
    textOf: (notification) => {
      try {
        return String(template.render(notification));
      } catch {
        return undefined;
      }
    },
  };
}

function problemOf([root]: readonly unknown[]): string | undefined {
  const names = Object.keys(notificationFields);
  if (typeof root === 'string' && names.includes(root)) return undefined;
  return `unknown variable ${String(root)}${didYouMean(String(root), names)}; there are ${names.join(', ')}`;
}
