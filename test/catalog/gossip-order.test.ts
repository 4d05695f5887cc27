import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Now } from '../../src/base/clock.ts'
import { seededRandom } from '../../src/base/random.ts'
import { noStamp } from '../../src/crdt/stamp.ts'
import type { EvaluationContext } from '../../src/evaluation/model.ts'
import { parseFlag, parseSegment } from '../../src/evaluation/parse.ts'
import { createRuleset, type Ruleset } from '../../src/evaluation/ruleset.ts'
import type { Replica } from '../../src/replica/ports.ts'
import { createReplica } from '../../src/replica/replica.ts'
import { context, documents, environmentNames } from '../evaluation/arbitraries.ts'
import { created, createdSegment } from '../evaluation/testbed.ts'

/** `npm run test:fuzz` asks for more; a failure prints the seed and path that replay it. */
const numRuns = Number(process.env.FLAGS_FUZZ_RUNS ?? 40)
const now: Now = { monotonicMs: 0, wallMs: Date.UTC(2026, 3, 1) }

interface Node {
  readonly replica: Replica
  readonly ruleset: Ruleset
}

/** Nodes whose packets (each twice), frames and due pushes lie on one heap, from which `deliver` takes them in whatever order. */
interface Heap {
  readonly nodes: readonly Node[]
  /** Until nothing is left; `draws` say which is next. */
  deliver(draws: readonly number[]): void
}

function createHeap(size: number): Heap {
  const waiting: (() => void)[] = []
  const nodes = Array.from({ length: size }, (_, index): Node => {
    const ruleset = createRuleset()
    const self = `node-${index}`
    const peer = (to: string) => nodes[Number(to.slice('node-'.length))]?.replica
    const replica: Replica = createReplica({
      self,
      id: String(index).padStart(16, '0'),
      random: seededRandom(index + 1),
      effects: {
        sendPacket: (to, packet) => {
          const arrive = () => peer(to)?.onPacket(now, self, packet)
          waiting.push(arrive, arrive)
        },
        sendBulk: (to, frame) => void waiting.push(() => peer(to)?.onBulk(now, self, frame)),
        // Anti-entropy would mend what gossip forgot: here gossip is alone.
        setTimer: (timer) => {
          if (timer.kind === 'gossip-push') waiting.push(() => replica.onTimer(now, timer))
        },
        append: () => void waiting.push(() => replica.onAppended(now, 1)),
        forget: () => {},
        emit: (event) => {
          if (event.type === 'changed') ruleset.apply(event.keys.flatMap((key) => replica.get(key) ?? []))
        },
      },
    })
    replica.start(now, { records: [], notes: { issued: noStamp, lastContactWallMs: 0 } })
    for (let other = 0; other < size; other++) {
      if (other !== index) replica.onMember(now, { type: 'up', address: `node-${other}`, id: `id-${other}` })
    }
    return { replica, ruleset }
  })
  return {
    nodes,
    deliver(draws) {
      for (let i = 0; waiting.length > 0; i++) {
        const draw = (draws[i % draws.length] as number) + i
        const [message] = waiting.splice(draw % waiting.length, 1)
        message?.()
      }
    },
  }
}

function registersOf({ flags, segments }: { flags: readonly object[]; segments: readonly object[] }) {
  return [
    ...flags.flatMap((flag) => created(parseFlag('default', flag))),
    ...segments.flatMap((segment) => createdSegment(parseSegment('default', segment))),
  ].map(({ key, value }) => ({ key, value }))
}

function answers({ ruleset }: Node, asked: EvaluationContext) {
  return environmentNames.flatMap((environment) =>
    ruleset.all('default', environment).map((flag) => [flag.key, flag.fault, flag.evaluate(asked, now.wallMs)]),
  )
}

test('nodes that got flags by gossip answer alike, whatever the order in which news of two authors reached them', () => {
  const draws = fc.array(fc.nat({ max: 1_000 }), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(documents, documents, context, draws, (one, other, asked, order) => {
      const heap = createHeap(3)
      const [author, rival, reader] = heap.nodes as [Node, Node, Node]
      author.replica.write(now, registersOf(one))
      rival.replica.write(now, registersOf(other))
      heap.deliver(order)
      const expected = answers(author, asked)
      expect(expected.length).toBeGreaterThan(0)
      expect([rival, reader].map((node) => node.replica.root())).toEqual(Array(2).fill(author.replica.root()))
      expect(answers(rival, asked)).toEqual(expected)
      expect(answers(reader, asked)).toEqual(expected)
    }),
    { numRuns },
  )
})
