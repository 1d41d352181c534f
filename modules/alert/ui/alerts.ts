import { api, locale, useLive } from '@kit'

/** useAlerts reads the alerts of one's sites and the surge plans: anew whenever something is raised, cleared or done. */
export function useAlerts() {
  const board = useLive('alerts', () => api.get('/api/v1/alerts'), () => null)
  const handled = async (id: string) => { board.data.value = await api.post('/api/v1/alerts/{id}/handled', { path: { id } }) }
  const start = async (plan: string, why: string) => { board.data.value = await api.post('/api/v1/surge/{plan}/start', { path: { plan }, body: { why } }) }
  const stop = async (plan: string) => { board.data.value = await api.post('/api/v1/surge/{plan}/stop', { path: { plan } }) }
  return { ...board, handled, start, stop }
}

/** valueOf writes a figure as it is read: a rate in percent, a wait as minutes and seconds, else a count. */
export function valueOf(figure: string, value: number): string {
  if (figure === 'rate') return `${(value * 100).toFixed(1)}%`
  if (figure === 'longest') return `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, '0')}`
  return String(Math.round(value))
}

/** nameOf gives a name in the reader's language. */
export const nameOf = (x: { name: string; name_en?: string }): string => (locale.value === 'en' && x.name_en) || x.name

/** whereOf names the queue, or the site, in the reader's language; the code where it has no name. */
export const whereOf = (x: { where?: string; where_en?: string; queue?: string; site: string }): string => (locale.value === 'en' && x.where_en) || x.where || x.queue || x.site
