// Notices that the configuration file is another one: written in place, renamed over, or behind a link that was swapped (a mounted
// ConfigMap). Its folder is watched for renames and links, the file itself for what a mount hides from the folder.
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '#runtime/logger.ts';

export interface ConfigWatchOptions {
  readonly file: string;
  /** Called after each burst of changes; there may have been none of this file's content. */
  readonly onChange: () => void;
  readonly logger: Logger;
  /** How long it must be quiet first: editors write in several steps. */
  readonly settleMs?: number;
}

/** Watches until it is closed. What cannot be watched is logged once: SIGHUP and the API still reload. */
export function watchConfig({ file, onChange, logger, settleMs = 300 }: ConfigWatchOptions): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const watchers: { folder?: FSWatcher; file?: FSWatcher } = {};

  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // A file that was replaced is another one than the one that is watched.
      watchers.file?.close();
      delete watchers.file;
      if (closed) return;
      watchFile();
      onChange();
    }, settleMs);
  };
  const watchFile = () => {
    try {
      watchers.file = watch(file, changed);
      watchers.file.on('error', () => undefined);
    } catch {
      // It is away for the moment: the folder tells when it is back.
    }
  };
  try {
    watchers.folder = watch(dirname(file), changed);
    watchers.folder.on('error', (error) =>
      logger.warn({ err: error }, 'the configuration file is not watched any more; SIGHUP still reloads it'),
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
