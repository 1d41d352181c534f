import type { ModuleUI } from '@kit'
import DeskAlert from './DeskAlert.vue'
import StateMenu from './StateMenu.vue'
import TeamAlert from './TeamAlert.vue'

const use = 'desk.self.use'
const see = 'desk.team.see'
const ui: ModuleUI = {
  routes: [
    { path: '/desk', component: () => import('./Desk.vue'), meta: { title: 'desk.page.title', right: use } },
    { path: '/seats', component: () => import('./Seats.vue'), meta: { title: 'desk.seats.title', right: see } },
    { path: '/team', component: () => import('./Team.vue'), meta: { title: 'desk.team.title', right: see } },
  ],
  nav: [
    { to: '/desk', title: 'desk.page.title', icon: 'desk', right: use, order: 10 },
    { to: '/team', title: 'desk.team.title', icon: 'floor', right: see, order: 15 },
    { to: '/seats', title: 'desk.seats.title', icon: 'seats', right: see, order: 16 },
  ],
  widgets: [
    { place: 'top.state', id: 'desk.state', component: StateMenu, right: use, order: 10 },
    { place: 'top.alert', id: 'desk.alert', component: DeskAlert, right: use, order: 10 },
    { place: 'top.alert', id: 'desk.team', component: TeamAlert, right: see, order: 20 },
  ],
  rights: [use, see, 'desk.seat.manage'],
}
export default ui
