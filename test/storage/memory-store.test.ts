import { MemoryStore } from '../../src/storage/memory-store.ts'
import { acceptRegisterStore } from './register-store.acceptance.ts'

acceptRegisterStore({
  name: 'memory',
  durable: false,
  makePlace: () => ({ open: () => new MemoryStore(), discard: () => {} }),
})
