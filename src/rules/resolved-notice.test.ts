import { describe, expect, test } from 'vitest';
import { Engine, epochMs } from '#test/support/engine.ts';

const rules = (more = '') => `
receivers:
  - name: noc
    webhook_configs:
      - {url: "https://noc.example/log", send_resolved: false}
      - {url: "https://noc.example/hook", send_resolved: true}
  - name: quiet
    webhook_configs: [{url: "https://quiet.example/hook", send_resolved: false}]
rules:
  - name: starving
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions:
      - {notify: {receiver: noc, text: "starves"}}
      - {notify: {receiver: noc, text: "starves for long"}, after: 1m}
      - {notify: {receiver: quiet, text: "psst"}}
    ${more}
`;
async function texts(more?: string) {
  const engine = new Engine(rules(more));
  await engine.goLive('a');
  await engine.stream('a', { health: 'STARVING' });
  await engine.goTo(10);
  await engine.stream('a', { health: 'HEALTHY' });
  await engine.goTo(200);
  return engine.jobs.map(({ payload }) => (payload.params as { readonly text: string }).text);
}

describe('the resolve of a rule', () => {
  test('is sent to receivers that were notified at once, if any of their webhooks wants it', async () => {
    expect(await texts()).toEqual(['starves', 'psst', 'Resolved: starves']);
  });

  test('is dated by when the condition was over, even if that is noticed late', async () => {
    const engine = new Engine(rules().replace('text: "starves"', 'text: "starves for {{ firing.duration }}"'));
    await engine.goLive('a');
    await engine.stream('a', { health: 'STARVING' });
    await engine.goTo(14);
    await engine.stream('a', { health: 'HEALTHY', healthSinceMs: epochMs + 10_000 });

    const { params, alert } = engine.jobs.at(-1)!.payload as { params: { text: string }; alert?: object };
    expect(params.text).toBe('Resolved: starves for 10s');
    expect(alert).toMatchObject({ startsAtMs: epochMs, endsAtMs: epochMs + 10_000 });
  });

  test('is sent only by `on_resolve` if that notifies itself', async () => {
    expect(await texts('on_resolve: [{notify: {receiver: quiet, text: "fine"}}]')).toEqual(['starves', 'psst', 'fine']);
  });
});
