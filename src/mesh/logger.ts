import type { Logger } from 'pino'

/** What the mesh needs of pino. */
export type MeshLogger = Pick<Logger, 'info' | 'warn' | 'debug'>
