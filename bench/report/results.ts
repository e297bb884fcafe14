// What a bench records besides its figures (where and how it was run), and the files that it leaves under bench/results.
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** A figure without this means nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string;
}

export async function machineWith(redisUrl: string): Promise<Machine> {
  const redis = new Redis(redisUrl);
  const server = await redis.info('server').finally(() => redis.disconnect());
  const valkey = /^valkey_version:(\S+)/m.exec(server)?.[1];
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    redis: valkey === undefined ? (/^redis_version:(\S+)/m.exec(server)?.[1] ?? 'unknown') : `valkey ${valkey}`,
  };
}

export function machineLine({ cpu, cores, memoryGb, system, node, redis }: Machine): string {
  return `${cores} × ${cpu}, ${memoryGb} GB, ${system}, Node ${node}, Redis ${redis}`;
}

/** As one would type it again. */
export function commandLine(): string {
  return ['npm run bench --', ...process.argv.slice(2)].join(' ');
}

/** Returns the file's path. */
export function writeResult(name: string, content: object | string): string {
  const folder = join(import.meta.dirname, '..', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  return file;
}
