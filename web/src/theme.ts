import { ref } from 'vue'

export type Theme = 'light' | 'dark' | 'system'
const key = 'kapok.theme'
const system = matchMedia('(prefers-color-scheme: dark)')

/** What the reader chose; light unless told otherwise. */
export const theme = ref<Theme>((localStorage.getItem(key) as Theme | null) ?? 'light')
/** Whether dark is in force now. */
export const dark = ref(false)
let forced = false

function apply(): void {
  dark.value = forced || theme.value === 'dark' || (theme.value === 'system' && system.matches)
  document.documentElement.classList.toggle('dark', dark.value)
}
system.addEventListener('change', apply)
apply()

/** setTheme changes and keeps the choice. */
export function setTheme(next: Theme): void {
  theme.value = next
  localStorage.setItem(key, next)
  apply()
}

/** forceDark holds the dark theme while a page that is always dark (the wallboard) is shown. */
export function forceDark(on: boolean): void {
  forced = on
  apply()
}
