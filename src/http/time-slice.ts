import { parseInstant } from '../evaluation/instant.ts'
import type { Flag, Rollout, Serve } from '../evaluation/model.ts'
import type { CompiledFlag, Ruleset } from '../evaluation/ruleset.ts'
import { inEnvironment } from './environment-view.ts'

/** A schedule that moves the answers of a flag by the clock alone. */
interface Course {
  readonly stepsMs: readonly number[]
  readonly linear: boolean
}

/** Milliseconds in which a linear ramp counts as standing still. */
const rampSliceMs = 1_000

/** By the array of compiled flags, which every change of the ruleset replaces. */
const known = new WeakMap<readonly CompiledFlag[], readonly Course[]>()

/**
 * Names the stretch of time in which no schedule of these flags changes an answer: the same text on every node whose clock
 * is in it. '' where there is no schedule.
 */
export function timeSlice(ruleset: Ruleset, namespace: string, environment: string, nowMs: number): string {
  const flags = ruleset.all(namespace, environment)
  let courses = known.get(flags)
  if (!courses) {
    courses = ruleset.flags(namespace).flatMap((flag) => coursesOf(flag, environment))
    known.set(flags, courses)
  }
  return courses.map((course) => position(course, nowMs)).join()
}

function position({ stepsMs, linear }: Course, nowMs: number): string {
  const passed = stepsMs.filter((atMs) => atMs <= nowMs).length
  const moving = linear && passed > 0 && passed < stepsMs.length
  return moving ? `${passed}+${Math.floor(nowMs / rampSliceMs)}` : String(passed)
}

function coursesOf(flag: Flag, environment: string): Course[] {
  const { rules = [], fallthrough } = inEnvironment(flag, environment)
  const rollouts = [...rules.map((rule) => rule.serve), fallthrough].flatMap(rolloutOf)
  return rollouts.map(courseOf).filter((course) => course.stepsMs.length > 0)
}

function rolloutOf(serve: Serve | undefined): Rollout[] {
  return serve && 'rollout' in serve ? [serve.rollout] : []
}

function courseOf({ schedule = [], curve }: Rollout): Course {
  const stepsMs = schedule.map((step) => parseInstant(step.at)).filter((ms) => ms !== undefined)
  return { stepsMs, linear: curve === 'linear' }
}
