import type { ModuleUI } from '@kit'

const ui: ModuleUI = { routes: [], nav: [], widgets: [], rights: [] }
export default ui
