import type { ModuleUI } from '@kit'
import OutboundKey from './OutboundKey.vue'
import OutboundPanel from './OutboundPanel.vue'

const use = 'outbound.list.use'
const manage = 'outbound.list.manage'
const ui: ModuleUI = {
  routes: [
    { path: '/outbound', component: () => import('./Outbound.vue'), meta: { title: 'outbound.page.title', right: manage } },
    { path: '/outbound/mine', component: () => import('./MyOutbound.vue'), meta: { title: 'outbound.mine.title', right: use } },
  ],
  nav: [
    { to: '/outbound/mine', title: 'outbound.mine.nav', icon: 'callout', right: use, order: 14 },
    { to: '/outbound', title: 'outbound.page.nav', icon: 'book', right: manage, order: 18 },
  ],
  widgets: [
    { place: 'desk.side', id: 'outbound.panel', title: 'outbound.mine.nav', component: OutboundPanel, right: use, order: 30 },
    { place: 'top.alert', id: 'outbound.key', component: OutboundKey, right: use, order: 40 },
  ],
  rights: [use, manage],
}
export default ui
