import type { ModuleUI } from '@kit'
import { defineAsyncComponent } from 'vue'

const flows = 'voice.flow.manage', callbacks = 'voice.callback.see'
const ui: ModuleUI = {
  routes: [
    { path: '/recordings', component: () => import('./Recordings.vue'), meta: { title: 'voice.recordings.title', right: 'voice.recording.manage' } },
    { path: '/callbacks', component: () => import('./Callbacks.vue'), meta: { title: 'voice.callbacks.title', right: callbacks } },
    { path: '/headset', component: () => import('./HeadsetPage.vue'), meta: { title: 'voice.headset.title' } },
    { path: '/flows', component: () => import('./FlowList.vue'), meta: { title: 'voice.flow.title', right: flows } },
    { path: '/flows/:code', component: () => import('./FlowDesigner.vue'), props: true, meta: { title: 'voice.flow.title', right: flows } },
  ],
  nav: [
    { to: '/recordings', title: 'voice.recordings.nav', icon: 'recording', right: 'voice.recording.manage', order: 80 },
    { to: '/flows', title: 'voice.flow.nav', icon: 'flow', right: flows, order: 60 },
  ],
  widgets: [
    { place: 'desk.before', id: 'voice.headset', component: defineAsyncComponent(() => import('./HeadsetTest.vue')), order: 10 },
    { place: 'me.menu', id: 'voice.headset.link', component: defineAsyncComponent(() => import('./HeadsetLink.vue')), order: 10 },
  ],
  rights: ['voice.recording.manage', callbacks, 'voice.callback.manage', flows, 'report.interval.see'],
}
export default ui
