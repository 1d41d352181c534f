import { reactive } from 'vue'

/** Which microphone and loudspeaker this computer uses; kept in this browser, since headsets belong to seats. */
export interface AudioChoice { microphone: string; speaker: string; ringer: string; volume: number }

const key = 'kapok.audio'

function load(): AudioChoice {
  const plain: AudioChoice = { microphone: '', speaker: '', ringer: '', volume: 0.8 }
  try {
    return { ...plain, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<AudioChoice>) }
  } catch {
    return plain
  }
}

/** The choice in force. Change it with `chooseAudio`. */
export const audioChoice = reactive<AudioChoice>(load())

/** chooseAudio changes and keeps the choice. */
export function chooseAudio(change: Partial<AudioChoice>): void {
  Object.assign(audioChoice, change)
  localStorage.setItem(key, JSON.stringify(audioChoice))
}

/** microphoneConstraints asks for the chosen microphone, and for any when it is not plugged in. */
export function microphoneConstraints(): MediaTrackConstraints {
  return {
    ...(audioChoice.microphone ? { deviceId: { ideal: audioChoice.microphone } } : {}),
    echoCancellation: true, noiseSuppression: true, autoGainControl: true,
  }
}

/** Why there is no microphone: `insecure` page, `denied` by the person, `none` plugged in, `busy` elsewhere. */
export type MicrophoneTrouble = 'insecure' | 'denied' | 'none' | 'busy' | 'unknown'

/** troubleOf reads the reason out of what getUserMedia threw. */
export function troubleOf(e: unknown): MicrophoneTrouble {
  const name = (e as { name?: string } | null)?.name
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'none'
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy'
  return 'unknown'
}

/** openMicrophone asks for the microphone; throws a MicrophoneTrouble word. */
export async function openMicrophone(): Promise<MediaStream> {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) throw 'insecure' satisfies MicrophoneTrouble
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: microphoneConstraints() })
  } catch (e) {
    throw troubleOf(e)
  }
}

/** listDevices names what is plugged in; labels are empty until the microphone was allowed once. */
export async function listDevices(): Promise<{ microphones: MediaDeviceInfo[]; speakers: MediaDeviceInfo[] }> {
  if (!navigator.mediaDevices?.enumerateDevices) return { microphones: [], speakers: [] }
  const all = await navigator.mediaDevices.enumerateDevices()
  const real = (kind: MediaDeviceKind) => all.filter((d) => d.kind === kind && d.deviceId !== '')
  return { microphones: real('audioinput'), speakers: real('audiooutput') }
}

/** playOn directs an audio element or context to a device where the browser can. */
export async function playOn(target: HTMLAudioElement | AudioContext, device: string): Promise<void> {
  const sink = target as unknown as { setSinkId?: (id: string) => Promise<void> }
  if (!device || !sink.setSinkId) return
  try {
    await sink.setSinkId(device)
  } catch {
    // The chosen device is not plugged in: the browser's own default plays, and the headset test says so.
  }
}

/** secureAddress is where the same page is reached over https, for computers that came by plain http. */
export function secureAddress(here: Location = location): string {
  return `https://${here.hostname}:8443${here.pathname}`
}
