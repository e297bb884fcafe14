// The configuration in force: loaded at the start, and again by a signal, by a request or because a file changed, always by the same code.
// A configuration with any mistake changes nothing.
import type { ApiToken } from '#api/auth.ts';
import { sameTokens } from '#api/tokens.ts';
import type { ConfigInForce } from '#config/in-force.ts';
import { lintConfig } from '#config/lint.ts';
import type { Config } from '#config/load.ts';
import { formatProblem } from '#config/problem.ts';
import { settingsThatNeedRestart } from '#config/restart.ts';
import { secretTextsOf } from '#config/secret-texts.ts';
import { messageOf } from '#domain/errors.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Logger, Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { SharedRun } from '#runtime/shared-run.ts';

export interface ConfigKeeperOptions {
  /** What the daemon starts with. */
  readonly config: Config;
  /** Reads the configuration again. @throws AppError CONFIG_NOT_FOUND, CONFIG_INVALID */
  readonly loadConfig: () => Promise<Config>;
  /** Reads the API's tokens again. @throws AppError CONFIG_INVALID */
  readonly readTokens: () => readonly ApiToken[];
  /** Applies what was loaded. */
  readonly apply: (config: Config, tokens: readonly ApiToken[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'configLoads' | 'configLastAttempt' | 'configLastLoad'>;
  readonly scrubber: Scrubber;
}

export class ConfigKeeper {
  readonly #options: ConfigKeeperOptions;
  readonly #reloads = new SharedRun((why) => this.#reload(why));
  #inForce: ConfigInForce;
  #tokens: readonly ApiToken[];

  /** @throws AppError CONFIG_INVALID: a token that cannot be used */
  constructor(options: ConfigKeeperOptions) {
    this.#options = options;
    const { config, clock } = options;
    const nowMs = clock.now();
    this.#inForce = { config, loadedAtMs: nowMs, triedAtMs: nowMs, needRestart: [], error: undefined };
    this.#hideSecrets(config);
    this.#noteLoaded();
    this.#tokens = options.readTokens();
  }

  get inForce(): ConfigInForce {
    return this.#inForce;
  }

  get tokens(): readonly ApiToken[] {
    return this.#tokens;
  }

  /** Loads and applies; requests in the meantime share the next load. @throws AppError CONFIG_…: what was in force stays */
  reload(why: string): Promise<ConfigInForce> {
    return this.#reloads.ask(why);
  }

  /** Does nothing while configuration and tokens are the same. @throws as `reload` */
  async reloadIfChanged(why: string): Promise<void> {
    const { loadConfig, readTokens } = this.#options;
    const { config, error: knownError } = this.#inForce;
    const found = await loadConfig()
      .then(({ hash }) => ({ hash, tokens: readTokens(), error: undefined }))
      .catch((error: unknown) => ({ hash: config.hash, tokens: this.#tokens, error: messageOf(error) }));
    // The same mistake again is no news; a file that was restored is.
    const isSame = found.error === knownError && found.hash === config.hash && sameTokens(found.tokens, this.#tokens);
    if (!isSame) await this.reload(why);
  }

  async #reload(why: string): Promise<ConfigInForce> {
    const { config: atStart, loadConfig, readTokens, apply, clock, logger } = this.#options;
    try {
      const config = await loadConfig();
      const tokens = readTokens();
      this.#hideSecrets(config);
      const needRestart = settingsThatNeedRestart(atStart, config);
      const nowMs = clock.now();
      this.#inForce = { config, loadedAtMs: nowMs, triedAtMs: nowMs, needRestart, error: undefined };
      if (!sameTokens(this.#tokens, tokens)) logger.info({ tokens: tokens.map(({ name }) => name) }, 'tokens loaded');
      this.#tokens = tokens;
      apply(config, tokens);
      this.#noteLoaded();
      logger.info(
        { why, configHash: config.hash, rules: config.ruleset.rules.length, needRestart },
        'configuration loaded',
      );
      return this.#inForce;
    } catch (error) {
      this.#noteRefused(why, error);
      throw error;
    }
  }

  /**
   * Called before anything about a configuration is logged. Hidden values are never forgotten, because a job may still contain an old one.
   */
  #hideSecrets(config: Config): void {
    for (const text of secretTextsOf(config)) this.#options.scrubber.hide(text, 'webhook URL');
  }

  #noteLoaded(): void {
    const { metrics, logger } = this.#options;
    const { config, loadedAtMs } = this.#inForce;
    metrics.configLoads.inc({ outcome: 'loaded' });
    metrics.configLastAttempt.set({ outcome: 'loaded' }, loadedAtMs / 1000);
    metrics.configLastLoad.reset();
    metrics.configLastLoad.set({ hash: config.hash }, loadedAtMs / 1000);
    for (const finding of lintConfig(config)) logger.warn({ code: 'CONFIG_SUSPECT' }, formatProblem(finding));
  }

  #noteRefused(why: string, error: unknown): void {
    const { metrics, logger, clock } = this.#options;
    this.#inForce = { ...this.#inForce, triedAtMs: clock.now(), error: messageOf(error) };
    metrics.configLoads.inc({ outcome: 'refused' });
    metrics.configLastAttempt.set({ outcome: 'refused' }, this.#inForce.triedAtMs / 1000);
    logger.error(
      { why, err: error, configHash: this.#inForce.config.hash },
      'the new configuration is not valid; the old one stays in force',
    );
  }
}
