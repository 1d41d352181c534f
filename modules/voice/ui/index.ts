import type { ModuleUI } from '@kit'
import { defineAsyncComponent } from 'vue'

const ui: ModuleUI = {
  routes: [{ path: '/headset', component: () => import('./HeadsetPage.vue'), meta: { title: 'voice.headset.title' } }],
  nav: [],
  widgets: [
    { place: 'desk.before', id: 'voice.headset', component: defineAsyncComponent(() => import('./HeadsetTest.vue')), order: 10 },
    { place: 'me.menu', id: 'voice.headset.link', component: defineAsyncComponent(() => import('./HeadsetLink.vue')), order: 10 },
  ],
  rights: [],
}
export default ui
