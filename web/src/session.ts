import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, type Me } from './api'
import { setZone } from './kit/format'
import { useKeysOf } from './kit/keys'
import { locale, setLocale, type Locale } from './i18n'

/** Who is signed in and what they may do. */
export const useSession = defineStore('session', () => {
  const me = ref<Me | null>(null)
  const asked = ref(false)
  const rights = computed<ReadonlySet<string>>(() => new Set(me.value?.rights ?? []))

  /** Whether this browser had a session that somebody else or time has ended: said once at the next sign-in. */
  const was = 'kapok.signed_in'
  const ended = ref(false)
  /** load asks who we are; null when nobody is signed in. Other failures are thrown. */
  async function load(): Promise<Me | null> {
    try {
      me.value = await api.get('/api/v1/me')
      setZone(me.value.bureau.timezone)
      useKeysOf(me.value.user)
      localStorage.setItem(was, '1')
      if ((me.value.locale === 'en' || me.value.locale === 'zh') && me.value.locale !== locale.value) await setLocale(me.value.locale)
    } catch (e) {
      if ((e as { status?: number }).status !== 401) throw e
      me.value = null
      ended.value = localStorage.getItem(was) === '1'
      localStorage.removeItem(was)
    } finally {
      asked.value = true
    }
    return me.value
  }

  async function changeLocale(next: Locale): Promise<void> {
    await setLocale(next)
    if (me.value) {
      me.value = { ...me.value, locale: next }
      await api.put('/api/v1/me/locale', { body: { locale: next } }).catch(() => {})
    }
  }

  async function signOut(): Promise<void> {
    await api.post('/api/v1/logout').catch(() => {})
    localStorage.removeItem(was)
    me.value = null
  }

  const may = (right: string) => rights.value.has(right)
  const bureau = computed(() => {
    const b = me.value?.bureau
    return b ? (locale.value === 'en' && b.name_en ? b.name_en : b.name) : ''
  })
  return { me, asked, ended, rights, may, bureau, load, changeLocale, signOut }
})
