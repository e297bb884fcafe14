// Channels as people name them: by ARN, by the last part of the ARN, or by name.
import { nearestName } from '#domain/nearest-name.ts';
import { api, query } from './api.ts';
import { idOf } from './format.ts';

interface Known {
  readonly arn: string;
  readonly name: string;
}

/** Channels per answer, and the most answers requested: the inventory of a large account. */
const page = 1000;
const mostPages = 50;
/** At most this many unknown names are listed. */
const mostTold = 5;

/**
 * ARNs of the channels that are meant, each once, in their order. The name of a channel in `chosen` means that channel, whoever else has
 * it.
 * @throws Error that lists the texts that match no channel, or several
 */
export async function channelsMeant(
  texts: readonly string[],
  chosen: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const known = texts.every((text) => isArn(text) || chosen.has(text)) ? [] : await inventory(signal);
  const found = new Set<string>();
  const problems: string[] = [];
  for (const text of texts) {
    const own = isArn(text) ? text : chosen.get(text);
    const meant =
      own === undefined
        ? known.filter(({ arn, name }) => name === text || idOf(arn) === text).map(({ arn }) => arn)
        : [own];
    if (meant.length === 1) found.add(meant[0]!);
    else
      problems.push(
        meant.length === 0 ? unknownText(text, known) : `${meant.length} channels have the name “${text}”: use the ARN`,
      );
  }
  if (problems.length > 0) {
    const more = problems.length > mostTold ? `, and ${problems.length - mostTold} more` : '';
    throw new Error(`${problems.slice(0, mostTold).join('; ')}${more}.`);
  }
  return [...found];
}

function isArn(text: string): boolean {
  return text.startsWith('arn:');
}

function unknownText(text: string, known: readonly Known[]): string {
  const near = nearestName(
    text,
    known.flatMap(({ arn, name }) => (name === '' ? [idOf(arn)] : [name, idOf(arn)])),
  );
  return `No channel has the name “${text.slice(0, 80)}”${near === undefined ? '' : ` (did you mean ${near}?)`}`;
}

async function inventory(signal: AbortSignal): Promise<readonly Known[]> {
  const known: Known[] = [];
  let after: string | undefined;
  for (let turn = 0; turn < mostPages; turn += 1) {
    const answer = await api<{ channels: readonly Known[]; next?: string }>(
      'GET',
      `/v1/channels${query({ limit: page, after })}`,
      { signal },
    );
    known.push(...answer.channels);
    after = answer.next;
    if (after === undefined) break;
  }
  return known;
}
