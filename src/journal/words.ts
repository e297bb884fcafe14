// A decision in a few words, for a line that people scan: its reason, with the values that were compared.
import { type Decision, type DecisionReason, decisionReasons, type GuardName, type Values } from '#domain/decision.ts';
import { spanText } from '#domain/duration.ts';
import { personText } from '#domain/person.ts';

type Told = Pick<Decision, 'outcome' | 'reason' | 'atMs' | 'afterMs' | 'trigger' | 'guards' | 'withheld'>;

/** `3 min after firing`, `on hold by mara: sponsor on air`; unknown values of an old entry are left out. */
export function decisionWords(decision: Told): string {
  const { outcome, reason, afterMs } = decision;
  const text = special[reason]?.(decision) ?? decisionReasons[reason].words;
  const isHeldBack = outcome === 'suppressed' && afterMs !== undefined;
  return isHeldBack ? `${spanText(afterMs)} after firing, held back: ${text}` : text;
}

const special: { readonly [R in DecisionReason]?: (decision: Told) => string | undefined } = {
  fired: (decision) => (lasts(decision) ? `fired after ${sinceText(decision)}` : undefined),
  step_due: ({ afterMs }) => (afterMs === undefined ? undefined : `${spanText(afterMs)} after firing`),
  step_cancelled: ({ afterMs }) =>
    afterMs === undefined ? undefined : `over before the action ${spanText(afterMs)} after firing`,
  for_not_reached: (decision) => (lasts(decision) ? `over after ${sinceText(decision)}` : undefined),
  event_too_old: ({ trigger: { values } }) => ageText(values['ageMs']),
  held: (decision) => byText('on hold', refusedBy(decision, 'hold')),
  paused: (decision) => byText('paused', refusedBy(decision, 'pause')),
  silenced: ({ withheld: [first] }) => byText('silenced', { ...first?.values, by: first?.values['author'] }),
  inhibited: ({ withheld: [first] }) => textOf(first?.values['by'], (by) => `inhibited by ${by}`),
  cooldown: (decision) =>
    textOf(refusedBy(decision, 'cooldown')?.['lastFired'], (at) => {
      const agoMs = decision.atMs - Date.parse(at);
      return agoMs >= 0 ? `fired ${spanText(agoMs)} before` : undefined;
    }),
  max_per_hour: (decision) => {
    const fired = refusedBy(decision, 'max_per_hour')?.['firedInLastHour'];
    return typeof fired === 'number' ? `fired ${fired} times in an hour` : undefined;
  },
  approved: ({ trigger: { values } }) => textOf(values['approvedBy'], (who) => `approved by ${everybodyIn(who)}`),
  approval_rejected: ({ trigger: { values } }) =>
    byText('rejected', { by: values['rejectedBy'], reason: values['why'] }),
  max_live_percent: (decision) => {
    const { affected, live } = refusedBy(decision, 'max_live_percent') ?? {};
    return typeof affected === 'number' && typeof live === 'number'
      ? `${affected} of ${live} live channels at once`
      : undefined;
  },
};

/** Whether the time since its beginning is how long the condition lasted. */
function lasts({ trigger: { kind, sinceMs }, atMs }: Told): boolean {
  return (kind === 'state' || kind === 'aggregate') && atMs - sinceMs >= 1000;
}

function sinceText({ trigger: { sinceMs }, atMs }: Told): string {
  return spanText(atMs - sinceMs);
}

function ageText(ageMs: unknown): string | undefined {
  return typeof ageMs === 'number' ? `the event was ${spanText(ageMs)} old` : undefined;
}

function refusedBy({ guards }: Told, name: GuardName): Values | undefined {
  return guards.find(({ guard, passed }) => guard === name && !passed)?.values;
}

function byText(what: string, values: { readonly [name: string]: unknown } | undefined): string | undefined {
  const why = textOf(values?.['reason'], (reason) => `: ${reason}`) ?? '';
  return textOf(values?.['by'], (by) => `${what} by ${personText(by)}${why}`);
}

/** Several people, as a decision lists them. */
function everybodyIn(who: string): string {
  return who.split(', ').map(personText).join(' and ');
}

function textOf(value: unknown, say: (text: string) => string | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? say(value) : undefined;
}
