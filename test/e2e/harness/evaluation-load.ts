import { setTimeout as delay } from 'node:timers/promises'

/** What came of asking some nodes all the time. */
export interface EvaluationReport {
  readonly asked: number
  /** One sentence for each evaluation that did not answer 200 in time. */
  readonly failures: readonly string[]
}

export interface EvaluationLoad {
  /** The load so far. */
  report(): EvaluationReport
  stop(): Promise<EvaluationReport>
}

/** Far beyond any answer of a node that runs, however busy its machine, and short enough to tell one that does not. */
const answerTimeoutMs = 30_000

/** Asks each of the URLs for an evaluation, again and again, `pauseMs` after each answer. */
export function startEvaluations(
  nodes: readonly { readonly url: string }[],
  key: string,
  pauseMs = 20,
): EvaluationLoad {
  const failures: string[] = []
  let asked = 0
  let stopped = false
  const askOn = async ({ url }: { readonly url: string }) => {
    for (let i = 0; !stopped; i++) {
      asked++
      const failure = await evaluate(`${url}/api/v1/flags/${key}/evaluate?user_id=user-${i}`)
      if (failure !== null) failures.push(`${url}: ${failure}`)
      await delay(pauseMs)
    }
  }
  const running = nodes.map(askOn)
  const report = () => ({ asked, failures: [...failures] })
  return {
    report,
    async stop() {
      stopped = true
      await Promise.all(running)
      return report()
    },
  }
}

/** Why the evaluation failed; null when it did not. */
async function evaluate(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) })
    await response.arrayBuffer()
    return response.status === 200 ? null : `answered ${response.status}`
  } catch (error) {
    return String(error)
  }
}
