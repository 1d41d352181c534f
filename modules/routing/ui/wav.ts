/** wavOf writes samples (−1..1, one channel) as a 16-bit PCM WAV file at `rate`, resampled by plain averaging from `from`. */
export function wavOf(samples: Float32Array, from: number, rate = 8000): ArrayBuffer {
  const ratio = from / rate
  const n = Math.floor(samples.length / ratio)
  const buffer = new ArrayBuffer(44 + n * 2)
  const v = new DataView(buffer)
  const word = (at: number, s: string) => { for (let i = 0; i < s.length; i++) v.setUint8(at + i, s.charCodeAt(i)) }
  word(0, 'RIFF'); v.setUint32(4, 36 + n * 2, true); word(8, 'WAVEfmt ')
  v.setUint32(16, 16, true); v.setUint16(20, 1, true); v.setUint16(22, 1, true)
  v.setUint32(24, rate, true); v.setUint32(28, rate * 2, true); v.setUint16(32, 2, true); v.setUint16(34, 16, true)
  word(36, 'data'); v.setUint32(40, n * 2, true)
  for (let i = 0; i < n; i++) {
    const a = Math.floor(i * ratio), b = Math.max(a + 1, Math.floor((i + 1) * ratio))
    let sum = 0
    for (let k = a; k < b && k < samples.length; k++) sum += samples[k]!
    const s = Math.max(-1, Math.min(1, sum / (b - a)))
    v.setInt16(44 + i * 2, Math.round(s < 0 ? s * 0x8000 : s * 0x7fff), true)
  }
  return buffer
}

/** A recording under way. */
export interface Take { stop: () => Promise<{ wav: ArrayBuffer; ms: number }>; cancel: () => void; level: () => number }

/** record takes sound from an open microphone until it is stopped or `most` ms are over. */
export async function record(stream: MediaStream, most = 120_000): Promise<Take> {
  const context = new AudioContext()
  await context.resume()
  const source = context.createMediaStreamSource(stream)
  const meter = context.createAnalyser()
  meter.fftSize = 1024
  const parts: Blob[] = []
  const recorder = new MediaRecorder(stream)
  recorder.ondataavailable = (e) => { if (e.data.size) parts.push(e.data) }
  source.connect(meter)
  recorder.start(250)
  const limit = setTimeout(() => { if (recorder.state !== 'inactive') recorder.stop() }, most)
  const close = () => {
    clearTimeout(limit)
    stream.getTracks().forEach((t) => t.stop())
    void context.close()
  }
  const data = new Float32Array(meter.fftSize)
  return {
    level: () => {
      meter.getFloatTimeDomainData(data)
      return Math.min(1, Math.max(...data.map(Math.abs)) * 1.4)
    },
    cancel: () => {
      if (recorder.state !== 'inactive') recorder.stop()
      close()
    },
    stop: async () => {
      if (recorder.state !== 'inactive') {
        const done = new Promise((r) => { recorder.onstop = r })
        recorder.stop()
        await done
      }
      const sound = await context.decodeAudioData(await new Blob(parts, { type: recorder.mimeType }).arrayBuffer())
      close()
      return { wav: wavOf(sound.getChannelData(0), sound.sampleRate), ms: Math.round(sound.duration * 1000) }
    },
  }
}
