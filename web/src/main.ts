import { createPinia } from 'pinia'
import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import './theme.css'
import App from './App.vue'
import { configureApi } from './api'
import { firstLocale, i18n, locale, setLocale } from './i18n'
import { onSessionEnded } from './kit/socket'
import { router } from './router'
import { useSession } from './session'

await setLocale(firstLocale())
const app = createApp(App)
app.use(createPinia())
app.use(i18n)
const session = useSession()
const signedOut = () => {
  if (!session.me) return
  session.me = null
  void router.replace({ path: '/login', query: { next: router.currentRoute.value.fullPath, ended: '1' } })
}
configureApi({ language: () => locale.value, signedOut })
onSessionEnded(signedOut)
app.use(router)
app.mount('#app')
