import { createI18n } from 'vue-i18n'
import { ref } from 'vue'
import { asFault, type Fault } from './fault'

export type Locale = 'zh' | 'en'
type Texts = Record<string, string>

const key = 'kapok.locale'
const loaders: Record<Locale, () => Promise<{ default: Texts }>> = {
  zh: () => import('./texts/all-zh'),
  en: () => import('./texts/all-en'),
}

/** The texts are flat, `<module>.<page>.<key>`, exactly the files Go reads; a key is looked up as it stands. */
export const i18n = createI18n({
  legacy: false,
  locale: 'zh',
  fallbackLocale: false as const,
  missingWarn: false,
  fallbackWarn: false,
  messageResolver: (messages, path) => (messages as Texts)[path] ?? null,
  messages: { zh: {}, en: {} } as Record<string, Texts>,
})

export const locale = ref<Locale>('zh')

/** firstLocale is what the reader chose in this browser, else Chinese. */
export function firstLocale(): Locale { return localStorage.getItem(key) === 'en' ? 'en' : 'zh' }

/** setLocale loads the texts of a language and switches to it. */
export async function setLocale(next: Locale): Promise<void> {
  i18n.global.setLocaleMessage(next, (await loaders[next]()).default)
  i18n.global.locale.value = next
  locale.value = next
  localStorage.setItem(key, next)
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

/** t gives the text of a key in the reader's language; usable outside components. */
export function t(key: string, params: Record<string, unknown> = {}): string { return i18n.global.t(key, params) }

/** has tells whether there is a text for the key. */
export function has(key: string): boolean { return i18n.global.te(key) }

/** faultText makes the sentence of a failure: the server's, else ours for its code, else a general one. */
export function faultText(e: unknown): string {
  const fault: Fault = asFault(e)
  const params = fault.problem.params ?? {}
  if (has(`fault.${fault.code}`)) return t(`fault.${fault.code}`, params)
  if (fault.problem.detail) return fault.problem.detail
  if (has(fault.code)) return t(fault.code, params)
  if (has(`shell.http.${fault.status}`)) return t(`shell.http.${fault.status}`)
  return t('shell.http.other')
}
