// Requests that come within some milliseconds of one another go out as one: one round trip for many.

export interface GatherOptions<Request, Answer> {
  /** How long a request may wait for others. */
  readonly withinMs: number;
  /** Most requests that go out as one. */
  readonly most: number;
  /** Answers all of them, in their order. */
  readonly run: (requests: readonly Request[]) => Promise<readonly Answer[]>;
}

interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export class Gather<Request, Answer> {
  readonly #options: GatherOptions<Request, Answer>;
  #waiting: Waiting<Request, Answer>[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GatherOptions<Request, Answer>) {
    this.#options = options;
  }

  /**
   * Sends a request together with others.
   * @param inHurry sends at once, together with everything that waits
   * @throws what `run` throws; then all requests of that run have failed
   */
  ask(request: Request, inHurry = false): Promise<Answer> {
    const { withinMs, most } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ request, resolve, reject });
    if (inHurry || this.#waiting.length >= most) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), withinMs);
    return promise;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#options.run(waiting.map(({ request }) => request)).then(
      (answers) => waiting.forEach(({ resolve }, index) => resolve(answers[index]!)),
      (error: unknown) => waiting.forEach(({ reject }) => reject(error)),
    );
  }
}
