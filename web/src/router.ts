import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { has, t } from './i18n'
import { mayAny, modules, navFor } from './modules'
import { useSession } from './session'

const shell: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: () => import('./shell/Home.vue'), meta: { title: 'shell.app.name' } },
  { path: '/:path(.*)*', name: 'unknown', component: () => import('./shell/Unknown.vue'), meta: { title: 'shell.unknown.title' } },
]

/** The routes of every module and the shell's own; rights are checked before a page loads. */
export const router = createRouter({
  history: createWebHistory(),
  routes: [...modules.flatMap((m) => m.routes), ...shell],
})

router.beforeEach(async (to) => {
  const session = useSession()
  if (to.meta.public) return true
  if (!session.asked) await session.load().catch(() => {})
  if (!session.me) return { path: '/login', query: { ...(to.fullPath === '/' ? {} : { next: to.fullPath }), ...(session.ended ? { ended: '1' } : {}) } }
  if (session.me.must_change && to.path !== '/password') return '/password'
  if (to.name === 'home') {
    const first = navFor(session.rights)[0]
    return first ? first.to : true
  }
  if (to.name !== 'forbidden' && !mayAny(session.rights, to.meta.right)) {
    return { name: 'unknown', params: { path: to.path.slice(1).split('/') }, query: { forbidden: '1' }, replace: true }
  }
  return true
})

router.afterEach((to) => {
  const name = t('shell.app.name')
  const title = to.query.forbidden ? 'shell.pane.no_right' : to.meta.title
  document.title = title && has(title) && title !== 'shell.app.name' ? `${t(title)} · ${name}` : name
})

// A page of an older build asks for a chunk that is gone: load the new build once instead of showing an error.
router.onError((error, to) => {
  if (!/dynamically imported module|Importing a module script failed|error loading/i.test(String(error))) return
  const key = 'kapok.reloaded'
  if (sessionStorage.getItem(key) === to.fullPath) return
  sessionStorage.setItem(key, to.fullPath)
  location.assign(to.fullPath)
})
