// Fills in the templates of an operator action, `{{ channel… }}`, from what is known about the channel.
import { setImmediate } from 'node:timers/promises';
import type { ActionName, ActionParams } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { compileParams } from '#rules/action-template.ts';
import { channelDocument } from '#rules/documents.ts';

/** Most characters of the parameters of all channels of one bulk action, as JSON: every replica keeps them until they have run. */
const longestBulk = 16 * 2 ** 20;
const renderedAtOnce = 50;
const templateRoots: ReadonlySet<'channel'> = new Set(['channel']);

/** Returns the parameters for this channel; without a channel, templates are refused. @throws AppError REQUEST_INVALID */
export function render(
  state: Pick<SharedState, 'view'>,
  action: ActionName,
  params: ActionParams,
  channelArn: string | undefined,
): ActionParams {
  const compiled = compileParams(action, params, channelArn === undefined ? new Set() : templateRoots);
  if (!compiled.ok) {
    const problems = compiled.problems.map(({ path, message }) => ({
      path: ['body.action', action, ...path].join('.'),
      message,
    }));
    throw new AppError('REQUEST_INVALID', `${problems[0]!.path}: ${problems[0]!.message}`, { details: { problems } });
  }
  if (!compiled.hasTemplates || channelArn === undefined) return params;
  const { view } = state;
  const record = view.get(kinds.stream.of(channelArn));
  const channel = channelDocument(
    channelArn as ChannelArn,
    view.get(kinds.channel.of(channelArn)),
    record?.channelName,
  );
  const firing = { since: '', duration: '', durationSeconds: 0, group: channelArn, resolved: false };
  const rendered = compiled.render({ rule: { name: 'operator', mode: 'enforce' }, firing, channel });
  if (!rendered.ok)
    throw new AppError('REQUEST_INVALID', `body.action.${action}: for ${channelArn}: ${rendered.problem}`);
  return rendered.params;
}

/** Fills in the parameters for each channel, and yields so that other requests are answered meanwhile. @throws AppError REQUEST_INVALID */
export async function renderAll(
  state: Pick<SharedState, 'view'>,
  { action, params, arns }: { action: ActionName; params: ActionParams; arns: readonly string[] },
): Promise<{ readonly channelArn: string; readonly params: ActionParams }[]> {
  const items = [];
  let length = 0;
  for (const channelArn of arns) {
    const rendered = render(state, action, params, channelArn);
    items.push({ channelArn, params: rendered });
    length += JSON.stringify(rendered).length;
    if (length > longestBulk)
      throw new AppError(
        'REQUEST_INVALID',
        `body.action: the parameters for ${arns.length} channels are too large in total: at most ${longestBulk / 2 ** 20} MB; send less, or to fewer channels at once`,
      );
    if (items.length % renderedAtOnce === 0) await setImmediate();
  }
  return items;
}
