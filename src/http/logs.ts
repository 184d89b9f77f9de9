/** `/logs`: which requests came. */
import type { RequestLog } from '../recording/requests/service.ts'
import { createEndpoints, refusing } from './base.ts'
import { ListLogsQuery, RequestLogList } from './models/logs.ts'
import type { MountPoint } from './mount-point.ts'

export function createLogEndpoints(prefix: string, mount: MountPoint, logs: RequestLog) {
  return createEndpoints('logs', mount).get(
    `${prefix}/logs`,
    ({ query: { cursor, limit, sort: _, order, ...filter }, actor }) =>
      logs.list(filter, { cursor, limit, order }, actor),
    {
      machineAuthManagement: 'machine_auth.logs.view',
      query: ListLogsQuery,
      response: { 200: RequestLogList },
      detail: {
        ...refusing(400, 404, 422),
        tags: ['Request log'],
        summary: 'List requests',
        description:
          "What the request log holds, newest first: all with platform reach, else the requests of one's organization. Empty where `logging.mode` is `off`, its default, or entries go to a sink. Where what is asked for is rare, a page may have less than `limit`, even nothing, and a `nextCursor` that goes on.",
      },
    },
  )
}
