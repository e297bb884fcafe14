// What the two BatchGet operations share: found resources in the order asked for, and an error for each that is missing.

/** One error of a batch answer. */
export interface BatchError {
  readonly arn: string;
  readonly code: string;
  readonly message: string;
}

export function batch<T>(arns: readonly string[], find: (arn: string) => T | undefined) {
  const found: T[] = [];
  const errors: BatchError[] = [];
  for (const arn of new Set(arns)) {
    const resource = find(arn);
    if (resource !== undefined) found.push(resource);
    else errors.push({ arn, code: 'ResourceNotFoundException', message: `Resource: ${arn} not found` });
  }
  return { found, errors };
}
