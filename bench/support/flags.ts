/** Flags as a team has them: about 1 KB of JSON each, a rule, a rollout. */
export function makeFlags(count: number, prefix = 'flag'): readonly object[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `${prefix}-${i}`,
    description: `Flag number ${i}, as teams describe theirs. `.repeat(10),
    tags: ['bench', `group-${i % 10}`],
    owner: 'team-bench',
    rules: [
      {
        id: 'dach',
        if: { all: [{ attribute: 'country', op: 'in', values: ['DE', 'AT', 'CH'] }] },
        serve: { variation: 'on' },
      },
    ],
    rolloutPercentage: i % 100,
  }))
}
