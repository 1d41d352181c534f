package main

// rows are the goals, in the order of the table.
func rows() []row {
	return []row{
		{
			Name: "call", Measure: "CPU per call: inbound → answer → queue → agent rings → bridge → hang-up, 33 SIP agents, 40 calls/s, one core",
			Goal: "≤ 1.2 ms", Compare: "Asterisk 22 app_queue 7.5 ms (5.3–9.1), FreeSWITCH mod_callcenter 26 ms", measure: measureCall,
		},
		{
			Name: "bridged", Measure: "bridged G.711 calls on one core, both legs through the server, < 0.1 % loss and p99 delay < 20 ms above an idle echo loop in the same run",
			Goal: "≥ 800", Compare: "Asterisk 22 about 250, FreeSWITCH 150, rtpengine 500–800", measure: measureBridged,
		},
		{
			Name: "call300", Measure: "the same with 300 SIP agents",
			Goal: "≤ 1.2 ms", Compare: "Asterisk 22 app_queue 11.5 ms", measure: measureCallOfMany,
		},
		{
			Name: "province", Measure: "the same with 300 SIP agents in 3 cities, each caller brought to the queue of theirs, 1,000 others waiting on music: CPU per call beyond the music's",
			Goal: "≤ 1.2 ms", measure: measureProvince,
		},
		{
			Name: "recorded", Measure: "bridged calls as above, each recorded in stereo and sealed",
			Goal: "≥ 400", Compare: "Asterisk 22 130", measure: measureRecorded,
		},
		{
			Name: "webrtc", Measure: "a browser's leg (ICE, DTLS-SRTP) bridged to a plain RTP leg, 40 calls, speech both ways: CPU of the process per packet it sends",
			Goal: "≤ 25 µs", measure: measureWebRTC,
		},
		{
			Name: "fast-path", Measure: "bridged plain calls relayed by the kernel (TCX) between two namespaces over veth, one core with all its soft interrupts, < 0.1 % loss and p99 delay < 20 ms",
			Goal: "≥ 4,000", Compare: "rtpengine in user space 500–800; nftables about 4,000", measure: measureFast,
		},
		{
			Name: "offer", Measure: "agent free → next offer, 1,000 waiting: CPU per offer",
			Goal: "≤ 0.2 ms", Compare: "app_queue 40 ms (259 ms at 5,000), and it polls once a second", measure: measureOffer,
		},
		{
			Name: "music", Measure: "callers waiting on music, one core",
			Goal:    "1,000 with new calls still answered; ≤ 8 % of a core per 100; ≤ 60 kB each",
			Compare: "Asterisk 27 % per 100, saturates at 350–500, 155 kB; FreeSWITCH 54 %", measure: measureMusic,
		},
		{
			Name: "overload", Measure: "calls offered at twice the clean rate (the highest with 0 failures in 60 s) for 30 s",
			Goal:    "answered calls stay good, the rest get 503 + Retry-After, clean again within 5 s",
			Compare: "Asterisk collapses and stays down", measure: measureOverload,
		},
		{
			Name: "network", Measure: "a browser agent's network changes in mid-call (new source address, new sockets, the old ones silent): speech back both ways",
			Goal: "≥ 95 of 100 within 3 s", measure: measureNetwork,
		},
		{
			Name: "kill", Measure: "three processes on PostgreSQL, kill -9 of the one that decides with 8 callers waiting: places, music, the next offer",
			Goal: "every place kept, nobody cut off, music without a gap of 1 s, offers again within 10 s, in every try", measure: measureKill,
		},
		{
			Name: "acd", Measure: "engine/acd: 10,000 agents, 1,000 queues, 100,000 waiting; mix 40 % arrivals, 20 % abandons, 40 % agent changes; one core",
			Goal: "≥ 1 M events/s, 0 allocations", measure: measureACD,
		},
		{
			Name: "ledger", Measure: "ledger on SQLite, synchronous=FULL, 64 producers, acknowledged after commit",
			Goal: "≥ 10× one producer committing alone in the same run (≥ 10,000 facts/s on a quiet machine)", measure: measureLedger,
		},
	}
}
