import type { SetupBody } from '@kit'

/** The page fills what the house can also do without. */
export type Form = Required<SetupBody> & { hours: Required<NonNullable<SetupBody['hours']>> }
export const steps = ['bureau', 'admin', 'hours', 'number', 'agents'] as const
export type Step = (typeof steps)[number]

/** passwordTrouble is the text key of what is wrong with a password, as the house sees it (without its list of common ones). */
export function passwordTrouble(password: string): string {
  const n = [...password].length
  if (n < 8) return 'identity.setup.short'
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u].filter((k) => k.test(password)).length
  return n < 16 && kinds < 2 ? 'identity.setup.plain' : ''
}

/** troubles names what keeps a step from going on: the field (as the house names it) and the text key of the sentence. */
export function troubles(step: Step, form: Form, again: string, lunch: boolean): Map<string, string> {
  const found = new Map<string, string>()
  const need = (field: string, value: string) => { if (value.trim() === '') found.set(field, 'identity.setup.needed') }
  const login = (field: string, user: string) => {
    need(field, user)
    if (user.trim() !== '' && !/^[A-Za-z0-9_.@-]+$/.test(user.trim())) found.set(field, 'identity.setup.login')
  }
  const h = form.hours
  if (step === 'bureau') {
    need('bureau.name', form.bureau.name)
    need('bureau.timezone', form.bureau.timezone ?? '')
  } else if (step === 'admin') {
    login('admin.user', form.admin.user)
    need('admin.name', form.admin.name)
    const bad = passwordTrouble(form.admin.password)
    if (bad) found.set('admin.password', bad)
    else if (form.admin.password !== again) found.set('again', 'identity.password.different')
  } else if (step === 'hours') {
    if (!h.days.length) found.set('hours.days', 'identity.setup.no_day')
    if (!(h.from < h.to)) found.set('hours.to', 'identity.setup.order')
    if (lunch && !(h.from < h.lunch_from && h.lunch_from < h.lunch_to && h.lunch_to < h.to)) found.set('hours.lunch_to', 'identity.setup.lunch_order')
  } else if (step === 'number') {
    if (!/^\+?\d{3,15}$/.test(form.number.trim())) found.set('number', 'identity.setup.number_bad')
  } else {
    const seen = new Set([form.admin.user.trim()])
    form.agents.forEach((a, i) => {
      login(`agents[${i}].user`, a.user)
      if (seen.has(a.user.trim())) found.set(`agents[${i}].user`, 'identity.setup.duplicate')
      seen.add(a.user.trim())
      need(`agents[${i}].name`, a.name)
      const bad = passwordTrouble(a.password)
      if (bad) found.set(`agents[${i}].password`, bad)
    })
  }
  return found
}

/** stepOf is the step a field the house complains about stands on. */
export function stepOf(field: string): number {
  return Math.max(0, steps.findIndex((s) => field.startsWith(s)))
}
