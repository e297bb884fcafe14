// The receivers of the configuration in force, and test messages to them. Implements the port of routes/receivers.ts.
import { randomUUID } from 'node:crypto';
import type { ActionJob } from '#domain/action.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { notFound } from '#domain/not-found.ts';
import { personText } from '#domain/person.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { audit } from '#journal/audit.ts';
import type { ShardDirectory } from '#shard/directory.ts';
import type { ActionShard } from './operator-actions.ts';
import type { ReceiversPort, ReceiverView } from './routes/receivers.ts';

export interface ReceiversOptions {
  readonly shards: ShardDirectory<ActionShard>;
  readonly configHash: () => string;
}

export class Receivers implements ReceiversPort {
  readonly #options: ReceiversOptions;

  constructor(options: ReceiversOptions) {
    this.#options = options;
  }

  list(): ReceiverView[] {
    return this.#options.shards.first.ruleset.receivers.map(({ name, integrations, grouping }) => ({
      name,
      integrations: integrations.map(({ place }) => place),
      grouped: grouping !== undefined,
    }));
  }

  async test(name: string, account: string | undefined, who: string): Promise<{ readonly jobId: string }> {
    const { shards, configHash } = this.#options;
    const shard = account === undefined ? shards.first : shards.named(account);
    const names = shard.ruleset.receivers.map((receiver) => receiver.name);
    if (!names.includes(name))
      throw notFound(
        'receiver',
        `there is no receiver ${name}${didYouMean(name, names)}; the configuration has ${names.join(', ') || 'none'}`,
      );
    const jobId = jobIdOf('notify', who, randomUUID());
    const reason = 'test of the receiver';
    await shard.state.transact((tx) => {
      const job: ActionJob<'notify'> = {
        action: 'notify',
        params: { receiver: name, text: `Test of the receiver ${name}, requested by ${personText(who)}.` },
        cause: { kind: 'operator', who, reason },
        decidedAtMs: tx.nowMs,
        isTest: true,
      };
      tx.enqueue({ jobId, name: 'notify', payload: { ...job } });
      audit(tx, {
        who,
        what: 'notify',
        outcome: 'requested',
        why: reason,
        jobId,
        params: job.params,
        configHash: configHash(),
      });
    });
    shard.relay.nudge();
    return { jobId };
  }
}
