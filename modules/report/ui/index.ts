import type { ModuleUI } from '@kit'

const wall = 'report.wallboard.see', figures = 'report.interval.see', contacts = 'report.contact.see'
const ui: ModuleUI = {
  routes: [
    { path: '/wallboard', alias: '/wall', component: () => import('./Wall.vue'), meta: { title: 'report.wall.title', right: wall, bare: true } },
    { path: '/contacts', component: () => import('./Contacts.vue'), meta: { title: 'report.contacts.title', right: contacts } },
    { path: '/contacts/:id', component: () => import('./ContactPage.vue'), props: true, meta: { title: 'report.contact.title', right: contacts } },
    { path: '/reports/seats', component: () => import('./SeatFigures.vue'), meta: { title: 'report.seats.title', right: figures } },
    { path: '/reports/give-ups', component: () => import('./GiveUps.vue'), meta: { title: 'report.give_up.title', right: figures } },
    { path: '/reports', component: () => import('./Reports.vue'), meta: { title: 'report.page.title', right: figures } },
  ],
  nav: [
    { to: '/wallboard', title: 'report.nav.wall', icon: 'wall', right: wall, order: 20 },
    { to: '/contacts', title: 'report.nav.contacts', icon: 'contacts', right: contacts, order: 30 },
    { to: '/reports', title: 'report.nav.reports', icon: 'report', also: ['/reports/give-ups'], right: figures, order: 40 },
    { to: '/reports/seats', title: 'report.seats.nav', icon: 'coins', right: figures, order: 42 },
  ],
  widgets: [],
  rights: [wall, figures, contacts, 'report.cost.manage', 'voice.recording.manage', 'report.interval.export', 'customer.number.reveal', 'voice.recording.play'],
}
export default ui
