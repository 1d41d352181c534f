import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'

/** An entry of the left rail. Entries with the same `group` share one rail button that opens a list. */
export interface NavEntry {
  to: string
  /** Text key. */
  title: string
  /** Name of a rail icon (shell/icons.ts). */
  icon: string
  /** Shown to holders of this right; several mean any of them. None: to everybody signed in. */
  right?: string | string[]
  order: number
  /** Further paths that belong to it. */
  also?: readonly string[]
  group?: 'admin' | 'quality' | 'figures'
}

/** A piece of UI a module puts into a place the shell or another page offers. */
export interface Widget {
  place: 'top.state' | 'top.alert' | 'desk.before' | 'desk.side' | 'me.menu' | 'contact.side' | 'contact.actions' | 'desk.card'
  id: string
  /** Text key of its tab or heading. */
  title?: string
  component: Component
  right?: string | string[]
  order: number
}

/**
 * What a module's ui/index.ts default-exports. Routes live under the shell; `meta.right` guards a route,
 * `meta.title` is the text key of the page title, `meta.bare` leaves the shell away (the wallboard on a wall),
 * `meta.public` needs no session.
 */
export interface ModuleUI {
  routes: RouteRecordRaw[]
  nav: NavEntry[]
  widgets: Widget[]
  /** The rights the pages ask about, for the list of who may see what. */
  rights: string[]
}

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    right?: string | string[]
    bare?: boolean
    public?: boolean
  }
}

const found = import.meta.glob<ModuleUI>('../../modules/*/ui/index.ts', { eager: true, import: 'default' })

/** Every module's pages, in the order of their folders' names. */
export const modules: readonly ModuleUI[] = Object.keys(found).sort().map((k) => found[k]!)

/** mayAny tells whether one of the rights is held; no right asked for means yes. */
export function mayAny(held: ReadonlySet<string>, right: string | string[] | undefined): boolean {
  if (right === undefined || right.length === 0) return true
  return (Array.isArray(right) ? right : [right]).some((r) => held.has(r))
}

/** navFor gives the rail entries of a person, in order. */
export function navFor(held: ReadonlySet<string>): NavEntry[] {
  return modules.flatMap((m) => m.nav).filter((n) => mayAny(held, n.right)).sort((a, b) => a.order - b.order)
}

/** widgetsFor gives the widgets of a place a person may see, in order. */
export function widgetsFor(place: Widget['place'], held: ReadonlySet<string>): Widget[] {
  return modules.flatMap((m) => m.widgets).filter((w) => w.place === place && mayAny(held, w.right)).sort((a, b) => a.order - b.order)
}
