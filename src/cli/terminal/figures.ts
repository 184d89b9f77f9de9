/** Numbers for people. */

/** `1,234,567` */
export function formatCount(count: number): string {
  return count.toLocaleString('en')
}

/** `1.3 %`; of a part that is there never `0.0 %`. */
export function formatShare(part: number, all: number): string {
  if (part === 0 || all === 0) return '0 %'
  const percent = (part / all) * 100
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`
}

/** `12.3 ms`; a dash for none. */
export function formatLatency(ms: number | null): string {
  if (ms === null) return '-'
  return `${ms < 10 ? Number(ms.toPrecision(2)) : Math.round(ms).toLocaleString('en')} ms`
}
