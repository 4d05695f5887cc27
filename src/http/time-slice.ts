import { parseInstant } from '../evaluation/instant.ts'
import type { Flag, Rollout, Serve } from '../evaluation/model.ts'
import type { CompiledFlag, Ruleset } from '../evaluation/ruleset.ts'
import { inEnvironment } from './environment-view.ts'

/** A schedule that moves the answers of a flag by the clock alone. */
interface Course {
  readonly stepsMs: readonly number[]
  readonly linear: boolean
}

/** How the clock moves the answers of a set of flags. */
interface Motion {
  readonly courses: readonly Course[]
  /** Beside schedules: a flag compares instants with the clock, or draws lots. */
  readonly ticking: boolean
}

/** Milliseconds in which what moves all the time, such as a linear ramp, counts as standing still. */
const sliceMs = 1_000

/** By the array of compiled flags, which every change of the ruleset replaces. */
const known = new WeakMap<readonly CompiledFlag[], Motion>()

/**
 * Names the stretch of time in which the clock alone changes no answer of these flags: the same text on every node whose clock
 * is in it. '' where it never changes one.
 */
export function timeSlice(ruleset: Ruleset, namespace: string, environment: string, nowMs: number): string {
  const flags = ruleset.all(namespace, environment)
  let motion = known.get(flags)
  if (!motion) {
    const courses = ruleset.flags(namespace).flatMap((flag) => coursesOf(flag, environment))
    motion = { courses, ticking: flags.some((flag) => flag.ticking) }
    known.set(flags, motion)
  }
  const positions = motion.courses.map((course) => position(course, nowMs))
  return (motion.ticking ? [...positions, sliceOf(nowMs)] : positions).join()
}

function position({ stepsMs, linear }: Course, nowMs: number): string {
  const passed = stepsMs.filter((atMs) => atMs <= nowMs).length
  const moving = linear && passed > 0 && passed < stepsMs.length
  return moving ? `${passed}+${sliceOf(nowMs)}` : String(passed)
}

function sliceOf(nowMs: number): number {
  return Math.floor(nowMs / sliceMs)
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
