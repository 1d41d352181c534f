/** The states of an agent or a call, each with one shape and one colour everywhere; the word comes from the texts. */
export type MarkState = 'ready' | 'ringing' | 'talking' | 'held' | 'wrapup' | 'away' | 'out' | 'alert'

export interface Mark { shape: string; color: string; soft: string; text: string }

/** The marks; colours are CSS variables, texts are keys. */
export const marks: Readonly<Record<MarkState, Mark>> = {
  ready: { shape: '●', color: 'var(--k-ready)', soft: 'var(--k-ready-soft)', text: 'shell.state.ready' },
  ringing: { shape: '◎', color: 'var(--k-ringing)', soft: 'var(--k-ringing-soft)', text: 'shell.state.ringing' },
  talking: { shape: '◆', color: 'var(--k-talking)', soft: 'var(--k-talking-soft)', text: 'shell.state.talking' },
  held: { shape: '◇', color: 'var(--k-held)', soft: 'var(--k-held-soft)', text: 'shell.state.held' },
  wrapup: { shape: '◐', color: 'var(--k-wrapup)', soft: 'var(--k-wrapup-soft)', text: 'shell.state.wrapup' },
  away: { shape: '○', color: 'var(--k-away)', soft: 'var(--k-hover)', text: 'shell.state.away' },
  out: { shape: '–', color: 'var(--k-out)', soft: 'var(--k-sunken)', text: 'shell.state.out' },
  alert: { shape: '▲', color: 'var(--k-alert)', soft: 'var(--k-alert-soft)', text: 'shell.state.alert' },
}

const names: Readonly<Record<string, MarkState>> = {
  ready: 'ready', idle: 'ready', ringing: 'ringing', reserved: 'ringing', offered: 'ringing', dialing: 'ringing', talking: 'talking', consult: 'talking',
  held: 'held', hold: 'held', wrapup: 'wrapup', away: 'away', out: 'out', signed_out: 'out', offline: 'out', alert: 'alert',
}

/** markOf maps a state word of the server to a mark; an unknown word is shown as signed out. */
export function markOf(state: string | null | undefined): MarkState { return names[state ?? 'out'] ?? 'out' }
