import type { ModuleUI } from '@kit'
import CallerMark from './CallerMark.vue'

const see = 'caller.mark.see'
const ask = 'caller.mark.ask'
const ui: ModuleUI = {
  routes: [{ path: '/callers', component: () => import('./Callers.vue'), meta: { title: 'caller.page.title', right: see } }],
  nav: [{ to: '/callers', title: 'caller.page.nav', icon: 'people', right: see, order: 19 }],
  widgets: [
    { place: 'desk.card', id: 'caller.mark', component: CallerMark, right: ask, order: 10 },
    { place: 'contact.actions', id: 'caller.mark', component: CallerMark, right: ask, order: 10 },
  ],
  rights: [see, ask, 'caller.mark.approve'],
}
export default ui
