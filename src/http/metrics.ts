/** `/metrics`: what this process counted, for Prometheus. */
import { t } from 'elysia'
import { requirePlatform } from '../authorization/actor.ts'
import { METRICS_CONTENT_TYPE, type Metrics } from '../recording/metrics/metrics.ts'
import { createEndpoints } from './base.ts'
import type { MountPoint } from './mount-point.ts'

const response = { 200: t.String({ description: 'Metrics in the text format of Prometheus, version 0.0.4.' }) }
const headers = { 'content-type': METRICS_CONTENT_TYPE }
const detail = { tags: ['Observing'], summary: 'Metrics of this process' }

async function answerWith(metrics: Metrics): Promise<Response> {
  return new Response(await metrics.text(), { headers })
}

/** @param isOpen to anybody; else to who may see metrics and has platform reach */
export function createMetricsEndpoint(prefix: string, mount: MountPoint, metrics: Metrics, isOpen: boolean) {
  const endpoints = createEndpoints('metrics', mount)
  const path = `${prefix}/metrics`
  if (isOpen) {
    return endpoints.get(path, () => answerWith(metrics), {
      machineAuthPublic: true,
      response,
      detail: { ...detail, description: 'For a Prometheus server to scrape. Open to anybody, as `metrics.open` says.' },
    })
  }
  return endpoints.get(
    path,
    ({ actor }) => {
      requirePlatform(actor)
      return answerWith(metrics)
    },
    {
      machineAuthManagement: 'machine_auth.metrics.view',
      response,
      detail: { ...detail, description: 'For a Prometheus server to scrape. Needs platform reach.' },
    },
  )
}
