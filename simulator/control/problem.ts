// The control API's error for something impossible: a sentence for the author of a test or scenario.

export class ControlProblem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
