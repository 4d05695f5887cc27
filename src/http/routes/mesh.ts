import { FlagsError } from '../../base/errors.ts'
import { bulkFrameBytesMax } from '../../base/limits.ts'
import type { Catalog, NodeView } from '../../catalog/ports.ts'
import type { App } from '../types.ts'

export interface MeshParts {
  readonly catalog: Catalog
  readonly node: NodeView
  /** Takes a frame from a peer; false when it was dropped, and counted, because nobody of this mesh made it. */
  readonly receiveBulk: (body: Buffer) => boolean
}

/** `GET /mesh`: who is there, and what they hold. `POST /mesh/bulk`: frames between nodes, which prove themselves by their seal. */
export function meshRoutes(app: App, { catalog, node, receiveBulk }: MeshParts): void {
  app.get('/mesh', () => {
    const { flags, segments, faults } = catalog.ruleset.size()
    return {
      self: { id: node.id, address: node.address, url: node.url },
      members: node.members(),
      ruleset: { root: catalog.root(), flags, segments, faults, tombstones: node.tombstones() },
      conflicts: node.conflicts(),
      isolated: node.isolated(),
    }
  })

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    scope.post('/mesh/bulk', { bodyLimit: bulkFrameBytesMax }, (request, reply) => {
      const taken = Buffer.isBuffer(request.body) && receiveBulk(request.body)
      if (!taken) throw new FlagsError('MALFORMED', 'This is no frame of this mesh; it was dropped.')
      reply.code(204).send()
    })
  })
}
