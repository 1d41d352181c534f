import { onScopeDispose } from 'vue'

/** What can be done by a key anywhere in the house. */
export type Action = 'answer' | 'help' | 'hold' | 'hangup' | 'mute' | 'ready' | 'transfer' | 'keypad' | 'consult' | 'turn' | 'meet' | 'complete' | 'parties' | 'emergency' | 'done' | 'dial' | 'park' | 'fetch' | 'outbound'
  | 'listen' | 'whisper' | 'barge' | 'take_over' | 'leave' | 'search'

/** The keys as shipped: function keys that browsers leave free, alone or with Shift; Ctrl with a plain key. */
export const defaultKeys: Readonly<Record<Action, string>> = {
  answer: 'F2', help: 'Shift+F2', hold: 'F4', hangup: 'Shift+F4', mute: 'F8', ready: 'Shift+F8',
  transfer: 'F9', keypad: 'Shift+F9', consult: 'Ctrl+F9', turn: 'Ctrl+F8', meet: 'Ctrl+Shift+F8', complete: 'Ctrl+Shift+F9', parties: 'Alt+6', emergency: 'Ctrl+F2', done: 'Ctrl+Enter',
  dial: 'Ctrl+Shift+F2', outbound: 'Alt+Shift+F2', park: 'Alt+Shift+F8', fetch: 'Alt+Shift+F9', listen: 'Alt+1', whisper: 'Alt+2', barge: 'Alt+3', take_over: 'Alt+4', leave: 'Alt+5', search: 'Ctrl+K',
}

const taken = new Set(['F1', 'F3', 'F5', 'F6', 'F7', 'F10', 'F11', 'F12', 'Ctrl+W', 'Ctrl+T', 'Ctrl+N', 'Ctrl+R', 'Ctrl+L', 'Ctrl+P', 'Ctrl+S', 'Ctrl+F', 'Ctrl+C', 'Ctrl+V', 'Ctrl+X', 'Ctrl+Z', 'Ctrl+A', 'Ctrl+Tab', 'Alt+F4', 'Ctrl+F4', 'Ctrl+F5', 'Shift+F5', 'Shift+F10', 'Shift+F12'])

type Press = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/** comboOf names a key press: modifiers in the order Ctrl, Alt, Shift, then the key. "" for a lone modifier. */
export function comboOf(e: Press): string {
  let key = e.key
  if (['Control', 'Shift', 'Alt', 'Meta', 'Process', 'Dead', 'Unidentified'].includes(key)) return ''
  if (/^Key[A-Z]$/.test(e.code)) key = e.code.slice(3)
  else if (/^Digit\d$/.test(e.code)) key = e.code.slice(5)
  else if (key === ' ') key = 'Space'
  const parts: string[] = []
  if (e.ctrlKey || e.metaKey) parts.push('Ctrl')
  if (e.altKey) parts.push('Alt')
  if (e.shiftKey) parts.push('Shift')
  return [...parts, key].join('+')
}

/** Why a combination cannot be used, as a text key; null when it can. */
export function refuseCombo(combo: string): string | null {
  if (combo === '') return 'shell.keys.empty'
  if (taken.has(combo)) return 'shell.keys.taken'
  const key = combo.split('+').pop()!
  const modified = /(^|\+)(Ctrl|Alt)\+/.test(combo) || combo.startsWith('Ctrl+') || combo.startsWith('Alt+')
  if (!/^F\d{1,2}$/.test(key) && !modified) return 'shell.keys.bare'
  return null
}

/** KeyMap binds combinations to actions, one to one. */
export class KeyMap {
  private readonly byAction = new Map<Action, string>()
  constructor(saved: Partial<Record<Action, string>> = {}) {
    for (const action of Object.keys(defaultKeys) as Action[]) {
      const own = saved[action]
      this.byAction.set(action, own && refuseCombo(own) === null ? own : defaultKeys[action])
    }
    const seen = new Set<string>()
    for (const [action, combo] of this.byAction) {
      if (seen.has(combo)) this.byAction.set(action, '')
      seen.add(combo)
    }
  }
  get(action: Action): string { return this.byAction.get(action) ?? '' }
  actionOf(combo: string): Action | undefined {
    if (combo === '') return undefined
    for (const [action, bound] of this.byAction) if (bound === combo) return action
    return undefined
  }
  /** with returns a new map with the action bound; the action that had the combination loses it. */
  with(action: Action, combo: string): KeyMap {
    const next = this.toJSON()
    for (const other of Object.keys(next) as Action[]) if (next[other] === combo) next[other] = ''
    next[action] = combo
    return KeyMap.exact(next)
  }
  toJSON(): Record<Action, string> { return Object.fromEntries(this.byAction) as Record<Action, string> }
  private static exact(all: Record<Action, string>): KeyMap {
    const map = new KeyMap()
    for (const [action, combo] of Object.entries(all)) map.byAction.set(action as Action, combo)
    return map
  }
  /** parse reads what toJSON wrote; an emptied binding stays empty, anything unusable becomes the default. */
  static parse(text: string | null): KeyMap {
    if (!text) return new KeyMap()
    try {
      const saved = JSON.parse(text) as Partial<Record<Action, string>>
      const all = { ...defaultKeys } as Record<Action, string>
      for (const action of Object.keys(defaultKeys) as Action[]) {
        const combo = saved[action]
        if (typeof combo === 'string' && (combo === '' || refuseCombo(combo) === null)) all[action] = combo
      }
      return KeyMap.exact(all)
    } catch {
      return new KeyMap()
    }
  }
}

type Handler = () => boolean | void
const handlers = new Map<Action, Handler[]>()
let map = new KeyMap()
let owner = ''
const watchers = new Set<(m: KeyMap) => void>()
const store = () => `kapok.keys.${owner}`

/** currentKeys gives the map in force. */
export function currentKeys(): KeyMap { return map }

/** useKeysOf loads the map of a user; it is kept in this browser. */
export function useKeysOf(user: string): void {
  owner = user
  setKeys(KeyMap.parse(localStorage.getItem(store())), false)
}

/** setKeys puts a map in force and keeps it. */
export function setKeys(next: KeyMap, keep = true): void {
  map = next
  if (keep) localStorage.setItem(store(), JSON.stringify(next))
  for (const w of watchers) w(next)
}

/** watchKeys is told of every change of the map. */
export function watchKeys(w: (m: KeyMap) => void): () => void {
  watchers.add(w)
  return () => watchers.delete(w)
}

/** onAction runs the handler while the calling scope lives; the newest handler that does not return false wins. */
export function onAction(action: Action, handler: Handler): void {
  const list = handlers.get(action) ?? []
  handlers.set(action, [...list, handler])
  onScopeDispose(() => handlers.set(action, (handlers.get(action) ?? []).filter((h) => h !== handler)))
}

/** runAction does what the key would do; false when nobody wants it now. */
export function runAction(action: Action): boolean {
  for (const handler of [...(handlers.get(action) ?? [])].reverse()) {
    if (handler() !== false) return true
  }
  return false
}

/** listenToKeys attaches the one listener of the page. */
export function listenToKeys(target: Window = window): () => void {
  const listener = (e: KeyboardEvent) => {
    if (e.defaultPrevented || e.repeat || e.isComposing) return
    const action = map.actionOf(comboOf(e))
    if (action && runAction(action)) e.preventDefault()
  }
  target.addEventListener('keydown', listener)
  return () => target.removeEventListener('keydown', listener)
}
