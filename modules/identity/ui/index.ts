import type { ModuleUI } from '@kit'
import { defineAsyncComponent } from 'vue'

const ui: ModuleUI = {
  routes: [
    { path: '/login', component: () => import('./Login.vue'), meta: { public: true, title: 'identity.login.title' } },
    { path: '/setup', component: () => import('./Setup.vue'), meta: { public: true, title: 'identity.setup.title' } },
    { path: '/reset', component: () => import('./Reset.vue'), meta: { public: true, title: 'identity.reset.title' } },
    { path: '/password', component: () => import('./Password.vue'), meta: { title: 'identity.password.title' } },
    { path: '/sessions', component: () => import('./Sessions.vue'), meta: { title: 'identity.sessions.title' } },
    { path: '/totp', component: () => import('./Totp.vue'), meta: { title: 'identity.totp.title' } },
  ],
  nav: [],
  widgets: [{ place: 'me.menu', id: 'identity.totp', component: defineAsyncComponent(() => import('./TotpLink.vue')), order: 20 }],
  rights: [],
}
export default ui
