package audio

import "math"

// zeroCrossings is how far the resampling filter reaches to each side, in samples of the lower rate. 24 with a
// Kaiser window of β = 8 gives about 80 dB of rejection and a transition of about 5 % of the band.
const zeroCrossings = 24

// Resample gives the sound at another rate: a polyphase windowed sinc (Kaiser), cut off at 94 % of the lower Nyquist
// frequency, so that nothing folds back into the telephone band. It is meant for files, not for live streams.
func Resample(s Sound, rate int) Sound {
	if s.Rate == rate {
		return s
	}
	g := gcd(s.Rate, rate)
	up, down := rate/g, s.Rate/g // output sample i lies at i·down/up of the input
	scale := min(1, float64(rate)/float64(s.Rate)) * 0.94
	half := int(math.Ceil(zeroCrossings / scale))
	kernel := make([][]float64, up)
	for phase := range kernel {
		kernel[phase] = sinc(float64(phase)/float64(up), half, scale)
	}
	out := make([]int16, (len(s.Samples)*up+down-1)/down)
	for i := range out {
		at, phase := i*down/up, i*down%up
		sum := 0.0
		for k, w := range kernel[phase] {
			if j := at + k - half + 1; j >= 0 && j < len(s.Samples) {
				sum += w * float64(s.Samples[j])
			}
		}
		out[i] = int16(math.Round(min(max(sum, -32768), 32767)))
	}
	return Sound{rate, out}
}

// sinc gives the weights of the 2·half inputs around a point that lies frac after an input; they add up to 1.
func sinc(frac float64, half int, scale float64) []float64 {
	w := make([]float64, 2*half)
	sum := 0.0
	for k := range w {
		x := float64(k-half+1) - frac
		v := scale
		if x != 0 {
			v = math.Sin(math.Pi*x*scale) / (math.Pi * x)
		}
		w[k] = v * kaiser(x/float64(half))
		sum += w[k]
	}
	for k := range w {
		w[k] /= sum
	}
	return w
}

// kaiser is the Kaiser window with β = 8 for x in −1…1.
func kaiser(x float64) float64 {
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel(8*math.Sqrt(1-x*x)) / bessel(8)
}

// bessel is the modified Bessel function I₀ by its power series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
