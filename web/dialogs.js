// Everything that asks before it does: pause, hold, silence, actions with a dry run, and the text of a rule test.
import { api } from './api.js';
import { h, render } from './dom.js';
import { count, words } from './format.js';
import { channelName, store } from './store.js';

/** Says something for a few seconds. */
export function toast(text, bad = false) {
  const box = document.getElementById('toasts');
  const line = h('p', { class: bad ? 'toast bad' : 'toast' }, text);
  box.append(line);
  setTimeout(() => line.remove(), bad ? 9000 : 4000);
}

/** Does something and says how it went; a problem is said with its remedy. */
export async function attempt(done, work) {
  try {
    const answer = await work();
    if (done) toast(done);
    return answer ?? true;
  } catch (problem) {
    toast([problem.message, problem.remedy].filter(Boolean).join(' '), true);
    return undefined;
  }
}

/**
 * A form in a dialog. `fields` are elements; `submit(values, say)` gives true when the dialog may close.
 * Escape and the backdrop's Cancel close it; the focus goes back to where it was.
 */
export function ask({ title, text, fields = [], confirm, dismiss = 'Cancel', danger = false, submit, extra }) {
  const before = document.activeElement;
  const note = h('p.problem', { role: 'alert', hidden: true });
  const button = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, confirm);
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', { id: 'dialog-title' }, title),
    text ? h('p', {}, text) : '',
    fields,
    extra ?? '',
    note,
    h('div.buttons', {}, h('button', { type: 'button', 'data-close': true }, dismiss), button),
  );
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  form.querySelector('[data-close]').addEventListener('click', () => dialog.close());
  const send = async () => {
    button.disabled = true;
    note.hidden = true;
    try {
      const values = Object.fromEntries(new FormData(form));
      if ((await submit(values, form)) !== false) dialog.close();
    } catch (problem) {
      note.textContent = [problem.message, problem.remedy].filter(Boolean).join(' ');
      note.hidden = false;
    }
    button.disabled = false;
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  document.getElementById('dialogs').append(dialog);
  dialog.showModal();
  return dialog;
}

export function field(label, name, attributes = {}) {
  const id = `field-${name}`;
  const { options, lines, ...rest } = attributes;
  const control = options
    ? h(
        'select',
        { id, name, ...rest },
        options.map(([value, text]) => h('option', { value }, text)),
      )
    : lines
      ? h('textarea', { id, name, rows: lines, ...rest })
      : h('input', { id, name, type: 'text', autocomplete: 'off', ...rest });
  if (attributes.value !== undefined && lines) control.value = attributes.value;
  return h('p.field', {}, h('label', { for: id }, label), control);
}

const reason = () =>
  field('Why', 'reason', { required: true, maxlength: 200, placeholder: 'Shown to everybody, and kept in the audit' });
const times = [
  ['', 'until released'],
  ['15m', '15 minutes'],
  ['1h', '1 hour'],
  ['4h', '4 hours'],
  ['24h', '1 day'],
];

export function pauseAll() {
  ask({
    title: 'Pause all automation?',
    text: 'No rule acts until somebody resumes. Polling and this page go on; actions that you ask for by hand still work.',
    fields: [reason()],
    confirm: 'Pause all',
    danger: true,
    submit: async ({ reason: why }) => {
      await api('POST', '/v1/pause', { reason: why });
      toast('All automation is paused.');
    },
  });
}

export function resumeAll() {
  ask({
    title: 'Resume automation?',
    text: 'Rules act again from now on. What was held back is judged by what is true now.',
    confirm: 'Resume',
    submit: async () => {
      await api('POST', '/v1/resume', {});
      toast('Automation goes on.');
    },
  });
}

export function holdChannel(arn) {
  ask({
    title: `Hold ${channelName(arn)}?`,
    text: 'Automation keeps its hands off this channel.',
    fields: [reason(), field('For', 'duration', { options: times })],
    confirm: 'Hold',
    submit: async ({ reason: why, duration }) => {
      await api('PUT', `/v1/holds/${encodeURIComponent(arn)}`, { reason: why, ...(duration ? { duration } : {}) });
      toast('The channel is held.');
    },
  });
}

