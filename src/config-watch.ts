// Notices that the configuration file has changed: written in place, renamed over, or behind a link that was swapped (a mounted ConfigMap).
// The folder is watched for renames and links, the file itself for changes that a mount hides from the folder.
import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '#runtime/logger.ts';

export interface ConfigWatchOptions {
  readonly file: string;
  /** Called when the file was replaced or written; its content may be the same. */
  readonly onChange: () => void;
  readonly logger: Logger;
  /** How long it must be quiet first, because editors write in several steps. */
  readonly settleMs?: number;
}

/** How many times the quiet time a check can be delayed by constant writes of others in the folder. */
const mostSettles = 7;

/** Watches until it is closed. A failure to watch is logged once: SIGHUP and the API still reload. */
export function watchConfig({ file, onChange, logger, settleMs = 300 }: ConfigWatchOptions): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let firstChangeAt: number | undefined;
  let known = identityOf(file);
  let closed = false;
  const watchers: { folder?: FSWatcher; file?: FSWatcher } = {};

  const changed = () => {
    clearTimeout(timer);
    firstChangeAt ??= performance.now();
    const waitMs = Math.min(settleMs, firstChangeAt + mostSettles * settleMs - performance.now());
    timer = setTimeout(() => {
      firstChangeAt = undefined;
      // A replaced file is not the one that is being watched.
      watchers.file?.close();
      delete watchers.file;
      if (closed) return;
      watchFile();
      const found = identityOf(file);
      if (found === known) return;
      known = found;
      onChange();
    }, waitMs);
  };
  const watchFile = () => {
    try {
      watchers.file = watch(file, changed);
      watchers.file.on('error', () => undefined);
    } catch {
      // It is missing for the moment; the folder reports its return.
    }
  };
  try {
    watchers.folder = watch(dirname(file), changed);
    watchers.folder.on('error', (error) =>
      logger.warn({ err: error }, 'the configuration file is no longer watched; SIGHUP still reloads it'),
    );
  } catch (error) {
    logger.warn({ err: error }, 'the configuration file cannot be watched; SIGHUP reloads it');
  }
  watchFile();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      watchers.folder?.close();
      watchers.file?.close();
    },
  };
}

/** Identifies the file behind all links, and its last change. */
function identityOf(file: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(file);
    return `${realpathSync(file)} ${ino} ${mtimeMs} ${size}`;
  } catch {
    return 'away';
  }
}
