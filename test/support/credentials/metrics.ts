/** Looks through what every scrape of metrics in this process gets. */
import { Metrics } from '../../../src/recording/metrics/metrics.ts'
import { lookThroughText } from './report.ts'

/** To be called once. */
export function watchMetrics(): void {
  const { text } = Metrics.prototype
  Metrics.prototype.text = async function textAndLook() {
    const scraped = await text.call(this)
    lookThroughText('metrics', scraped)
    return scraped
  }
}
