import type { ModuleUI } from '@kit'

const see = 'missed.list.see'
const ui: ModuleUI = {
  routes: [{ path: '/missed', component: () => import('./Missed.vue'), meta: { title: 'missed.page.title', right: see } }],
  nav: [{ to: '/missed', title: 'missed.page.nav', icon: 'phone', also: ['/callbacks'], right: see, order: 13 }],
  widgets: [],
  rights: [see, 'missed.list.work', 'missed.list.assign', 'customer.number.reveal'],
}
export default ui
