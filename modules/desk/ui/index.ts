import type { ModuleUI } from '@kit'
import DeskAlert from './DeskAlert.vue'
import StateMenu from './StateMenu.vue'

const use = 'desk.self.use'
const ui: ModuleUI = {
  routes: [{ path: '/desk', component: () => import('./Desk.vue'), meta: { title: 'desk.page.title', right: use } }],
  nav: [{ to: '/desk', title: 'desk.page.title', icon: 'desk', right: use, order: 10 }],
  widgets: [
    { place: 'top.state', id: 'desk.state', component: StateMenu, right: use, order: 10 },
    { place: 'top.alert', id: 'desk.alert', component: DeskAlert, right: use, order: 10 },
  ],
  rights: [use],
}
export default ui
