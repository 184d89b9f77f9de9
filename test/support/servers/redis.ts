/** A Redis of a test's own. */
import { createDatabaseDirectory, removeDirectory } from '../directories.ts'
import type { PrivateServer } from './private-server.ts'
import { REDIS } from './programs.ts'
import { askRedis, launchRedis } from './redis-process.ts'

export const isRedisInstalled = REDIS !== null

/** Starts Redis without persistence. What it knows at the end is looked through for credentials. */
export async function startRedis(): Promise<PrivateServer> {
  const directory = createDatabaseDirectory('machine-auth-redis')
  return launchRedis(directory, {
    // Into a file of the directory, not compressed; the files are looked through as those of any directory.
    beforeStop: async (url) => void (await askRedis(url, 'SAVE')),
    afterStop: () => removeDirectory(directory),
  })
}
