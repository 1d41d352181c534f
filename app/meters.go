package app

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// meters shows what an operator watches on /metrics beside what the pages' server counts itself.
func (h *House) meters() {
	gauge := func(name, help string, value func() float64) {
		h.web.Metrics().MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "kapok", Name: name, Help: help}, value))
	}
	gauge("calls", "Calls under way.", func() float64 { return float64(h.voice.Calls()) })
	gauge("media_legs", "Open media legs; each but a browser's has a pair of ports.", func() float64 { return float64(h.voice.Media()) })
	gauge("fast_path", "1 where the kernel relays plain calls that are not recorded.", func() float64 {
		if _, on := h.voice.Carried(); on {
			return 1
		}
		return 0
	})
	gauge("media_legs_kernel", "Media legs whose peer's sound the kernel relays at this moment; a bridged call has two.", func() float64 {
		legs, _ := h.voice.Carried()
		return float64(legs)
	})
	gauge("callbacks_open", "People who are still to be called back.", func() float64 { return float64(h.voice.Promises()) })
	gauge("goroutines", "Goroutines of the process.", func() float64 { return float64(runtime.NumGoroutine()) })
	gauge("phones", "Registered phones and browsers.", func() float64 { return float64(h.voice.SIP().Registrar().Users()) })
	gauge("journal_waiting", "Facts that wait for the disk.", func() float64 {
		waiting, _ := h.journal.Waiting()
		return float64(waiting)
	})
	gauge("journal_lost", "Facts lost because too many waited for the disk.", func() float64 {
		_, lost := h.journal.Waiting()
		return float64(lost)
	})
	gauge("calls_shed", "1 while new calls are answered 503 because of overload.", func() float64 {
		if _, on := h.voice.SIP().Shedding(); on {
			return 1
		}
		return 0
	})
}
