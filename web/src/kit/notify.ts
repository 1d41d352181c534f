import { ref } from 'vue'

/** Whether the browser may show notifications: granted, denied, default (not asked) or unsupported. */
export const notificationState = ref<NotificationPermission | 'unsupported'>(
  typeof Notification === 'undefined' ? 'unsupported' : Notification.permission,
)

/** askForNotifications asks the person; call it from a click. */
export async function askForNotifications(): Promise<void> {
  if (typeof Notification === 'undefined') return
  notificationState.value = await Notification.requestPermission()
}

/** notifyHidden shows a notification when the page is not looked at; the result takes it away. */
export function notifyHidden(title: string, body: string, tag: string): () => void {
  if (!document.hidden || notificationState.value !== 'granted') return () => {}
  const note = new Notification(title, { body, tag, requireInteraction: true })
  note.onclick = () => {
    window.focus()
    note.close()
  }
  return () => note.close()
}

let flashing: ReturnType<typeof setInterval> | undefined
let plain = ''

/** flashTitle alternates the page title until the result is called. */
export function flashTitle(text: string): () => void {
  if (flashing) clearInterval(flashing)
  else plain = document.title
  let on = true
  document.title = text
  flashing = setInterval(() => {
    on = !on
    document.title = on ? text : plain
  }, 900)
  return () => {
    if (!flashing) return
    clearInterval(flashing)
    flashing = undefined
    document.title = plain
  }
}

const spoken = ref('')

/** announce has a screen reader say the text at once; the shell holds the live region. */
export function announce(text: string): void {
  spoken.value = ''
  queueMicrotask(() => { spoken.value = text })
}

/** What the live region says. */
export function useAnnouncement() { return spoken }

/** What a page adds to the "connection lost" banner: what happens to the call that is going on. */
export const lostNote = ref('')
