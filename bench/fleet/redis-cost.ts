// What a Redis has used so far, as reported by itself. https://redis.io/docs/latest/commands/info/
import type { Redis } from 'ioredis';

export interface RedisCost {
  readonly redisCpuMs: number;
  readonly commands: number;
  /** In and out. */
  readonly trafficMb: number;
  readonly usedMb: number;
}

export async function redisCost(redis: Pick<Redis, 'info'>): Promise<RedisCost> {
  const info = await redis.info();
  const figure = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  const megabyte = 1_048_576;
  return {
    redisCpuMs: (figure('used_cpu_user') + figure('used_cpu_sys')) * 1000,
    commands: figure('total_commands_processed'),
    trafficMb: (figure('total_net_input_bytes') + figure('total_net_output_bytes')) / megabyte,
    usedMb: figure('used_memory') / megabyte,
  };
}
