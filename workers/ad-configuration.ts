// Ad configurations: finds the one that was named, and checks which channels can have one.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_AdConfiguration.html
import { AppError } from '#domain/errors.ts';
import { findNamed, type NamedResource } from './named-resource.ts';
import type { ChannelDetails, HandlerContext } from './ports.ts';

/** The ad configuration with this name or ARN. @throws AppError AD_CONFIGURATION_UNKNOWN, AD_CONFIGURATION_AMBIGUOUS */
export function findAdConfiguration(
  wanted: string,
  { ivs, signal }: Pick<HandlerContext, 'ivs' | 'signal'>,
): Promise<NamedResource> {
  return findNamed(wanted, {
    type: 'ad-configuration',
    unknown: 'AD_CONFIGURATION_UNKNOWN',
    ambiguous: 'AD_CONFIGURATION_AMBIGUOUS',
    get: (arn) => ivs.getAdConfiguration(arn, { signal }),
    list: () => ivs.listAdConfigurations({ signal }),
  });
}

/**
 * Ads need MPEG-TS: IVS refuses them for fragmented MP4, and with it for multitrack input. If the format is unknown, IVS decides.
 * @throws AppError AD_CONFIGURATION_IMPOSSIBLE
 */
export function assertCanHaveAds({ arn, containerFormat }: Pick<ChannelDetails, 'arn' | 'containerFormat'>): void {
  if (containerFormat !== 'FRAGMENTED_MP4') return;
  throw new AppError(
    'AD_CONFIGURATION_IMPOSSIBLE',
    `${arn} has containerFormat FRAGMENTED_MP4, and ads need TS: nothing was changed`,
  );
}
