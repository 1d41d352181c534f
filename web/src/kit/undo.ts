import { ref } from 'vue'

/** Something done that can be taken back for a few seconds, instead of a question before it. */
export interface Undoable { id: number; text: string; until: number; undo: () => void | Promise<void> }

const span = 8000
const list = ref<Undoable[]>([])
let next = 1

/** The actions that can still be taken back. */
export function useUndoList() { return list }

/**
 * doWithUndo shows the sentence with a way back for 8 s. With `commit`, the deed itself waits until the time is
 * over (or `flush`); without, it was done already and `undo` does the opposite.
 */
export function doWithUndo(options: { text: string; undo: () => void | Promise<void>; commit?: () => void | Promise<void> }): void {
  const id = next++
  let settled = false
  const finish = () => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    list.value = list.value.filter((u) => u.id !== id)
    window.removeEventListener('pagehide', finish)
    void options.commit?.()
  }
  const timer = setTimeout(finish, span)
  if (options.commit) window.addEventListener('pagehide', finish)
  list.value = [...list.value, {
    id, text: options.text, until: Date.now() + span,
    undo: () => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      window.removeEventListener('pagehide', finish)
      list.value = list.value.filter((u) => u.id !== id)
      return options.undo()
    },
  }]
}
