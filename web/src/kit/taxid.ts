/**
 * Check digits of the identifiers taxpayers have: GB 32100-2015 (unified social credit code, 18), GB 11714-1997
 * inside the old 15-character tax number (6-digit area + organisation code), GB 11643-1999 (resident identity
 * number, 18, and the old personal tax number of 18 + 2 digits).
 */
export type TaxIdKind = 'uscc18' | 'person18' | 'legacy15' | 'person20'
export type TaxIdProblem = 'length' | 'symbol' | 'area' | 'date' | 'check'

/** Where typing stands: nothing yet, not finished, right (and of what kind), or wrong (and why). */
export type TaxIdState =
  | { state: 'empty' }
  | { state: 'partial'; left: number }
  | { state: 'ok'; kind: TaxIdKind }
  | { state: 'bad'; problem: TaxIdProblem; at?: number }

const symbols31 = '0123456789ABCDEFGHJKLMNPQRTUWXY' // no I O S V Z
const symbols36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const weights17 = Array.from({ length: 17 }, (_, i) => Number(3n ** BigInt(i) % 31n))
const weights8 = [3, 7, 9, 10, 5, 8, 4, 2]
const weightsId = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

const weigh = (s: string, symbols: string, weights: number[]) =>
  weights.reduce((sum, w, i) => sum + symbols.indexOf(s[i]!) * w, 0)

/** tidyTaxId drops blanks and hyphens and turns full-width and lower-case letters into plain capitals. */
export function tidyTaxId(raw: string): string {
  return raw.normalize('NFKC').replace(/[\s\-·]/g, '').toUpperCase()
}

/** usccCheck gives the 18th character for the first 17. */
export function usccCheck(body: string): string {
  return symbols31[(31 - (weigh(body, symbols31, weights17) % 31)) % 31]!
}

/** organisationCheck gives the 9th character of an organisation code for its first 8. */
export function organisationCheck(body: string): string {
  const v = 11 - (weigh(body, symbols36, weights8) % 11)
  return v === 10 ? 'X' : v === 11 ? '0' : String(v)
}

/** personCheck gives the 18th character of a resident identity number for its first 17 digits. */
export function personCheck(body: string): string {
  return '10X98765432'[weigh(body, '0123456789', weightsId) % 11]!
}

function birthday(s: string): boolean {
  const year = Number(s.slice(6, 10)), month = Number(s.slice(10, 12)), day = Number(s.slice(12, 14))
  const d = new Date(Date.UTC(year, month - 1, day))
  return year >= 1850 && year <= 2200 && d.getUTCMonth() === month - 1 && d.getUTCDate() === day
}

function person(s: string): TaxIdState {
  if (personCheck(s) !== s[17]) return { state: 'bad', problem: 'check' }
  if (!birthday(s)) return { state: 'bad', problem: 'date' }
  return { state: 'ok', kind: s.length === 20 ? 'person20' : 'person18' }
}

function uscc(s: string): TaxIdState {
  const at = [...s].findIndex((c) => !symbols31.includes(c))
  if (at >= 0) return { state: 'bad', problem: 'symbol', at: at + 1 }
  if (!/^\d{6}$/.test(s.slice(2, 8))) return { state: 'bad', problem: 'area' }
  if (usccCheck(s) !== s[17]) return { state: 'bad', problem: 'check' }
  return { state: 'ok', kind: 'uscc18' }
}

function legacy(s: string): TaxIdState {
  if (!/^\d{6}/.test(s)) return { state: 'bad', problem: 'area' }
  if (organisationCheck(s.slice(6, 14)) !== s[14]) return { state: 'bad', problem: 'check' }
  return { state: 'ok', kind: 'legacy15' }
}

/**
 * checkTaxId judges a tax number while it is typed. With `final` (the field was left) an unfinished number is
 * wrong; a wrong check digit is told as soon as the 18th character stands.
 */
export function checkTaxId(raw: string, final = false): TaxIdState {
  const s = tidyTaxId(raw)
  const n = s.length
  if (n === 0) return { state: 'empty' }
  const strange = [...s].findIndex((c) => !symbols36.includes(c))
  if (strange >= 0) return { state: 'bad', problem: 'symbol', at: strange + 1 }
  const digits17 = /^\d{17}/.test(s)
  if (n === 15) {
    const old = legacy(s)
    if (old.state === 'ok' || final) return old
    return { state: 'partial', left: 3 }
  }
  if (n < 18) return final ? { state: 'bad', problem: 'length' } : { state: 'partial', left: 18 - n }
  if (n === 18) {
    const firm = uscc(s)
    if (firm.state === 'ok' || !digits17) return firm
    return person(s)
  }
  if (n <= 20 && digits17 && /^[\dX]$/.test(s[17]!) && /^\d*$/.test(s.slice(18))) {
    const first = person(s.slice(0, 18))
    if (first.state !== 'ok') return first
    if (n === 20) return person(s)
    return final ? { state: 'bad', problem: 'length' } : { state: 'partial', left: 1 }
  }
  return { state: 'bad', problem: 'length' }
}
