/** The page that closes or opens the hotline tells the strip on top of all pages at once; other browsers ask each half minute. */
const name = 'kapok.emergency'

/** sayEmergency tells that the closure was switched. */
export const sayEmergency = () => { window.dispatchEvent(new Event(name)) }

/** onEmergency listens until the function given back is called. */
export function onEmergency(told: () => void): () => void {
  window.addEventListener(name, told)
  return () => window.removeEventListener(name, told)
}
