import type { ModuleUI } from '@kit'
import AlertStrip from './AlertStrip.vue'

const see = 'alert.board.see'
const ui: ModuleUI = {
  routes: [{ path: '/alerts', component: () => import('./Alerts.vue'), meta: { title: 'alert.page.title', right: see } }],
  nav: [{ to: '/alerts', title: 'alert.page.nav', icon: 'alert', right: see, order: 17 }],
  widgets: [{ place: 'top.alert', id: 'alert.strip', component: AlertStrip, right: see, order: 30 }],
  rights: [see, 'alert.board.handle', 'alert.surge.run', 'alert.rule.manage'],
}
export default ui
