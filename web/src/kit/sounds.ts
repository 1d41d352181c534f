import { reactive } from 'vue'
import { audioChoice, playOn } from './devices'

/** The sounds of the house; each can be tried and muted. They are made here, no file is loaded. */
export type Sound = 'ring' | 'chat' | 'warning'

const key = 'kapok.sounds'
type Settings = Record<Sound, boolean>

function load(): Settings {
  const all: Settings = { ring: true, chat: true, warning: true }
  try {
    return { ...all, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Settings>) }
  } catch {
    return all
  }
}

/** Which sounds are on. */
export const soundsOn = reactive<Settings>(load())

/** setSound turns one on or off and keeps it. */
export function setSound(sound: Sound, on: boolean): void {
  soundsOn[sound] = on
  localStorage.setItem(key, JSON.stringify(soundsOn))
}

interface Note { at: number; for: number; hz: number; level: number }
const scores: Readonly<Record<Sound, { notes: Note[]; every: number }>> = {
  ring: { notes: [{ at: 0, for: 0.35, hz: 660, level: 0.5 }, { at: 0.4, for: 0.5, hz: 880, level: 0.5 }], every: 2.4 },
  chat: { notes: [{ at: 0, for: 0.14, hz: 1047, level: 0.3 }, { at: 0.16, for: 0.24, hz: 1319, level: 0.3 }], every: 0 },
  warning: { notes: [{ at: 0, for: 0.2, hz: 440, level: 0.4 }, { at: 0.28, for: 0.2, hz: 440, level: 0.4 }, { at: 0.56, for: 0.3, hz: 349, level: 0.4 }], every: 0 },
}

let context: AudioContext | undefined

function audio(): AudioContext | undefined {
  if (typeof AudioContext === 'undefined') return undefined
  context ??= new AudioContext()
  if (context.state === 'suspended') void context.resume().catch(() => {})
  return context
}

/** allowSounds wakes the audio on a click or key, as browsers demand; called once by the shell. */
export function allowSounds(): void {
  const wake = () => {
    audio()
    for (const name of ['pointerdown', 'keydown']) window.removeEventListener(name, wake)
  }
  for (const name of ['pointerdown', 'keydown']) window.addEventListener(name, wake)
}

function playNotes(sound: Sound): void {
  const ctx = audio()
  if (!ctx) return
  void playOn(ctx, audioChoice.ringer || audioChoice.speaker)
  for (const note of scores[sound].notes) {
    const start = ctx.currentTime + 0.02 + note.at
    const gain = ctx.createGain()
    const top = Math.max(0.0002, note.level * audioChoice.volume)
    gain.gain.setValueAtTime(0.0001, start)
    gain.gain.exponentialRampToValueAtTime(top, start + 0.02)
    gain.gain.exponentialRampToValueAtTime(0.0001, start + note.for)
    gain.connect(ctx.destination)
    const tone = ctx.createOscillator()
    tone.type = 'triangle'
    tone.frequency.value = note.hz
    tone.connect(gain)
    tone.start(start)
    tone.stop(start + note.for + 0.05)
  }
}

/** playSound plays a sound once, or again and again until the result is called. `force` plays a muted one (to try it). */
export function playSound(sound: Sound, options: { repeat?: boolean; force?: boolean } = {}): () => void {
  if (!soundsOn[sound] && !options.force) return () => {}
  playNotes(sound)
  if (!options.repeat || scores[sound].every === 0) return () => {}
  const timer = setInterval(() => playNotes(sound), scores[sound].every * 1000)
  return () => clearInterval(timer)
}