export function releaseChannel(arn) {
  ask({
    title: `Release ${channelName(arn)}?`,
    text: 'Rules may act on this channel again.',
    confirm: 'Release',
    submit: async () => {
      await api('DELETE', `/v1/holds/${encodeURIComponent(arn)}`);
      toast('The hold is released.');
    },
  });
}

export function addSilence() {
  ask({
    title: 'Silence decisions',
    text: 'What matches every line is held back until the silence ends.',
    fields: [
      field('Matchers, one on a line', 'matchers', {
        lines: 3,
        required: true,
        value: 'rule="…"',
        spellcheck: 'false',
      }),
      reason(),
      field('For', 'duration', { options: times.slice(1) }),
    ],
    confirm: 'Silence',
    submit: async ({ matchers, reason: why, duration }) => {
      const lines = matchers
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean);
      await api('POST', '/v1/silences', { matchers: lines, reason: why, duration });
      toast('The silence is in force.');
    },
  });
}

export function cancelBatch(id) {
  const { counts } = store.status?.batches?.find((batch) => batch.id === id) ?? {};
  ask({
    title: 'Cancel the rest of this batch?',
    text: `${counts ? `${count(counts.pending)} deliveries that were not sent yet are dropped` : 'What was not sent yet is dropped'}. What viewers have got stays with them.`,
    confirm: 'Cancel the rest',
    dismiss: 'Keep sending',
    danger: true,
    submit: async () => {
      await api('DELETE', `/v1/metadata/batches/${encodeURIComponent(id)}`);
      toast('The rest of the batch is cancelled.');
    },
  });
}

const actions = {
  'act-stop': {
    title: 'Stop the stream of',
    danger: true,
    fields: () => [
      field('Afterwards', 'revoke', {
        options: [
          ['', 'keep the stream key: an encoder may reconnect'],
          ['yes', 'delete the stream key: it cannot come back'],
        ],
      }),
    ],
    action: ({ revoke }) => ({ stop_stream: revoke ? { revoke_key: true } : {} }),
  },
  'act-key': {
    title: 'Rotate the stream key of',
    danger: true,
    fields: () => [
      field('When', 'when', {
        options: [
          ['offline', 'when the stream has ended'],
          ['now', 'now: the running stream goes on'],
          ['now_and_stop', 'now, and stop the stream'],
        ],
      }),
      field('Deliver to', 'sink', {
        options: [
          ['secrets_manager', 'AWS Secrets Manager'],
          ['ssm_parameter', 'SSM Parameter Store'],
          ['file', 'a file on the daemon'],
        ],
      }),
      field('Name there', 'where', { required: true }),
    ],
    action: ({ when, sink, where }) => ({ rotate_stream_key: { when, deliver: { [sink]: where } } }),
  },
  'act-recording': {
    title: 'Set the recording of',
    fields: () => [
      field('Recording configuration', 'configuration', {
        required: true,
        placeholder: 'name, ARN or bucket; none switches it off',
      }),
      field('If it is live', 'if_live', {
        options: [
          ['defer', 'wait for the end of the stream'],
          ['skip', 'do nothing'],
          ['restart', 'stop the stream, so that the encoder comes back recorded'],
        ],
      }),
    ],
    action: ({ configuration, if_live }) => ({ set_recording: { configuration, if_live } }),
  },
  'act-metadata': {
    title: 'Send timed metadata to',
    fields: () => [
      field('Payload: text, or JSON', 'payload', {
        lines: 4,
        required: true,
        value: '{"type":"notice"}',
        spellcheck: 'false',
      }),
    ],
    action: ({ payload }) => ({ put_metadata: { payload: parsed(payload) } }),
  },
};

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === 'object' && !Array.isArray(value) ? value : text;
  } catch {
    return text;
  }
}

