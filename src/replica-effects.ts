import type { Now } from './base/clock.ts'
import type { Mesh } from './mesh/mesh.ts'
import type { Effects, RegisterStore, Replica, ReplicaEvent } from './replica/ports.ts'

export interface EffectTargets {
  readonly mesh: Pick<Mesh, 'sendPacket' | 'sendBulk'>
  readonly store: RegisterStore
  readonly now: () => Now
  /** The replica that asked: known only after it was made with these effects. */
  readonly replica: () => Replica
  onEvent(event: ReplicaEvent): void
  onForgotten(keys: readonly string[]): void
  /** Nothing that runs in the background may end the process; it is told here. */
  onFailure(message: string, error: unknown): void
}

/** Carries out what the replica wants: packets to the mesh, records to the store, timers to Node. */
export function replicaEffects(targets: EffectTargets): Effects {
  const { mesh, store, now, replica } = targets
  return {
    sendPacket: (to, packet) => mesh.sendPacket(to, packet),
    sendBulk: (to, frame) => mesh.sendBulk(to, frame),
    setTimer(timer, afterMs) {
      setTimeout(() => replica().onTimer(now(), timer), afterMs).unref()
    },
    append(records, notes) {
      // Promises of one store settle in the order of the calls, which is the order that the replica counts on.
      store.append(records, notes).then(
        () => replica().onAppended(now(), 1),
        (error) => replica().onAppended(now(), 1, error instanceof Error ? error.message : String(error)),
      )
    },
    forget(keys) {
      targets.onForgotten(keys)
      store
        .remove(keys)
        .catch((error) => targets.onFailure('expired registers stay on disk until the next start', error))
    },
    emit: targets.onEvent,
  }
}
