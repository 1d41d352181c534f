import type { ModuleUI } from '@kit'
import EmergencyAlert from './EmergencyAlert.vue'

const health = 'platform.health.see', audit = 'identity.audit.read', see = 'platform.config.see', manage = 'platform.config.manage'
/** Holders of any of these find something behind "Administration". */
const admin = [
  'identity.user.manage', 'identity.role.manage', 'identity.site.manage', 'identity.oidc.manage', 'routing.agent.manage', 'routing.queue.manage', 'routing.skill.manage',
  'platform.calendar.manage', 'platform.holiday.manage', 'voice.flow.manage', 'voice.number.manage', 'voice.phone.manage', 'voice.prompt.manage', 'voice.speech.manage', 'voice.trunk.manage', 'desk.list.manage', see, manage,
]
const ui: ModuleUI = {
  routes: [
    {
      path: '/admin', component: () => import('./Admin.vue'), meta: { right: [...admin, health, audit] },
      children: [
        { path: '', component: () => import('./AdminHome.vue'), meta: { title: 'routing.nav.title', right: admin } },
        { path: 'file', component: () => import('./FilePage.vue'), meta: { title: 'routing.nav.file', right: [see, manage] } },
        { path: '/health', component: () => import('./Health.vue'), meta: { title: 'routing.nav.health', right: health } },
        { path: '/audit', component: () => import('./Audit.vue'), meta: { title: 'routing.nav.audit', right: audit } },
        { path: ':section', component: () => import('./SectionPage.vue'), props: true, meta: { title: 'routing.nav.title', right: admin } },
      ],
    },
    // Where the search of people leads.
    { path: '/users/:code', redirect: (to) => ({ path: '/admin/users', query: { code: String(to.params.code) } }), meta: { right: 'identity.user.manage' } },
  ],
  nav: [{ to: '/admin', title: 'routing.nav.short', icon: 'settings', also: ['/health', '/audit'], right: [...admin, health, audit], order: 90 }],
  widgets: [{ place: 'top.alert', id: 'routing.emergency', component: EmergencyAlert, right: ['voice.number.manage', see], order: 5 }],
  rights: [...admin, health, audit],
}
export default ui
