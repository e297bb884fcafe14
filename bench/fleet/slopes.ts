// How a figure grows with shards and channels, by least squares: base + perShard × shards + perChannel × channels.

export interface Point {
  readonly shards: number;
  readonly channels: number;
  readonly figure: number;
}

export interface Slopes {
  readonly base: number;
  readonly perShard: number;
  readonly perChannel: number;
}

/** @param points at least three, not all on one line */
export function slopesOf(points: readonly Point[]): Slopes {
  const rows = points.map(({ shards, channels }) => [1, shards, channels]);
  const sum = (of: (index: number) => number) => points.reduce((total, _, index) => total + of(index), 0);
  // The normal equations, solved by elimination.
  const matrix = [0, 1, 2].map((i) => [
    ...[0, 1, 2].map((j) => sum((at) => rows[at]![i]! * rows[at]![j]!)),
    sum((at) => rows[at]![i]! * points[at]!.figure),
  ]);
  for (let pivot = 0; pivot < 3; pivot += 1)
    for (let row = 0; row < 3; row += 1) {
      if (row === pivot) continue;
      const factor = matrix[row]![pivot]! / matrix[pivot]![pivot]!;
      for (let column = pivot; column < 4; column += 1) matrix[row]![column]! -= factor * matrix[pivot]![column]!;
    }
  const [base, perShard, perChannel] = matrix.map((row, index) => row[3]! / row[index]!);
  return { base: base!, perShard: perShard!, perChannel: perChannel! };
}