/** Asks for an action, shows what it would do, then does it. */
export function act(kind, arn) {
  const { title, fields, action, danger = false } = actions[kind];
  const plan = h('div', { class: 'plan', 'aria-live': 'polite' });
  const body = (values, dryRun) => ({
    action: action(values),
    channelArn: arn,
    reason: values.reason,
    ...(dryRun ? { dryRun: true } : {}),
  });
  const dry = h('button', { type: 'button' }, 'Show what it would do');
  const dialog = ask({
    title: `${title} ${channelName(arn)}?`,
    fields: [...fields(), reason()],
    extra: [h('p', {}, dry), plan],
    confirm: 'Do it',
    danger,
    submit: async (values) => {
      const { jobId } = await api('POST', '/v1/actions', body(values, false));
      toast(`Asked for. Job ${jobId}.`);
      void followJob(jobId);
    },
  });
  const look = async () => {
    const form = dialog.querySelector('form');
    if (!form.reportValidity()) return;
    dry.disabled = true;
    render(plan, h('p.dim', {}, 'Looking…'));
    try {
      const { jobId } = await api('POST', '/v1/actions', body(Object.fromEntries(new FormData(form)), true));
      const job = await finished(jobId);
      const calls = job.result?.calls ?? [];
      render(
        plan,
        h('p', {}, outcomeOf(job)),
        calls.length > 0
          ? h(
              'ol',
              {},
              calls.map((call) => h('li', {}, h('code', {}, call))),
            )
          : '',
      );
    } catch (problem) {
      render(plan, h('p.problem', { role: 'alert' }, [problem.message, problem.remedy].filter(Boolean).join(' ')));
    }
    dry.disabled = false;
  };
  dry.addEventListener('click', () => void look());
}

async function finished(jobId) {
  for (let turn = 0; turn < 40; turn += 1) {
    const job = await api('GET', `/v1/jobs/${encodeURIComponent(jobId)}`);
    if (job.finishedAt !== undefined) return job;
    await new Promise((done) => setTimeout(done, 250));
  }
  return { state: 'under way', result: { reason: 'The timeline will show its end.' } };
}

/** What became of a job, in words. */
function outcomeOf({ state, result, error }) {
  return [words(result?.outcome ?? state), error ?? result?.reason].filter(Boolean).join(': ');
}

async function followJob(jobId) {
  try {
    const job = await finished(jobId);
    toast(`${words(job.name ?? 'Job')} ${outcomeOf(job)}`, job.state === 'failed');
  } catch (problem) {
    toast(problem.message, true);
  }
}

/** A rule test, as it is written into a test file, from a decision. */
export function makeTest({ rule, outcome, reason, channel, forMs, kind, values, jobs }) {
  const end = Math.max(10, Math.round(forMs / 1000) + 10);
  const health = typeof values.health === 'string' ? values.health : 'STARVING';
  const lines = [
    `tests:`,
    `  - name: ${JSON.stringify(`${rule}: ${words(reason)}`)}`,
    `    channels: [{arn: ch/${channel.replaceAll(/[^A-Za-z0-9-]/g, '-')}, tags: {}}]`,
    kind === 'event'
      ? `    timeline: ["0s ch/${channel} HEALTHY"]  # and the event that set it off`
      : `    timeline: ["0s ch/${channel} HEALTHY", "10s ch/${channel} ${health}"]`,
    `    expect:`,
    outcome === 'acted' || outcome === 'would_act'
      ? `      - {at: ${end}s, rule: ${rule}, jobs: [${jobs.join(', ')}]}`
      : `      - {at: ${end}s, rule: ${rule}, decision: ${outcome}, reason: ${reason}}`,
  ];
  const area = h('textarea', { rows: 9, readonly: true, 'aria-label': 'Rule test', spellcheck: 'false' });
  area.value = lines.join('\n');
  ask({
    title: 'A test from this decision',
    text: 'Put it beside the rules, complete tags and timeline, and run “ivs-autopilot test”.',
    fields: [area],
    confirm: 'Copy',
    submit: async () => {
      area.select();
      await navigator.clipboard?.writeText(area.value).catch(() => document.execCommand('copy'));
      toast('Copied.');
    },
  });
}

export function showKeys() {
  const keys = [
    ['/', 'filter the streams'],
    ['j  k', 'next, previous stream'],
    ['Enter', 'open the stream that has the focus'],
    ['h', 'hold it'],
    ['g s', 'streams'],
    ['g d', 'decisions'],
    ['g r', 'rules'],
    ['g q', 'quota'],
    ['g b', 'batches'],
    ['g a', 'audit'],
    ['Shift P', 'pause all'],
    ['?', 'this list'],
  ];
  ask({
    title: 'Keys',
    fields: [
      h(
        'dl',
        {},
        keys.map(([key, text]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, text)]),
      ),
    ],
    confirm: 'Close',
    submit: async () => true,
  });
}
