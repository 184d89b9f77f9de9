/** Starts a core, says that it is ready, and ends. */
import { createMachineAuth } from '../../src/index.ts'

await using core = createMachineAuth()
await core.ready
await core.keys.list()
console.log('ready')
