import type { z } from 'zod'
import type { InputFault } from '../base/errors.ts'
import { joinPath, pathText } from './well-formed.ts'

type Issue = z.core.$ZodIssue

/** The faults that zod found, one for each unknown property, with paths as the API writes them. */
export function shapeFaults(error: z.ZodError | undefined): InputFault[] {
  return (error?.issues ?? []).flatMap((issue) => flatten(issue, []))
}

function flatten(issue: Issue, prefix: readonly PropertyKey[]): InputFault[] {
  const path = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: joinPath(pathText(path), key),
      message: 'is not a property that is known here',
    }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return meant(issue.errors).flatMap((inner) => flatten(inner, path))
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => ({ path: pathText(path), message: `as a name ${inner.message}` }))
  }
  return [{ path: pathText(path), message: issue.message.replace(/^Invalid input: /, '') }]
}

/** Of the alternatives of a union the one that was meant: where the least is wrong, each unknown property counted. */
function meant(alternatives: readonly Issue[][]): readonly Issue[] {
  const score = (issues: readonly Issue[]) =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
  return alternatives.reduce((best, issues) => (score(issues) < score(best) ? issues : best))
}
